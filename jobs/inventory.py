"""Promises of stock, feeds of locations, and the figures about stock that are made each night."""

import dagster as dg

from jobs import replenishment

INVENTORY_PROMISES = dg.define_asset_job(
    "inventory_promises",
    selection=dg.AssetSelection.assets(["inventory", "stock_holds"], ["inventory", "reservations"]),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Ends holds and promises that ran out by the moment given, then calls orders that"
    " wait for what became free. Without a moment, only the second.",
)

FIGURES = ("lots", "atp", "valuations", "sku_classes")
"""Assets that are computed from stock, in order; `lots` takes out what expired."""

STOCK_KEEPING = dg.AssetSelection.assets(
    *(["inventory", name] for name in FIGURES),
    ["inventory", "feed_syncs"],
    *(["inventory", name] for name in ("counts", "units", "receipt_costs", "serials", "transfers")),
    *(["inventory", name] for name in ("expected_receipts", "safety_stocks", "channel_buffers")),
)
"""Assets of stock keeping; no order waits for them, so the order path goes without."""

INVENTORY_STOCK_FEEDS = dg.define_asset_job(
    "inventory_stock_feeds",
    selection=dg.AssetSelection.assets(["inventory", "feed_syncs"]),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Applies the stock feeds that a run is given: what differs moves, the rest is left"
    " alone.",
)

INVENTORY_STOCK_FIGURES = dg.define_asset_job(
    "inventory_stock_figures",
    selection=dg.AssetSelection.assets(*(["inventory", name] for name in FIGURES)),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Takes out what expired, then renews what may be promised, what stock is worth and"
    " how it sells, with their checks.",
)


@dg.schedule(
    name="inventory_stock_figures_nightly",
    job=INVENTORY_STOCK_FIGURES,
    # Before the shop's daily run, which checks what was made.
    cron_schedule="15 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Runs `inventory_stock_figures` every night as of 03:15 UTC.",
)
def inventory_stock_figures_nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The run of a night, as of the moment it was planned for."""
    as_of = {"config": {"as_of": context.scheduled_execution_time.isoformat()}}
    return dg.RunRequest(run_config={"ops": {f"inventory__{name}": as_of for name in FIGURES}})


JOBS = [INVENTORY_PROMISES, INVENTORY_STOCK_FEEDS, INVENTORY_STOCK_FIGURES, *replenishment.JOBS]
SCHEDULES = [inventory_stock_figures_nightly, *replenishment.SCHEDULES]
