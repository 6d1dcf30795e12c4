select
    shipment_id,
    order_id,
    site_code,
    service_code,
    units,
    weight_g,
    is_weight_estimated,
    cost_minor,
    currency::text as currency,
    shipped_at,
    eta_at,
    promised_at
from {{ source('transport', 'shipments') }}
