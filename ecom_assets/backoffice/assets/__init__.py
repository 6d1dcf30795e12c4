"""Assets of the backoffice area."""

from ecom_assets.backoffice.assets import audit, rules, taxes
from ecom_assets.backoffice.assets.purges import purges

__all__ = ["ASSETS", "purges"]

ASSETS = [purges, *audit.ASSETS, *rules.ASSETS, *taxes.ASSETS]
