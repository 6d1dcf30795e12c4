with orders as (
    select * from {{ ref('orders') }}
),

daily_sales as (
    select * from {{ ref('daily_sales') }}
),

expected as (
    select
        channel,
        currency,
        count(*) as orders_count,
        sum(total_minor) as ordered_minor
    from orders
    group by channel, currency
),

found as (
    select
        channel,
        currency,
        sum(orders_count) as orders_count,
        sum(ordered_minor) as ordered_minor
    from daily_sales
    group by channel, currency
)

select *
from expected
full join found using (channel, currency)
where
    expected.orders_count is distinct from found.orders_count
    or expected.ordered_minor is distinct from found.ordered_minor
