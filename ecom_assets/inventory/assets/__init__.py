"""Assets of the inventory area."""

from ecom_assets.inventory.assets import demand, keeping, promises, replenishment, worth

ASSETS = [
    *promises.ASSETS,
    *keeping.ASSETS,
    *worth.ASSETS,
    *demand.ASSETS,
    *replenishment.ASSETS,
]
