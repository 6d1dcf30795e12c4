"""Promises of stock: end those that ran out, and serve orders whose stock came."""

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

JOBS = [INVENTORY_PROMISES, *replenishment.JOBS]
SCHEDULES = [*replenishment.SCHEDULES]
