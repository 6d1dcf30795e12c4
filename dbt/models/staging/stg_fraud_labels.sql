select
    channel,
    external_id,
    label as fraud_label,
    known_at as label_known_at
from {{ source('fraud', 'labels') }}
