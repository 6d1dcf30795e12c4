{{ config(indexes=[{'columns': ['order_id'], 'unique': true}]) }}

with orders as (
    select * from {{ ref('orders') }}
),

fraud_labels as (
    select * from {{ ref('stg_fraud_labels') }}
),

-- orders that were not scored have no decile
deciles as (
    select
        order_id,
        ntile(10) over (order by fraud_probability, order_id) as score_decile
    from orders
    where fraud_probability is not null
)

select
    orders.order_id,
    orders.channel,
    orders.placed_at,
    orders.placed_date,
    orders.currency,
    orders.total_minor,
    orders.risk_state as decision,
    orders.fraud_probability,
    deciles.score_decile,
    fraud_labels.fraud_label,
    orders.observed_outcome,
    case
        when orders.risk_state = 'accepted' and orders.observed_outcome = 'cancelled'
            then 'accepted_but_cancelled'
        when orders.risk_state = 'accepted' and orders.observed_outcome = 'returned'
            then 'accepted_but_returned'
        when orders.risk_state = 'accepted' and orders.observed_outcome = 'delivered'
            then 'accepted_and_delivered'
        when orders.risk_state = 'rejected' and orders.observed_outcome = 'delivered'
            then 'rejected_but_delivered'
        when orders.risk_state = 'rejected' and orders.observed_outcome = 'cancelled'
            then 'rejected_and_cancelled'
        else 'no_comparison'
    end as verdict,
    orders.parcels_count > 0 as is_shipped_by_us,
    orders.promised_at,
    orders.eta_at,
    orders.observed_delivered_at,
    orders.is_observed_on_time,
    orders.eta_at <= orders.promised_at as is_eta_on_time,
    extract(epoch from orders.observed_delivered_at - orders.promised_at)::double precision
    / 86400 as days_after_promise,
    extract(epoch from orders.observed_delivered_at - orders.eta_at)::double precision
    / 86400 as days_after_eta
from orders
left join deciles using (order_id)
left join fraud_labels
    on
        orders.channel = fraud_labels.channel
        and orders.external_id = fraud_labels.external_id
