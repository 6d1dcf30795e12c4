"""Tables of the inventory area."""

from __future__ import annotations

from ecom_assets.inventory.tables.availability import (
    ATP,
    CHANNEL_BUFFERS,
    EXPECTED_RECEIPTS,
    SAFETY_STOCKS,
)
from ecom_assets.inventory.tables.demand import (
    DEMAND_HISTORY,
    FORECAST_BACKTESTS,
    FORECAST_METHODS,
    FORECASTS,
    QUANTILE_COLUMNS,
)
from ecom_assets.inventory.tables.feeds import COUNTS, FEED_SYNCS, UNITS
from ecom_assets.inventory.tables.keeping import LOTS, RECEIPT_COSTS, SERIALS, TRANSFERS
from ecom_assets.inventory.tables.replenishment import (
    POLICY_SIMULATIONS,
    PURCHASE_PROPOSAL_LINES,
    PURCHASE_PROPOSALS,
    REORDER_POLICIES,
    REORDER_TERMS,
)
from ecom_assets.inventory.tables.stock import (
    BALANCES,
    MOVEMENTS,
    POSITIONS,
    RELEASES,
    RESERVATIONS,
    RESTOCKS,
    STOCK_HOLDS,
)
from ecom_assets.inventory.tables.worth import SKU_CLASSES, VALUATIONS

__all__ = [
    "ATP",
    "BALANCES",
    "CHANNEL_BUFFERS",
    "COUNTS",
    "DEMAND_HISTORY",
    "EXPECTED_RECEIPTS",
    "FEED_SYNCS",
    "FORECASTS",
    "FORECAST_BACKTESTS",
    "FORECAST_METHODS",
    "LOTS",
    "MOVEMENTS",
    "POLICY_SIMULATIONS",
    "POSITIONS",
    "PURCHASE_PROPOSALS",
    "PURCHASE_PROPOSAL_LINES",
    "QUANTILE_COLUMNS",
    "RECEIPT_COSTS",
    "RELEASES",
    "REORDER_POLICIES",
    "REORDER_TERMS",
    "RESERVATIONS",
    "RESTOCKS",
    "SAFETY_STOCKS",
    "SERIALS",
    "SKU_CLASSES",
    "STOCK_HOLDS",
    "TRANSFERS",
    "UNITS",
    "VALUATIONS",
]
