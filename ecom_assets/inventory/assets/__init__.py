"""Assets of the inventory area."""

from ecom_assets.inventory.assets import promises

ASSETS = promises.ASSETS
