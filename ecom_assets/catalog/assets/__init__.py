"""Assets of the catalog area."""

from ecom_assets.catalog.assets import copies, imported, plans, products, readiness

ASSETS = [
    *products.ASSETS, *imported.ASSETS, *plans.ASSETS, *readiness.ASSETS, *copies.ASSETS,
]  # fmt: skip
