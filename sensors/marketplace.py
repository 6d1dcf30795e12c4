"""Connections are due, or a person asked: sync each of them by a run of its own."""

from datetime import UTC, datetime

import dagster as dg

from ecom_assets.marketplace.store import syncs
from jobs.marketplace import MARKETPLACE_SYNC
from resources.database import DatabaseResource

POLL_SECONDS = 15
"""Longest wait of somebody who asks for a sync."""

MOST_RUNS = 5
"""Runs asked for at one tick; the next one asks for more."""

CONNECTION_TAG = "ecom/connection"
_IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    job=MARKETPLACE_SYNC,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts `marketplace_sync` for each connection whose time has come (its option"
    " `sync_every_minutes`) or whose sync a person asked for.",
)
def marketplace_syncs_due(
    context: dg.SensorEvaluationContext, database: DatabaseResource
) -> list[dg.RunRequest] | dg.SkipReason:
    """Ask for a run per connection that is due and has none under way."""
    # The wall clock is read here and nowhere below: the run is given the moment and keeps it.
    now = datetime.now(UTC)
    with database.begin() as conn:
        due = syncs.due(conn, now)
    if not due:
        return dg.SkipReason("no connection is due")
    under_way = _under_way(context.instance)
    ready = [key for key in due if str(key) not in under_way][:MOST_RUNS]
    if not ready:
        return dg.SkipReason("every connection that is due has a run under way")
    return [_request(key, now) for key in ready]


def _under_way(instance: dg.DagsterInstance) -> frozenset[str]:
    runs = instance.get_runs(
        dg.RunsFilter(job_name=MARKETPLACE_SYNC.name, statuses=_IN_PROGRESS), limit=500
    )
    return frozenset(run.tags.get(CONNECTION_TAG, "") for run in runs)


def _request(key: int, now: datetime) -> dg.RunRequest:
    config = {"connections": [key], "as_of": now.isoformat()}
    return dg.RunRequest(
        run_config={"ops": {"marketplace": {"config": config}}}, tags={CONNECTION_TAG: str(key)}
    )


SENSORS = [marketplace_syncs_due]
