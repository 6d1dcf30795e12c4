"""Assets of the backoffice area."""

import dagster as dg

from ecom_assets.backoffice.assets import audit, rules, taxes
from ecom_assets.backoffice.assets.purges import purges
from ecom_assets.backoffice.tables import SETTINGS

__all__ = ["ASSETS", "purges"]

SETTINGS_TOLD = dg.AssetSpec(
    ["backoffice", "settings"], kinds={"postgres"}, description=f"{SETTINGS.comment} Set by people."
)

ASSETS = [purges, SETTINGS_TOLD, *audit.ASSETS, *rules.ASSETS, *taxes.ASSETS]
