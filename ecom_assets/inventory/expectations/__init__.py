"""What must hold of the inventory area's tables."""

from __future__ import annotations

from ecom_assets.inventory.expectations import demand, stock

EXPECTATIONS = (
    *stock.EXPECTATIONS,
    *demand.EXPECTATIONS,
)
