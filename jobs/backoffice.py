"""The platform's own upkeep."""

import dagster as dg

BACKOFFICE_PURGE = dg.define_asset_job(
    "backoffice_purge",
    selection=dg.AssetSelection.assets(["backoffice", "purges"]),
    executor_def=dg.in_process_executor,
    tags={"ecom/lane": "chores"},
    description="Removes old runs, events and logs from Dagster's own database, so that it stays as"
    " large as the time for which they are kept.",
)


@dg.schedule(
    name="backoffice_purge_hourly",
    job=BACKOFFICE_PURGE,
    # Often, since a busy shop makes thousands of runs in an hour and cost follows what is removed.
    cron_schedule="40 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Removes old run history every hour.",
)
def purge_hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Count the days back from the schedule's own moment, however late it is evaluated."""
    as_of = context.scheduled_execution_time.isoformat()
    return dg.RunRequest(run_config={"ops": {"backoffice__purges": {"config": {"as_of": as_of}}}})


JOBS = [BACKOFFICE_PURGE]
SCHEDULES = [purge_hourly]
