"""The order path as one job, and the nightly replay of parked messages."""

import dagster as dg

PATH = (
    "orders", "catalog", "customers", "payments", "fraud", "risk", "inventory", "warehouse",
    "transport", "documents", "quality",
)  # fmt: skip
"""Areas an order passes through, and the one that reconciles them."""

ORDERS_FLOW = dg.define_asset_job(
    "orders_flow",
    selection=dg.AssetSelection.groups(*PATH),
    # A process per step would cost more than most steps of a small run take.
    executor_def=dg.in_process_executor,
    tags={"path": "orders"},
    description="Takes every pending order from the inbox to its documents, with all checks of the"
    " areas it passes. Advances what waits and leaves everything else alone.",
)

ORDERS_REPLAY_PARKED = dg.define_asset_job(
    "orders_replay_parked",
    selection=dg.AssetSelection.assets(["orders", "inbox"]),
    executor_def=dg.in_process_executor,
    config={"ops": {"orders__inbox": {"config": {"replay_parked": True}}}},
    tags={"path": "orders"},
    description="Puts parked messages whose cause is gone, such as a SKU the catalog has learned,"
    " back to pending; the sensor then starts the order path.",
)

JOBS = [ORDERS_FLOW, ORDERS_REPLAY_PARKED]
SCHEDULES = [
    dg.ScheduleDefinition(
        name="orders_replay_parked_nightly",
        job=ORDERS_REPLAY_PARKED,
        # Before the marts and the daily run, so that what is accepted after all is in both.
        cron_schedule="15 2 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Gives parked messages another chance every night at 02:15 UTC.",
    )
]
