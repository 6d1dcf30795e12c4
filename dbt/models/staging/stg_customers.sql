select
    {{ pseudonym('customer_key') }} as customer_hash,
    country::text as country,
    signed_up_at,
    first_order_at,
    last_order_at,
    orders_count
from {{ source('customers', 'customers') }}
