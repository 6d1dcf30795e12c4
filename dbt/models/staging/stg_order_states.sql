select
    order_id,
    payment_state,
    risk_state,
    fulfilment_state,
    hold_state,
    changed_at
from {{ source('flow', 'order_states') }}
