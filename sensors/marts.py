"""Orders were decided since the marts were built: build them again, not more often than needed."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from jobs.marts import MARTS_REFRESH
from jobs.orders import ORDERS_FLOW

POLL_SECONDS = 60
"""How often the runs are looked at."""

LEAST_APART = timedelta(minutes=10)
"""A refresh builds every mart anew, so a busy shop is refreshed in batches."""


@dg.sensor(
    job=MARTS_REFRESH,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Refreshes the analysts' tables after the order path ran, at most every ten"
    " minutes.",
)
def marts_outdated(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for a refresh if the order path ended after the last refresh began."""
    decided = _latest(context.instance, ORDERS_FLOW.name, [dg.DagsterRunStatus.SUCCESS])
    if decided is None:
        return dg.SkipReason("the order path has not run yet")
    refreshed = _latest(context.instance, MARTS_REFRESH.name, None)
    if refreshed is None:
        return dg.RunRequest()
    has_failed = refreshed.dagster_run.status is dg.DagsterRunStatus.FAILURE
    if not has_failed and (refreshed.start_time or 0) >= (decided.end_time or 0):
        return dg.SkipReason("the marts are up to date")
    # The wall clock is right here: it spaces runs, it decides nothing about an order.
    wait = refreshed.create_timestamp + LEAST_APART - datetime.now(UTC)
    if wait > timedelta(0):
        return dg.SkipReason(f"refreshed a moment ago; next refresh in {wait.seconds} s")
    return dg.RunRequest()


def _latest(
    instance: dg.DagsterInstance, job: str, statuses: list[dg.DagsterRunStatus] | None
) -> dg.RunRecord | None:
    records = instance.get_run_records(dg.RunsFilter(job_name=job, statuses=statuses), limit=1)
    return records[0] if records else None


SENSORS = [marts_outdated]
