"""The inventory area's SQL, by table; what other modules call is named here.

Locking order of all stock: rows of `inventory.positions` by SKU first. Whoever holds a SKU's
position may change its balances, reservations and site loads; nobody else may.
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
from ecom_assets.inventory.store.replays import promise_anew
from ecom_assets.inventory.store.reservations import reserve

__all__ = [
    "DIFFERENCES",
    "LOWEST_COVER",
    "STOCK_VALUE",
    "post_sales",
    "promise_anew",
    "reserve",
    "summary",
    "take_movements",
    "units_per_site",
]
