"""The nightly refresh of the analysts' tables."""

import dagster as dg

MARTS_REFRESH = dg.define_asset_job(
    "marts_refresh",
    selection=dg.AssetSelection.groups("marts"),
    description="Builds and tests the analysts' tables with dbt.",
)

JOBS = [MARTS_REFRESH]
SCHEDULES = [
    dg.ScheduleDefinition(
        name="marts_nightly",
        job=MARTS_REFRESH,
        # After the replay of parked messages, before the checks of the daily run.
        cron_schedule="30 3 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Refreshes the analysts' tables every night at 03:30 UTC.",
    )
]
