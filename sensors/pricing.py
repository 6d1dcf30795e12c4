"""Costs or competitors' offers came: reprice once for all that came, one run at a time."""

from datetime import UTC, datetime

import dagster as dg

from ecom_assets.pricing.store import channels, waiting
from jobs.pricing import PRICING_REPRICE
from resources.database import DatabaseResource

POLL_SECONDS = 60
"""Feeds come a few times a day, several at once."""

PARTITIONS = "pricing_channels"
"""Name of the partitions by channel that backtests have."""

_IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    job=PRICING_REPRICE,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reprices when costs or competitors' offers came that no repricing has seen.",
)
def pricing_feeds_arrived(
    context: dg.SensorEvaluationContext, database: DatabaseResource
) -> dg.RunRequest | dg.SkipReason:
    """Ask for one run for all feeds that wait.

    They are found by their state, so that one whose transaction commits late is not missed; the
    run marks those it saw.
    """
    under_way = dg.RunsFilter(job_name=PRICING_REPRICE.name, statuses=_IN_PROGRESS)
    if running := context.instance.get_runs(under_way, limit=1):
        return dg.SkipReason(f"run {running[0].run_id} is in progress")
    with database.begin() as conn:
        feeds, known = waiting(conn), channels(conn)
    if not feeds:
        return dg.SkipReason("no feeds wait")
    if fresh := set(known) - set(context.instance.get_dynamic_partitions(PARTITIONS)):
        context.instance.add_dynamic_partitions(PARTITIONS, sorted(fresh))
    # The wall clock is read here and nowhere below: the run is given the moment and keeps it.
    as_of = datetime.now(UTC).isoformat()
    told = ", ".join(f"{number} of {kind}" for kind, number in feeds.items())
    return dg.RunRequest(
        run_config={"ops": {"price_plans": {"config": {"as_of": as_of}}}},
        tags={"ecom/waiting": told},
    )


SENSORS = [pricing_feeds_arrived]
