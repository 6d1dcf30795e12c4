"""Tables of the inventory area."""

from __future__ import annotations

from ecom_assets.inventory.tables.availability import (
    ATP,
    CHANNEL_BUFFERS,
    EXPECTED_RECEIPTS,
    SAFETY_STOCKS,
)
from ecom_assets.inventory.tables.feeds import COUNTS, FEED_SYNCS, UNITS
from ecom_assets.inventory.tables.keeping import LOTS, RECEIPT_COSTS, SERIALS, TRANSFERS
from ecom_assets.inventory.tables.stock import (
    BALANCES,
    MOVEMENTS,
    POSITIONS,
    RELEASES,
    RESERVATIONS,
    RESTOCKS,
    STOCK_HOLDS,
)
from ecom_assets.inventory.tables.worth import SKU_CLASSES, VALUATIONS

__all__ = [
    "ATP",
    "BALANCES",
    "CHANNEL_BUFFERS",
    "COUNTS",
    "EXPECTED_RECEIPTS",
    "FEED_SYNCS",
    "LOTS",
    "MOVEMENTS",
    "POSITIONS",
    "RECEIPT_COSTS",
    "RELEASES",
    "RESERVATIONS",
    "RESTOCKS",
    "SAFETY_STOCKS",
    "SERIALS",
    "SKU_CLASSES",
    "STOCK_HOLDS",
    "TRANSFERS",
    "UNITS",
    "VALUATIONS",
]
