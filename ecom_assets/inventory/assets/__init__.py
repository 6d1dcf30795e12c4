"""Assets of the inventory area."""

from ecom_assets.inventory.assets import demand, promises, replenishment

ASSETS = [
    *promises.ASSETS,
    *demand.ASSETS,
    *replenishment.ASSETS,
]
