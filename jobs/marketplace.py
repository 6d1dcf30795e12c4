"""Syncs of connections to sales channels, apart from the order path."""

import dagster as dg

MARKETPLACE_SYNC = dg.define_asset_job(
    "marketplace_sync",
    selection=dg.AssetSelection.assets(
        ["marketplace", "syncs"], ["marketplace", "listings"]
    ).without_checks(),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Syncs the connections that a run is given: orders and listings in, offers out."
    " A connection is synced by one run at a time; a killed sync is gone on with.",
)

JOBS = [MARKETPLACE_SYNC]
SCHEDULES: list[dg.ScheduleDefinition] = []
