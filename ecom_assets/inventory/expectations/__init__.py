"""What must hold of the inventory area's tables."""

from __future__ import annotations

from ecom_assets.inventory.expectations import demand, keeping, stock, worth

EXPECTATIONS = (
    *stock.EXPECTATIONS,
    *keeping.EXPECTATIONS,
    *worth.EXPECTATIONS,
    *demand.EXPECTATIONS,
)
