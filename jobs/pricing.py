"""Repricing, weekly elasticities, and what people start: markdown plans and backtests."""

import dagster as dg

_LANE = {"ecom/lane": "chores"}

PRICING_REPRICE = dg.define_asset_job(
    "pricing_reprice",
    selection=dg.AssetSelection.assets(
        ["pricing", "price_plans"], ["pricing", "plan_lines"], ["pricing", "prices"]
    ),
    executor_def=dg.in_process_executor,
    tags=_LANE,
    description="Reprices every list into plans, checks them, and applies those of automatic lists"
    " that pass and need no approval.",
)
PRICING_ELASTICITY = dg.define_asset_job(
    "pricing_elasticity",
    selection=dg.AssetSelection.assets(["pricing", "elasticities"]),
    executor_def=dg.in_process_executor,
    tags=_LANE,
    description="Estimates how demand answers to price, per product.",
)
PRICING_MARKDOWN = dg.define_asset_job(
    "pricing_markdown",
    selection=dg.AssetSelection.assets(["pricing", "markdown_plans"]),
    executor_def=dg.in_process_executor,
    tags=_LANE,
    description="Plans how to clear the stocks named in the run's configuration.",
)
PRICING_BACKTEST = dg.define_asset_job(
    "pricing_backtest",
    selection=dg.AssetSelection.assets(["pricing", "backtests"]),
    executor_def=dg.in_process_executor,
    tags=_LANE,
    description="Tries rules on the past of a channel; nothing becomes live.",
)


@dg.schedule(
    name="pricing_daily",
    job=PRICING_REPRICE,
    cron_schedule="5 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Reprices every night at 02:05 UTC.",
)
def pricing_daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Ask for prices as of the schedule's own moment, however late it is evaluated."""
    as_of = context.scheduled_execution_time.isoformat()
    return dg.RunRequest(run_config={"ops": {"price_plans": {"config": {"as_of": as_of}}}})


@dg.schedule(
    name="pricing_weekly_elasticity",
    job=PRICING_ELASTICITY,
    cron_schedule="20 1 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Estimates elasticities every Monday at 01:20 UTC.",
)
def pricing_weekly_elasticity(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Look at the orders until the schedule's own moment."""
    as_of = context.scheduled_execution_time.isoformat()
    return dg.RunRequest(
        run_config={"ops": {"pricing__elasticities": {"config": {"as_of": as_of}}}}
    )


JOBS = [PRICING_REPRICE, PRICING_ELASTICITY, PRICING_MARKDOWN, PRICING_BACKTEST]
SCHEDULES = [pricing_daily, pricing_weekly_elasticity]
