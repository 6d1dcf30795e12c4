select
    observed_event_id,
    channel,
    external_id,
    kind,
    reference,
    happened_at,
    case when detail ->> 'score' ~ '^[0-9]{1,3}$' then (detail ->> 'score')::integer end
        as review_score,
    detail ->> 'status' as source_status,
    anomaly
from {{ source('orders', 'observed_events') }}
