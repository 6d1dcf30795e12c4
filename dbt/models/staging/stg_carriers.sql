with source as (
    select * from {{ source('transport', 'carriers') }}
)

select
    carrier_code,
    name as carrier_name
from source
