select
    transaction_id,
    order_id,
    sequence as tender_no,
    method,
    installments,
    amount_minor,
    currency::text as currency,
    state,
    authorised_at,
    avs_result,
    cvv_result,
    anomaly
from {{ source('payments', 'transactions') }}
