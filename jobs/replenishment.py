"""Demand, forecasts and purchase proposals: daily, weekly and by the month."""

import dagster as dg

_HISTORY = dg.AssetSelection.assets(["inventory", "demand_history"])
_BACKTESTS = dg.AssetSelection.assets(["inventory", "forecast_backtests"])
_METHODS = dg.AssetSelection.assets(["inventory", "forecast_methods"])
_TRIALS = dg.AssetSelection.assets(["inventory", "policy_simulations"])
_DAILY = dg.AssetSelection.assets(
    ["inventory", "forecasts"],
    ["inventory", "reorder_policies"],
    ["inventory", "purchase_proposals"],
)

PLANNING = _HISTORY | _BACKTESTS | _METHODS | _TRIALS | _DAILY
"""Assets that look weeks ahead: no order waits for them, and they have jobs of their own."""

INVENTORY_REPLENISHMENT = dg.define_asset_job(
    "inventory_replenishment",
    selection=_HISTORY | _METHODS | _DAILY,
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Brings the demand history up to date, forecasts every SKU at every site, sets"
    " reorder points and proposes purchases. The models are trained once a week, on its first run.",
)

INVENTORY_BACKTESTS = dg.define_asset_job(
    "inventory_backtests",
    selection=_BACKTESTS,
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Forecasts the last weeks of a month from what was known before them, by every"
    " method. A backfill over months replays a past.",
)

INVENTORY_TRIALS = dg.define_asset_job(
    "inventory_trials",
    selection=_TRIALS,
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Plays replenishment policies through on the kept history: service against stock.",
)


@dg.schedule(
    name="inventory_backtests_monthly",
    job=INVENTORY_BACKTESTS,
    # After the daily run of the first of the month has brought the history up to date.
    cron_schedule="20 6 1 * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Backtests the month that ended.",
)
def backtest_month(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Ask for the partition of the month before the schedule's own moment."""
    first = context.scheduled_execution_time.replace(day=1)
    year, month = (first.year - 1, 12) if first.month == 1 else (first.year, first.month - 1)
    return dg.RunRequest(partition_key=f"{year:04d}-{month:02d}-01")


JOBS = [INVENTORY_REPLENISHMENT, INVENTORY_BACKTESTS, INVENTORY_TRIALS]

SCHEDULES = [
    dg.ScheduleDefinition(
        name="inventory_replenishment_daily",
        job=INVENTORY_REPLENISHMENT,
        cron_schedule="30 5 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Forecasts and proposes purchases every morning at 05:30 UTC.",
    ),
    dg.ScheduleDefinition(
        name="inventory_trials_weekly",
        job=INVENTORY_TRIALS,
        cron_schedule="50 5 * * 1",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Tries policies on the kept history every Monday at 05:50 UTC.",
    ),
    backtest_month,
]
