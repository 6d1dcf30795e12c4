"""The nightly refresh of the analysts' tables."""

import dagster as dg

marts_refresh = dg.define_asset_job(
    "marts_refresh",
    selection=dg.AssetSelection.groups("marts"),
    description="Builds and tests the analysts' tables with dbt.",
)

JOBS = [marts_refresh]
SCHEDULES = [
    dg.ScheduleDefinition(
        name="marts_nightly",
        job=marts_refresh,
        cron_schedule="30 3 * * *",
        execution_timezone="UTC",
        description="Refreshes the analysts' tables every night at 03:30 UTC.",
    )
]
