"""The inventory area's SQL, by table; what other modules call is named here.

Locking order of all stock, which no path may reverse:

1. waits in `flow.pending`: claims skip what others hold, `call_back` waits for it;
2. the holder of a hold;
3. rows of `inventory.positions`, by SKU, all that the transaction needs in one statement;
4. states of orders, by order (`states.hold_claimed`, `states.move`).

Whoever holds a SKU's position may change its balances, reservations, holds and site loads; nobody
else may. `inventory.restocks` is written under it and read without: who frees stock waits for
nobody, and `call_backorders` holds no stock while it hands orders on.
"""

from __future__ import annotations

from ecom_assets.inventory.store.backtests import (
    by_method,
    methods_at,
    newest_results,
    save_backtest,
    save_methods,
)
from ecom_assets.inventory.store.balances import (
    DIFFERENCES,
    LOWEST_COVER,
    STOCK_VALUE,
    summary,
    units_per_site,
)
from ecom_assets.inventory.store.demand_history import (
    COVER,
    MOST_HIDDEN,
    refresh_history,
    span,
)
from ecom_assets.inventory.store.forecasts import (
    LARGEST_POLICIES,
    is_forecast,
    save_forecasts,
    save_policies,
    terms_of,
)
from ecom_assets.inventory.store.movements import post_sales, take_movements
from ecom_assets.inventory.store.panels import read_panel
from ecom_assets.inventory.store.proposals import (
    OPEN_LINES,
    OPEN_PROPOSALS,
    NotOpen,
    Proposed,
    decide_proposal,
    propose,
)
from ecom_assets.inventory.store.releases import expire, is_due, release
from ecom_assets.inventory.store.replays import promise_anew
from ecom_assets.inventory.store.reservations import reserve
from ecom_assets.inventory.store.restocks import are_noted, call_backorders
from ecom_assets.inventory.store.simulations import costs_of, save_simulation
from ecom_assets.inventory.store.stock_holds import hold_stock, release_hold

__all__ = [
    "COVER",
    "DIFFERENCES",
    "LARGEST_POLICIES",
    "LOWEST_COVER",
    "MOST_HIDDEN",
    "OPEN_LINES",
    "OPEN_PROPOSALS",
    "STOCK_VALUE",
    "NotOpen",
    "Proposed",
    "are_noted",
    "by_method",
    "call_backorders",
    "costs_of",
    "decide_proposal",
    "expire",
    "hold_stock",
    "is_due",
    "is_forecast",
    "methods_at",
    "newest_results",
    "post_sales",
    "promise_anew",
    "propose",
    "read_panel",
    "refresh_history",
    "release",
    "release_hold",
    "reserve",
    "save_backtest",
    "save_forecasts",
    "save_methods",
    "save_policies",
    "save_simulation",
    "span",
    "summary",
    "take_movements",
    "terms_of",
    "units_per_site",
]
