select
    invoice_id,
    series || '-' || number as invoice_number,
    order_id,
    issued_at,
    currency::text as currency,
    goods_minor,
    shipping_minor,
    total_minor
from {{ source('documents', 'invoices') }}
