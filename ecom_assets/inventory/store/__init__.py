"""The inventory area's SQL, by table; what other modules call is named here.

Locking order of all stock, which no path may reverse:

1. waits in `flow.pending`: claims skip what others hold, `call_back` waits for it;
2. the holder of a hold;
3. rows of `inventory.positions`, by SKU, all that the transaction needs in one statement;
4. states of orders, by order (`states.hold_claimed`, `states.move`).

Whoever holds a SKU's position may change its balances, reservations, holds and site loads; nobody
else may. `inventory.restocks` is written under it and read without: who frees stock waits for
nobody, and `call_backorders` holds no stock while it hands orders on.
"""

from __future__ import annotations

from ecom_assets.inventory.store.balances import (
    DIFFERENCES,
    LOWEST_COVER,
    STOCK_VALUE,
    summary,
    units_per_site,
)
from ecom_assets.inventory.store.movements import post_sales, take_movements
from ecom_assets.inventory.store.releases import expire, is_due, release
from ecom_assets.inventory.store.replays import promise_anew
from ecom_assets.inventory.store.reservations import reserve
from ecom_assets.inventory.store.restocks import are_noted, call_backorders
from ecom_assets.inventory.store.stock_holds import hold_stock, release_hold

__all__ = [
    "DIFFERENCES",
    "LOWEST_COVER",
    "STOCK_VALUE",
    "are_noted",
    "call_backorders",
    "expire",
    "hold_stock",
    "is_due",
    "post_sales",
    "promise_anew",
    "release",
    "release_hold",
    "reserve",
    "summary",
    "take_movements",
    "units_per_site",
]
