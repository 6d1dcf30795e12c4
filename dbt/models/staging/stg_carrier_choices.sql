select
    order_id,
    site_code,
    service_code,
    zone_code,
    billable_weight_g,
    cost_minor,
    currency::text as currency,
    eta_at,
    on_time_probability,
    score as choice_score,
    is_eligible,
    is_chosen,
    reason
from {{ source('transport', 'carrier_choices') }}
