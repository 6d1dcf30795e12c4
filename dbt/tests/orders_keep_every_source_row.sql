with accepted as (
    select order_id from {{ ref('stg_orders') }}
),

orders as (
    select order_id from {{ ref('orders') }}
)

select accepted.order_id as missing_order_id
from accepted
left join orders using (order_id)
where orders.order_id is null
