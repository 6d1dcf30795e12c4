select
    allocation_id,
    order_id,
    order_line_id,
    sku,
    site_code,
    quantity as units_allocated,
    distance_km,
    policy,
    available_at,
    allocated_as_of
from {{ source('warehouse', 'allocations') }}
