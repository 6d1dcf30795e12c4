select
    order_id,
    channel,
    external_id,
    {{ pseudonym('customer_key') }} as customer_hash,
    placed_at,
    (placed_at at time zone 'UTC')::date as placed_date,
    decided_as_of,
    promised_at,
    currency::text as currency,
    items_minor,
    discount_minor,
    shipping_minor,
    tax_minor,
    total_minor,
    ship_to_region,
    ship_to_country::text as ship_to_country
from {{ source('orders', 'orders') }}
