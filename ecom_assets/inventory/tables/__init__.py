"""Tables of the inventory area."""

from __future__ import annotations

from ecom_assets.inventory.tables.demand import (
    DEMAND_HISTORY,
    FORECAST_BACKTESTS,
    FORECAST_METHODS,
    FORECASTS,
    QUANTILE_COLUMNS,
)
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

__all__ = [
    "BALANCES",
    "DEMAND_HISTORY",
    "FORECASTS",
    "FORECAST_BACKTESTS",
    "FORECAST_METHODS",
    "MOVEMENTS",
    "POLICY_SIMULATIONS",
    "POSITIONS",
    "PURCHASE_PROPOSALS",
    "PURCHASE_PROPOSAL_LINES",
    "QUANTILE_COLUMNS",
    "RELEASES",
    "REORDER_POLICIES",
    "REORDER_TERMS",
    "RESERVATIONS",
    "RESTOCKS",
    "STOCK_HOLDS",
]
