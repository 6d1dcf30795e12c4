"""Stock became free or a promise ran out: serve those that wait. A stock feed came: apply it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from ecom_assets.inventory import store
from ecom_assets.inventory.feed_folder import FoundFeed, find_feeds
from jobs.inventory import INVENTORY_PROMISES, INVENTORY_STOCK_FEEDS
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


FOLDER_VARIABLE = "ECOM_STOCK_FOLDER"
"""Names the folder that is watched; `stock` in the platform's home, if not set."""

SETTLED = timedelta(seconds=10)
"""A file written later than so long ago may still be written to."""

MOST_FILES = 20
"""Files that one run applies; the next tick asks for the rest."""


@dg.sensor(
    job=INVENTORY_STOCK_FEEDS,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts `inventory_stock_feeds` for files that came into the folder of stock feeds,"
    " one folder per location, and that no run has dealt with.",
)
def inventory_stock_feed_arrived(
    context: dg.SensorEvaluationContext, database: DatabaseResource
) -> dg.RunRequest | dg.SkipReason:
    """Ask for one run if there are new files and no run is in progress.

    What was dealt with is told by `inventory.feed_syncs`, so no cursor can be ahead of the data.
    """
    folder = _folder()
    if folder is None:
        return dg.SkipReason(f"{FOLDER_VARIABLE} is not set, and there is no home")
    under_way = dg.RunsFilter(job_name=INVENTORY_STOCK_FEEDS.name, statuses=_IN_PROGRESS)
    if running := context.instance.get_runs(under_way, limit=1):
        return dg.SkipReason(f"run {running[0].run_id} is in progress")
    # The wall clock only tells whether a file is still being written.
    found = find_feeds(folder, datetime.now(UTC) - SETTLED)
    new, strange = _new(database, found)
    if new:
        files = [feed.as_config() for feed in new[:MOST_FILES]]
        config = {"inventory__feed_syncs": {"config": {"files": files}}}
        return dg.RunRequest(run_config={"ops": config})
    if strange:
        return dg.SkipReason(f"folders of no known location: {', '.join(strange)}")
    return dg.SkipReason(f"nothing new in {folder}")


def _folder() -> Path | None:
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named)
    home = os.environ.get("ECOM_HOME")
    return Path(home) / "stock" if home else None


def _new(database: DatabaseResource, found: list[FoundFeed]) -> tuple[list[FoundFeed], list[str]]:
    """Files that were not dealt with, and folders that are named after no location."""
    if not found:
        return [], []
    with database.begin() as conn:
        sites = set(store.known_sites(conn))
        known = store.known_origins(conn, [feed.origin for feed in found])
    strange = sorted({feed.site_code for feed in found} - sites)
    return [f for f in found if f.site_code in sites and f.origin not in known], strange


SENSORS = [inventory_stock_freed, inventory_stock_feed_arrived]
