select
    site_code,
    name as site_name,
    country::text as country,
    region,
    daily_capacity,
    handling_minor,
    currency::text as currency
from {{ source('warehouse', 'sites') }}
