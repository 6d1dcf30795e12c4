"""Effects wait: start a dispatch, at most one at a time."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from ecom_assets.effects import store
from jobs.effects import EFFECTS_DISPATCH
from resources.database import DatabaseResource
from resources.mail import MailResource

POLL_SECONDS = 15
"""How often the outbox is looked at."""

PAUSE_AFTER_OUTAGE = timedelta(minutes=5)
"""After a run that failed, or that could not reach the other side."""

GIVEN_UP_AFTER = timedelta(hours=1)
"""A run in progress this long is taken for dead; should it live, two dispatches do no harm."""

_OUTAGE_TAG = "ecom/outage"
_IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    job=EFFECTS_DISPATCH,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a dispatch when effects are due or in doubt, or a killed dispatch left"
    " some behind; says what is missing where nothing can be sent.",
)
def effects_waiting(
    context: dg.SensorEvaluationContext, database: DatabaseResource, mail: MailResource
) -> dg.RunRequest | dg.SkipReason:
    """Ask for one run if it could do anything."""
    # The wall clock is right here: it spaces runs, it decides nothing about an order.
    if reason := _reason_to_wait(context.instance, datetime.now(UTC)):
        return dg.SkipReason(reason)
    with database.begin() as conn:
        waiting = store.waiting(conn)
    if waiting.sending or waiting.in_doubt or (waiting.ready and not mail.problem):
        return dg.RunRequest()
    if waiting.ready:
        return dg.SkipReason(f"degraded: {mail.problem}; {waiting.ready} effects wait")
    return dg.SkipReason("nothing waits")


def _reason_to_wait(instance: dg.DagsterInstance, now: datetime) -> str | None:
    started = dg.RunsFilter(
        job_name=EFFECTS_DISPATCH.name, statuses=_IN_PROGRESS, created_after=now - GIVEN_UP_AFTER
    )
    if running := instance.get_runs(started, limit=1):
        return f"run {running[0].run_id} is in progress"
    latest = instance.get_run_records(dg.RunsFilter(job_name=EFFECTS_DISPATCH.name), limit=1)
    if not latest:
        return None
    run = latest[0].dagster_run
    if run.status is not dg.DagsterRunStatus.FAILURE and _OUTAGE_TAG not in run.tags:
        return None
    wait = datetime.fromtimestamp(latest[0].end_time or 0, UTC) + PAUSE_AFTER_OUTAGE - now
    is_over = wait <= timedelta(0)
    return None if is_over else f"the last run could not send; next try in {wait.seconds} s"


SENSORS = [effects_waiting]
