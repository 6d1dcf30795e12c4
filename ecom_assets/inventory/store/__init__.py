"""The inventory area's SQL, by table; what other modules call is named here.

Locking order of all stock, which no path may reverse:

0. the turn of a location's feed, of assemblies, and transfers that arrive, by id;
1. waits in `flow.pending`: claims skip what others hold, `call_back` waits for it;
2. the holder of a hold;
3. rows of `inventory.positions`, by SKU, all that the transaction needs in one statement;
4. states of orders, by order (`states.hold_claimed`, `states.move`).

Whoever holds a SKU's position may change its balances, reservations, holds and site loads; nobody
else may. `inventory.restocks` is written under it and read without: who frees stock waits for
nobody, and `call_backorders` holds no stock while it hands orders on.
"""

from __future__ import annotations

from ecom_assets.inventory.store.adjustments import post_adjustments
from ecom_assets.inventory.store.assemblies import are_kits_asked, assemble_kits
from ecom_assets.inventory.store.atp import available, listed_units, refresh_atp
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
from ecom_assets.inventory.store.counts import approve_counts, reject_counts, take_counts
from ecom_assets.inventory.store.demand_history import (
    COVER,
    MOST_HIDDEN,
    refresh_history,
    span,
)
from ecom_assets.inventory.store.feed_staging import stage_file, stage_rows
from ecom_assets.inventory.store.feed_syncs import (
    known_origins,
    known_sites,
    refuse_feed,
    sync_stock,
)
from ecom_assets.inventory.store.forecasts import (
    LARGEST_POLICIES,
    is_forecast,
    save_forecasts,
    save_policies,
    terms_of,
)
from ecom_assets.inventory.store.kits import components_of
from ecom_assets.inventory.store.lots import (
    LOTS_LEFT,
    carry_serials,
    take_out_serials,
    write_off_expired,
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
from ecom_assets.inventory.store.receipts import RECEIPT_COLUMNS, take_receipts
from ecom_assets.inventory.store.releases import expire, is_due, release
from ecom_assets.inventory.store.replays import promise_anew
from ecom_assets.inventory.store.reservations import reserve
from ecom_assets.inventory.store.restocks import are_noted, call_backorders
from ecom_assets.inventory.store.simulations import costs_of, save_simulation
from ecom_assets.inventory.store.sku_classes import (
    CLASS_TABLE,
    DEAD_STOCK,
    SHORTEST_COVER,
    classify_skus,
    cover_per_class,
)
from ecom_assets.inventory.store.stock_holds import hold_stock, release_hold
from ecom_assets.inventory.store.stock_terms import (
    take_buffers,
    take_expected_receipts,
    take_safety_stocks,
    take_units,
)
from ecom_assets.inventory.store.transfers import send_transfers, take_arrivals
from ecom_assets.inventory.store.valuations import (
    DISAGREEMENTS,
    TOTAL_WORTH,
    balances_as_of,
    last_move_at,
    value_stock,
)

__all__ = [
    "CLASS_TABLE",
    "COVER",
    "DEAD_STOCK",
    "DIFFERENCES",
    "DISAGREEMENTS",
    "LARGEST_POLICIES",
    "LOTS_LEFT",
    "LOWEST_COVER",
    "MOST_HIDDEN",
    "OPEN_LINES",
    "OPEN_PROPOSALS",
    "RECEIPT_COLUMNS",
    "SHORTEST_COVER",
    "STOCK_VALUE",
    "TOTAL_WORTH",
    "NotOpen",
    "Proposed",
    "approve_counts",
    "are_kits_asked",
    "are_noted",
    "assemble_kits",
    "available",
    "balances_as_of",
    "by_method",
    "call_backorders",
    "carry_serials",
    "classify_skus",
    "components_of",
    "costs_of",
    "cover_per_class",
    "decide_proposal",
    "expire",
    "hold_stock",
    "is_due",
    "is_forecast",
    "known_origins",
    "known_sites",
    "last_move_at",
    "listed_units",
    "methods_at",
    "newest_results",
    "post_adjustments",
    "post_sales",
    "promise_anew",
    "propose",
    "read_panel",
    "refresh_atp",
    "refresh_history",
    "refuse_feed",
    "reject_counts",
    "release",
    "release_hold",
    "reserve",
    "save_backtest",
    "save_forecasts",
    "save_methods",
    "save_policies",
    "save_simulation",
    "send_transfers",
    "span",
    "stage_file",
    "stage_rows",
    "summary",
    "sync_stock",
    "take_arrivals",
    "take_buffers",
    "take_counts",
    "take_expected_receipts",
    "take_movements",
    "take_out_serials",
    "take_receipts",
    "take_safety_stocks",
    "take_units",
    "terms_of",
    "units_per_site",
    "value_stock",
    "write_off_expired",
]
