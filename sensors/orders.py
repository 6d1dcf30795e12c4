"""Messages or changes arrived: start the decisions or the order path, one run of each."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import dagster as dg
import sqlalchemy as sa

from ecom_assets.orders.store import figures
from ecom_assets.shared import workers
from jobs.orders import ORDERS_FLOW, orders_decisions
from resources.database import DatabaseResource

POLL_SECONDS = 5
"""How often the inbox is looked at; Dagster's sensor loop wakes no more often."""

GIVEN_UP_AFTER = timedelta(hours=1)
"""A run in progress this long is taken for dead and no longer waited for. Should it live after all,
both runs are safe: they claim different rows."""

FIRST_PAUSE = timedelta(seconds=5)
"""Pause after a run that failed; it doubles with every further one in a row. A worker that was
killed or a database that was away for a moment must not keep orders waiting."""

LONGEST_PAUSE = timedelta(minutes=1)
"""A run that fails at once must not be started again every few seconds."""

_LOOKED_BACK = 5
"""Latest runs looked at: that many failures in a row make the longest pause."""

FOLLOW_EVERY = timedelta(minutes=1)
"""Least time between two runs of the order path: with all its checks it costs as much for one order
as for thousands, and nobody waits for what it does as for a decision."""

_JOBS = (orders_decisions.name, ORDERS_FLOW.name)

# A run that is being cancelled still holds its chunk; what it leaves is started when it has ended.
_IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    jobs=[orders_decisions, ORDERS_FLOW],
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the decisions when messages wait in the inbox, accepted orders are to be"
    " cancelled or edited, or a run that ended early left orders behind; and the order path when"
    " decisions are to be carried out, at most once a minute. One run takes all that waits.",
)
def orders_arrived(
    context: dg.SensorEvaluationContext, database: DatabaseResource
) -> list[dg.RunRequest] | dg.SkipReason:
    """Ask for one run of each job for which anything waits and no run is in progress.

    There is no cursor and no run key: what waits is found by its state, so that a message whose
    transaction commits after one with a larger id is not missed.
    """
    # The wall clock is right here: it says whether a process is alive, not what a rule decides.
    now = datetime.now(UTC)
    with database.begin() as conn:
        waiting = figures.waiting(conn)
        wanted = {
            orders_decisions.name: (waiting.messages, waiting.deciding, waiting.changes),
            ORDERS_FLOW.name: (waiting.following,),
        }
        due = [name for name in _JOBS if any(wanted[name])]
        reasons = {name: _reason_to_wait(context.instance, conn, name, now) for name in due}
    # For people who read the list of runs; no rule reads the tag.
    requests = [
        dg.RunRequest(job_name=name, tags={"ecom/waiting": _told(waiting, name)})
        for name in due
        if not reasons[name]
    ]
    held_back = "; ".join(str(reasons[name]) for name in due)
    return requests or dg.SkipReason(held_back or "nothing waits")


def _told(waiting: figures.Waiting, job: str) -> str:
    if job == ORDERS_FLOW.name:
        return f"{waiting.following} steps"
    return f"{waiting.messages} messages, {waiting.deciding} steps, {waiting.changes} changes"


def _reason_to_wait(
    instance: dg.DagsterInstance, conn: sa.Connection, job: str, now: datetime
) -> str | None:
    started = dg.RunsFilter(job_name=job, statuses=_IN_PROGRESS, created_after=now - GIVEN_UP_AFTER)
    # A run of a worker that is gone, or stopped, ends only when somebody finds it.
    running = [run for run in instance.get_runs(started) if not _is_lost(conn, run.run_id)]
    if running:
        return f"run {running[0].run_id} is in progress; it takes what arrives meanwhile"
    latest = instance.get_run_records(dg.RunsFilter(job_name=job), limit=_LOOKED_BACK)
    if job == ORDERS_FLOW.name and latest and not _has_failed(latest[0]):
        rest = datetime.fromtimestamp(latest[0].end_time or 0, UTC) + FOLLOW_EVERY - now
        return None if rest <= timedelta(0) else f"the order path goes on in {rest.seconds} s"
    failures = list(takewhile(_has_failed, latest))
    # A success after a failure has made it good.
    if not failures:
        return None
    pause = min(FIRST_PAUSE * 2 ** (len(failures) - 1), LONGEST_PAUSE)
    # A failed run without an end was never seen to fail; from 1970 its pause is long over.
    ended_at = datetime.fromtimestamp(failures[0].end_time or 0, UTC)
    wait = ended_at + pause - now
    return None if wait <= timedelta(0) else f"the last run failed; next try in {wait.seconds} s"


def _is_lost(conn: sa.Connection, run_id: str) -> bool:
    holder = workers.holder(conn, run_id)
    return holder is not None and not holder.is_alive


def _has_failed(record: dg.RunRecord) -> bool:
    return record.dagster_run.status is dg.DagsterRunStatus.FAILURE


SENSORS = [orders_arrived]
