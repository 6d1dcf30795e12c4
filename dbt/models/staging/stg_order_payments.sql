select
    order_id,
    due_minor,
    authorised_minor,
    pending_minor,
    difference_minor,
    currency::text as currency,
    payment_state
from {{ source('payments', 'order_payments') }}
