select
    sku,
    name as product_name,
    category,
    brand,
    supplier_key,
    weight_g,
    shipping_weight_g,
    unit_cost_minor,
    list_price_minor,
    currency::text as currency,
    is_active
from {{ source('catalog', 'products') }}
