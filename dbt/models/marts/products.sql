{{ config(indexes=[{'columns': ['sku'], 'unique': true}]) }}

with products as (
    select * from {{ ref('stg_products') }}
),

order_lines as (
    select * from {{ ref('order_lines') }}
),

balances as (
    select * from {{ ref('stg_balances') }}
),

lines_by_sku as (
    select
        order_lines.sku,
        count(distinct order_lines.order_id)::integer as orders_count,
        sum(order_lines.units_ordered)::integer as units_ordered,
        sum(order_lines.units_backordered)::integer as units_backordered,
        sum(order_lines.units_reserved - order_lines.units_shipped)::integer as units_promised,
        sum(order_lines.units_shipped)::integer as units_sold,
        -- amounts of different currencies are never added up
        sum(order_lines.shipped_minor) filter (
            where order_lines.currency = products.currency
        )::bigint as revenue_minor,
        (count(*) filter (where order_lines.currency <> products.currency))::integer
            as foreign_lines_count,
        max(order_lines.placed_at) as last_ordered_at
    from order_lines
    inner join products using (sku)
    group by order_lines.sku
),

stock_by_sku as (
    select
        sku,
        sum(units_on_hand)::integer as units_on_hand,
        (count(*) filter (where units_on_hand > 0))::integer as stocked_sites_count
    from balances
    group by sku
)

select
    products.sku,
    products.product_name,
    products.category,
    products.brand,
    products.supplier_key,
    products.is_active,
    products.currency,
    products.list_price_minor,
    products.unit_cost_minor,
    coalesce(lines_by_sku.orders_count, 0) as orders_count,
    coalesce(lines_by_sku.units_ordered, 0) as units_ordered,
    coalesce(lines_by_sku.units_sold, 0) as units_sold,
    coalesce(lines_by_sku.revenue_minor, 0) as revenue_minor,
    coalesce(lines_by_sku.foreign_lines_count, 0) as foreign_lines_count,
    coalesce(lines_by_sku.units_backordered, 0) as units_backordered,
    coalesce(lines_by_sku.units_promised, 0) as units_promised,
    coalesce(stock_by_sku.units_on_hand, 0) as units_on_hand,
    coalesce(stock_by_sku.stocked_sites_count, 0) as stocked_sites_count,
    lines_by_sku.last_ordered_at
from products
left join lines_by_sku using (sku)
left join stock_by_sku using (sku)
