"""The removal of old run history as an asset."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.backoffice.store import purges as store
from ecom_assets.backoffice.tables import PURGES
from ecom_assets.shared import metadata, shop_settings
from ecom_assets.shared.shop_settings import HISTORY_DAYS, HISTORY_RUNS
from resources.database import DatabaseResource
from resources.history import HistoryResource

_SHOWN = ("recorded_at", "runs", "events", "evaluations", "bytes_before", "bytes_after")
_NEWEST = sa.select(*(PURGES.c[name] for name in _SHOWN)).order_by(PURGES.c.purge_id.desc())


class PurgeConfig(dg.Config):
    """What a run removes, where it differs from what the shop set or the environment says.

    Attributes:
        keep_days: days for which runs that ended are kept.
        most_runs: runs kept of each job and ending (success, failure), however young.
        as_of: moment from which the days are counted back, ISO 8601; now, if not given.
    """

    keep_days: int | None = None
    most_runs: int | None = None
    as_of: str | None = None


@dg.asset(
    key=["backoffice", "purges"],
    kinds={"postgres"},
    description="Removes runs that ended long ago from Dagster's own database, with their events,"
    " check results and logs. What the shop itself has on record stays: the ledger names the runs"
    " that decided, also those that are gone.",
)
def purges(
    context: dg.AssetExecutionContext,
    config: PurgeConfig,
    database: DatabaseResource,
    history: HistoryResource,
) -> dg.MaterializeResult[Any]:
    """Remove what is older than the limits and show what that made of the database's size."""
    engine = history.engine_of(context.instance)
    if engine is None:
        reason = "Dagster's storage is not in PostgreSQL; its history grows without bounds"
        context.log.warning(reason)
        return dg.MaterializeResult(metadata={"degraded": reason})
    with database.begin() as conn:
        limits = _limits(config, history, shop_settings.read(conn, HISTORY_DAYS, HISTORY_RUNS))
    forget = partial(history.forget_logs, context.instance)
    with engine.begin() as conn:
        before = store.size_bytes(conn)
    totals = store.purge_runs(engine.begin, limits, forget, context.log.info)
    if totals.total():
        store.free_pages(engine)
    with engine.begin() as conn:
        after = store.size_bytes(conn)
    with database.begin() as conn:
        if totals.total():
            store.record(conn, limits, totals, (before, after), context.run.run_id)
        shown = metadata.advanced(conn, PURGES, totals)
        shown |= {"megabytes_before": before / 1e6, "megabytes_after": after / 1e6}
        shown["newest"] = metadata.preview(conn, _NEWEST)
    return dg.MaterializeResult(metadata=shown)


def _limits(config: PurgeConfig, history: HistoryResource, kept: list[Any]) -> store.Limits:
    """What the run is given comes before what the shop set, and that before the environment."""
    # The wall clock is right here: it dates the platform's own runs, nothing of the shop.
    now = datetime.fromisoformat(config.as_of) if config.as_of else datetime.now(UTC)
    days = _first(config.keep_days, kept[0], history.keep_days)
    most = _first(config.most_runs, kept[1], history.most_runs)
    if days < 0 or most < 1:
        raise dg.Failure(
            f"keep_days is {days}, at least 0 is needed; most_runs is {most}, at least 1"
        )
    return store.Limits(now - timedelta(days=days), most)


def _first(*given: int | None) -> int:
    return next(each for each in given if each is not None)
