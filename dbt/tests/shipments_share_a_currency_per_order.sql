with shipments as (
    select * from {{ ref('shipments') }}
)

select order_id
from shipments
group by order_id
having count(distinct currency) > 1
