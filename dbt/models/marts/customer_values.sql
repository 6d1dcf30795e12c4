{{ config(indexes=[{'columns': ['customer_hash', 'currency'], 'unique': true}]) }}

with orders as (
    select * from {{ ref('orders') }}
)

select
    customer_hash,
    currency,
    count(*)::integer as orders_count,
    sum(total_minor)::bigint as ordered_minor,
    coalesce(sum(total_minor) filter (where risk_state = 'accepted'), 0)::bigint
        as approved_minor,
    coalesce(sum(invoiced_minor), 0)::bigint as invoiced_minor,
    round(avg(total_minor))::bigint as mean_order_minor,
    max(total_minor) as largest_order_minor
from orders
group by customer_hash, currency
