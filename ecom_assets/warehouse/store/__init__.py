"""The warehouse area's SQL, by table; what other modules call is named here.

Locking order: whoever allocates or takes back holds the rows of `inventory.positions` of all SKUs
at hand, locked by SKU, as whoever moves or reserves their stock does; then the states of the orders
it moves, locked by order.
"""

from __future__ import annotations

from ecom_assets.warehouse.store.allocations import allocate
from ecom_assets.warehouse.store.overview import BACKORDERED, division, parcels_per_site
from ecom_assets.warehouse.store.replays import allocate_anew
from ecom_assets.warehouse.store.sites import take_sites
from ecom_assets.warehouse.store.withdrawals import withdraw

__all__ = [
    "BACKORDERED",
    "allocate",
    "allocate_anew",
    "division",
    "parcels_per_site",
    "take_sites",
    "withdraw",
]
