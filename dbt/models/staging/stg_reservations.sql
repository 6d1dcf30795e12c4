select
    order_line_id,
    order_id,
    sku,
    requested as units_requested,
    reserved as units_reserved,
    backordered as units_backordered,
    shipped as units_shipped,
    reserved_as_of
from {{ source('inventory', 'reservations') }}
