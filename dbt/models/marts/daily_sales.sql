{{ config(indexes=[{'columns': ['sales_date', 'channel', 'currency'], 'unique': true}]) }}

with orders as (
    select * from {{ ref('orders') }}
)

select
    placed_date as sales_date,
    channel,
    currency,
    count(*)::integer as orders_count,
    (count(*) filter (where risk_state = 'accepted'))::integer as approved_orders_count,
    (count(*) filter (where risk_state = 'rejected'))::integer as rejected_orders_count,
    (count(*) filter (where parcels_count > 0))::integer as shipped_orders_count,
    (count(*) filter (where observed_outcome = 'cancelled'))::integer
        as observed_cancelled_count,
    sum(units_ordered)::integer as units_ordered,
    sum(units_shipped)::integer as units_shipped,
    sum(items_minor - discount_minor)::bigint as goods_minor,
    sum(shipping_minor)::bigint as shipping_minor,
    sum(total_minor)::bigint as ordered_minor,
    coalesce(sum(total_minor) filter (where risk_state = 'accepted'), 0)::bigint
        as approved_minor,
    coalesce(sum(invoiced_minor), 0)::bigint as invoiced_minor
from orders
group by placed_date, channel, currency
