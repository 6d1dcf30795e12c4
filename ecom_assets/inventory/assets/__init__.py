"""Assets of the inventory area."""

from ecom_assets.inventory.assets import keeping, promises, worth

ASSETS = [
    *promises.ASSETS,
    *keeping.ASSETS,
    *worth.ASSETS,
]
