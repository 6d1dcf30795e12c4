"""What must hold of the catalog area's tables."""

from __future__ import annotations

from ecom_assets.catalog.expectations import details, plans, products

EXPECTATIONS = (*products.EXPECTATIONS, *details.EXPECTATIONS, *plans.EXPECTATIONS)
