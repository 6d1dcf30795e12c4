{{ config(indexes=[
    {'columns': ['transaction_id'], 'unique': true},
    {'columns': ['order_id']},
]) }}

with transactions as (
    select * from {{ ref('stg_transactions') }}
),

orders as (
    select * from {{ ref('orders') }}
)

select
    transactions.transaction_id,
    transactions.order_id,
    transactions.tender_no,
    orders.channel,
    orders.placed_at,
    orders.placed_date,
    transactions.method,
    transactions.installments,
    transactions.currency,
    transactions.amount_minor,
    transactions.state,
    transactions.authorised_at,
    extract(epoch from transactions.authorised_at - orders.placed_at)::double precision
    / 3600 as authorisation_hours,
    transactions.avs_result,
    transactions.cvv_result,
    transactions.anomaly,
    orders.payment_state as order_payment_state,
    orders.risk_state as order_risk_state
from transactions
inner join orders using (order_id)
