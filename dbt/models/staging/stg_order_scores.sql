select
    order_id,
    probability as fraud_probability,
    method as score_method,
    version as score_version,
    reasons as score_reasons,
    scored_as_of
from {{ source('fraud', 'order_scores') }}
