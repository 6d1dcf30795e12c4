"""The order path, changes of accepted orders, the end of holds, the replay of parked messages."""

import dagster as dg

PATH = (
    "orders", "catalog", "customers", "payments", "fraud", "risk", "inventory", "warehouse",
    "transport", "documents", "quality",
)  # fmt: skip
"""Areas an order passes through, and the one that reconciles them."""

CHANGE_STEPS = (
    "orders/changes", "warehouse/withdrawals", "inventory/releases", "orders/settlements",
    "payments/planned_releases",
)  # fmt: skip
"""Assets that carry out cancellations and edits, in order."""

_CHANGING = dg.AssetSelection.assets(*(step.split("/") for step in CHANGE_STEPS))
_HOLDS = dg.AssetSelection.assets(["orders", "holds"])

ORDERS_FLOW = dg.define_asset_job(
    "orders_flow",
    # Changes have a job of their own: few orders are changed, and the path should not be longer.
    selection=dg.AssetSelection.groups(*PATH) - _CHANGING - _HOLDS,
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

ORDERS_CHANGES = dg.define_asset_job(
    "orders_changes",
    selection=_CHANGING,
    executor_def=dg.in_process_executor,
    tags={"path": "changes"},
    description="Carries out cancellations and edits of accepted orders: takes back what was"
    " decided, then ends the order or lets the order path decide it anew.",
)

ORDERS_RELEASE_HOLDS = dg.define_asset_job(
    "orders_release_holds",
    selection=_HOLDS,
    executor_def=dg.in_process_executor,
    tags={"path": "changes"},
    description="Ends the holds that expired by the given moment; the sensor then starts the order"
    " path.",
)


@dg.schedule(
    name="orders_release_holds_often",
    job=ORDERS_RELEASE_HOLDS,
    cron_schedule="*/10 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Ends expired holds every ten minutes.",
)
def release_holds(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """End what expired by the schedule's own moment, however late it is evaluated."""
    as_of = context.scheduled_execution_time.isoformat()
    return dg.RunRequest(run_config={"ops": {"orders__holds": {"config": {"as_of": as_of}}}})


JOBS = [ORDERS_FLOW, ORDERS_REPLAY_PARKED, ORDERS_CHANGES, ORDERS_RELEASE_HOLDS]
SCHEDULES = [
    release_holds,
    dg.ScheduleDefinition(
        name="orders_replay_parked_nightly",
        job=ORDERS_REPLAY_PARKED,
        # Before the marts and the daily run, so that what is accepted after all is in both.
        cron_schedule="15 2 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Gives parked messages another chance every night at 02:15 UTC.",
    ),
]
