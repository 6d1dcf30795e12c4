{{ config(indexes=[
    {'columns': ['order_line_id'], 'unique': true},
    {'columns': ['order_id']},
    {'columns': ['sku']},
]) }}

with order_lines as (
    select * from {{ ref('stg_order_lines') }}
),

orders as (
    select * from {{ ref('orders') }}
),

products as (
    select * from {{ ref('stg_products') }}
),

reservations as (
    select * from {{ ref('stg_reservations') }}
),

allocations as (
    select * from {{ ref('stg_allocations') }}
),

allocations_by_line as (
    select
        order_line_id,
        sum(units_allocated)::integer as units_allocated,
        count(*)::integer as sites_count
    from allocations
    group by order_line_id
)

select
    order_lines.order_line_id,
    order_lines.order_id,
    order_lines.line_no,
    orders.channel,
    orders.customer_hash,
    orders.placed_at,
    orders.placed_date,
    orders.risk_state,
    order_lines.sku,
    products.category,
    order_lines.seller,
    order_lines.quantity as units_ordered,
    orders.currency,
    order_lines.unit_price_minor,
    order_lines.discount_minor,
    order_lines.tax_minor,
    order_lines.line_total_minor,
    coalesce(reservations.units_reserved, 0) as units_reserved,
    coalesce(reservations.units_backordered, 0) as units_backordered,
    coalesce(allocations_by_line.units_allocated, 0) as units_allocated,
    coalesce(allocations_by_line.sites_count, 0) as sites_count,
    coalesce(reservations.units_shipped, 0) as units_shipped,
    round(
        order_lines.line_total_minor::numeric
        * coalesce(reservations.units_shipped, 0)
        / order_lines.quantity
    )::bigint as shipped_minor
from order_lines
inner join orders using (order_id)
left join products using (sku)
left join reservations using (order_line_id)
left join allocations_by_line using (order_line_id)
