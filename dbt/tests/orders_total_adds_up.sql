with orders as (
    select * from {{ ref('orders') }}
)

select
    order_id,
    total_minor,
    items_minor - discount_minor + shipping_minor as expected_minor
from orders
where total_minor <> items_minor - discount_minor + shipping_minor
