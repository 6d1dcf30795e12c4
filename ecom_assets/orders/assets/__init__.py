"""Assets of the orders area: inbox, accepted orders, their changes and holds, observed facts."""

import dagster as dg

from ecom_assets.orders.assets.acceptance import inbox, orders
from ecom_assets.orders.assets.lifecycle import changes, holds, settlements
from ecom_assets.orders.tables import CONSUMED_OFFSETS, OBSERVED_EVENTS

OBSERVED = dg.AssetSpec(
    ["orders", "observed_events"],
    kinds={"postgres"},
    description=f"{OBSERVED_EVENTS.comment} Filled by imports.",
)

CONSUMED = dg.AssetSpec(
    ["orders", "consumed_offsets"],
    kinds={"postgres", "kafka"},
    description=f"{CONSUMED_OFFSETS.comment} Written by `ecom consume`.",
)

ASSETS = [inbox, orders, changes, settlements, holds, OBSERVED, CONSUMED]
