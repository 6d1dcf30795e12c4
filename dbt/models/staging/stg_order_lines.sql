select
    order_line_id,
    order_id,
    line_no,
    sku,
    quantity,
    unit_price_minor,
    discount_minor,
    tax_minor,
    line_total_minor,
    seller
from {{ source('orders', 'order_lines') }}
