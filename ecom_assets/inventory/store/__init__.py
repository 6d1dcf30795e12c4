"""The inventory area's SQL, by table; what other modules call is named here.

Locking order of all stock: rows of `inventory.positions` by SKU first. Whoever holds a SKU's
position may change its balances, reservations and site loads; nobody else may.
"""

from __future__ import annotations

from ecom_assets.inventory.store.movements import post_sales, take_movements

__all__ = ["post_sales", "take_movements"]
