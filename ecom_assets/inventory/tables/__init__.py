"""Tables of the inventory area."""

from __future__ import annotations

from ecom_assets.inventory.tables.stock import (
    BALANCES,
    MOVEMENTS,
    POSITIONS,
    RELEASES,
    RESERVATIONS,
    RESTOCKS,
    STOCK_HOLDS,
)

__all__ = [
    "BALANCES",
    "MOVEMENTS",
    "POSITIONS",
    "RELEASES",
    "RESERVATIONS",
    "RESTOCKS",
    "STOCK_HOLDS",
]
