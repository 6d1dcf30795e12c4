select
    service_code,
    carrier_code,
    name as service_name,
    max_weight_g,
    dim_divisor,
    quality
from {{ source('transport', 'services') }}
