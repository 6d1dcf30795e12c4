"""Stock became free or a promise ran out: serve those that wait."""

from datetime import UTC, datetime

import dagster as dg

from ecom_assets.inventory import store
from jobs.inventory import INVENTORY_PROMISES
from resources.database import DatabaseResource

POLL_SECONDS = 30
"""Promises run out after minutes or days, and orders have waited for their stock for longer."""

_IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    job=INVENTORY_PROMISES,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts `inventory_promises` when a hold or promise ran out, or when stock came"
    " that orders wait for.",
)
def inventory_stock_freed(
    context: dg.SensorEvaluationContext, database: DatabaseResource
) -> dg.RunRequest | dg.SkipReason:
    """Ask for one run if anything ran out or was restocked and no run is in progress."""
    under_way = dg.RunsFilter(job_name=INVENTORY_PROMISES.name, statuses=_IN_PROGRESS)
    if running := context.instance.get_runs(under_way, limit=1):
        return dg.SkipReason(f"run {running[0].run_id} is in progress")
    # The wall clock is read here and nowhere below: the run is given the moment and keeps it.
    now = datetime.now(UTC)
    with database.begin() as conn:
        is_due, are_noted = store.is_due(conn, now), store.are_noted(conn)
    if not (is_due or are_noted):
        return dg.SkipReason("nothing ran out and nobody's stock came")
    config = {"as_of": now.isoformat()} if is_due else {}
    return dg.RunRequest(run_config={"ops": {"inventory__stock_holds": {"config": config}}})


SENSORS = [inventory_stock_freed]
