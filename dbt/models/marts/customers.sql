{{ config(indexes=[{'columns': ['customer_hash'], 'unique': true}]) }}

with customers as (
    select * from {{ ref('stg_customers') }}
),

orders as (
    select * from {{ ref('orders') }}
),

orders_by_customer as (
    select
        customer_hash,
        count(*)::integer as orders_count,
        sum(units_ordered)::integer as units_ordered,
        (count(*) filter (where risk_state = 'accepted'))::integer as approved_orders_count,
        (count(*) filter (where risk_state = 'rejected'))::integer as rejected_orders_count,
        (count(*) filter (where parcels_count > 0))::integer as shipped_orders_count,
        (count(*) filter (where observed_outcome = 'cancelled'))::integer
            as observed_cancelled_count,
        count(distinct channel)::integer as channels_count,
        min(placed_at) as first_order_at,
        max(placed_at) as last_order_at
    from orders
    group by customer_hash
)

select
    customers.customer_hash,
    customers.country,
    customers.signed_up_at,
    orders_by_customer.first_order_at,
    orders_by_customer.last_order_at,
    coalesce(orders_by_customer.orders_count, 0) as orders_count,
    coalesce(orders_by_customer.orders_count, 0) > 1 as is_repeat,
    coalesce(orders_by_customer.units_ordered, 0) as units_ordered,
    coalesce(orders_by_customer.approved_orders_count, 0) as approved_orders_count,
    coalesce(orders_by_customer.rejected_orders_count, 0) as rejected_orders_count,
    coalesce(orders_by_customer.shipped_orders_count, 0) as shipped_orders_count,
    coalesce(orders_by_customer.observed_cancelled_count, 0) as observed_cancelled_count,
    coalesce(orders_by_customer.channels_count, 0) as channels_count
from customers
left join orders_by_customer using (customer_hash)
