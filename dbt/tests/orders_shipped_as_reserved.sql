with orders as (
    select * from {{ ref('orders') }}
)

select
    order_id,
    units_ordered,
    units_reserved,
    units_shipped
from orders
where
    units_shipped > units_reserved
    or units_reserved + units_backordered > units_ordered
