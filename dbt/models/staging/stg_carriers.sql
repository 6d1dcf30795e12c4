select
    carrier_code,
    name as carrier_name
from {{ source('transport', 'carriers') }}
