select
    sku,
    site_code,
    on_hand as units_on_hand,
    sold as units_sold,
    moved_at
from {{ source('inventory', 'balances') }}
