select
    order_id,
    outcome as risk_outcome,
    reasons as risk_reasons,
    expected_loss_minor,
    rule_version,
    decided_as_of
from {{ source('risk', 'decisions') }}
