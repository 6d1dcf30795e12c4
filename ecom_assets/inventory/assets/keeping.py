"""Assets of stock keeping: feeds of locations, lots that expire, and what people say."""

from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.inventory import store
from ecom_assets.inventory.feed_files import UnusableFeed, feed_key, open_feed, require_column
from ecom_assets.inventory.model import Feed, FeedKind, SyncReport
from ecom_assets.inventory.tables import (
    CHANNEL_BUFFERS,
    COUNTS,
    EXPECTED_RECEIPTS,
    FEED_SYNCS,
    LOTS,
    RECEIPT_COSTS,
    SAFETY_STOCKS,
    SERIALS,
    TRANSFERS,
    UNITS,
)
from ecom_assets.shared import metadata
from ecom_assets.shared.quarantine import QUARANTINE
from resources.database import DatabaseResource
from resources.retry import retried


class FeedsConfig(dg.Config):
    """Files that a run applies.

    Attributes:
        files: one mapping per file, in the order of applying: `path`, `site_code`, `kind`, `as_of`
            (ISO 8601 with an offset), `origin`, by which the sensor knows the file again, and
            `stated_as_of`, the moment again if the file itself names it, else empty.
    """

    files: list[dict[str, str]] = []


@dg.asset(
    key=["inventory", "feed_syncs"],
    deps=[dg.AssetKey(["warehouse", "sites"]), dg.AssetKey(["catalog", "products"])],
    kinds={"postgres"},
    description="Stock feeds of the locations, applied for what differs: snapshots, deltas and"
    " changes. A run is given the files; without any it shows what came lately.",
)
def feed_syncs(
    context: dg.AssetExecutionContext, config: FeedsConfig, database: DatabaseResource
) -> dg.MaterializeResult[Any]:
    """Apply the files of the run's configuration, each in a transaction of its own."""
    totals: Counter[str] = Counter()
    for given in config.files:
        report = retried(partial(_apply, database, given, context.run.run_id))
        context.log.info("%s: %s", given["path"], report)
        totals.update(_counts(report))
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, FEED_SYNCS, totals),
                "newest": metadata.preview(conn, _NEWEST_SYNCS),
                "newest_parked_rows": metadata.preview(conn, _PARKED_ROWS),
            }
        )


_NEWEST_SYNCS = sa.select(
    *(FEED_SYNCS.c[name] for name in ("site_code", "kind", "observed_as_of", "state", "reason")),
    *(FEED_SYNCS.c[name] for name in ("rows_read", "rows_applied", "rows_unchanged")),
    *(FEED_SYNCS.c[name] for name in ("rows_parked", "skus_absent", "units_in", "units_out")),
).order_by(FEED_SYNCS.c.sync_id.desc())
_PARKED_ROWS = (
    sa.select(*(QUARANTINE.c[name] for name in ("subject", "row_number", "reason", "detail")))
    .where(QUARANTINE.c.source.startswith("stock feed "), QUARANTINE.c.state == "parked")
    .order_by(QUARANTINE.c.quarantine_id.desc())
)


def _apply(database: DatabaseResource, given: dict[str, str], run: str) -> SyncReport:
    """Apply one file; one that is no feed is put on record as refused."""
    path, as_of = Path(given["path"]), datetime.fromisoformat(given["as_of"])
    kind = FeedKind(given["kind"])
    with database.begin() as conn:
        try:
            file = open_feed(path)
            require_column(file, "change" if kind is FeedKind.CHANGES else "quantity")
            store.stage_file(conn, file)
        except UnusableFeed as error:
            feed = Feed(given["site_code"], kind, given["origin"], as_of, given["origin"])
            return store.refuse_feed(conn, feed, run, f"unusable: {error}")
        key = feed_key(file.digest, given.get("stated_as_of", ""))
        feed = Feed(given["site_code"], kind, key, as_of, given["origin"])
        return store.sync_stock(conn, feed, run)


def _counts(report: SyncReport) -> dict[str, int]:
    if report.is_repeat:
        return {"repeated_feeds": 1}
    if report.refused:
        return {"refused_feeds": 1}
    return {
        "applied_feeds": 1,
        "rows_read": report.rows_read,
        "rows_applied": report.rows_applied,
        "rows_unchanged": report.rows_unchanged,
        "rows_parked": report.rows_parked,
    }


class LotsConfig(dg.Config):
    """Which lots a run takes out.

    Attributes:
        as_of: business moment, ISO 8601 with an offset; lots that expired by then are taken out.
            None are where it is not given.
    """

    as_of: str | None = None


@dg.asset(
    key=["inventory", "lots"],
    deps=[dg.AssetKey(["inventory", "balances"])],
    kinds={"postgres"},
    description="Lots and what is left of each, first expired first. Given a moment, a run takes"
    " out what expired by then.",
)
def lots(config: LotsConfig, database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """Take out expired lots, and show which are to be picked next."""
    totals: Counter[str] = Counter()
    if config.as_of is not None:
        totals.update(retried(partial(_write_off, database, config.as_of)))
    with database.begin() as conn:
        return dg.MaterializeResult(
            metadata={
                **metadata.advanced(conn, LOTS, totals),
                "expiring_next": metadata.preview(conn, _EXPIRING),
            }
        )


_LEFT = store.LOTS_LEFT.subquery("live")
_EXPIRING = (
    sa.select(*(_LEFT.c[name] for name in ("sku", "site_code", "lot_code", "expires_at")))
    .add_columns(_LEFT.c.units_left)
    .where(_LEFT.c.expires_at.is_not(None), _LEFT.c.units_left > 0)
    .order_by(_LEFT.c.expires_at, _LEFT.c.sku, _LEFT.c.lot_id)
)


def _write_off(database: DatabaseResource, as_of: str) -> dict[str, int]:
    with database.begin() as conn:
        return store.write_off_expired(conn, datetime.fromisoformat(as_of).astimezone(UTC))


def _told(table: sa.Table, by_whom: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["inventory", table.name], kinds={"postgres"}, description=f"{table.comment} {by_whom}"
    )


TOLD = [
    _told(COUNTS, "Taken by `take_counts`, approved by people."),
    _told(UNITS, "Said by people and suppliers."),
    _told(RECEIPT_COSTS, "Brought by receipts."),
    _told(SERIALS, "Brought by receipts."),
    _told(TRANSFERS, "Sent and received by sites."),
    _told(EXPECTED_RECEIPTS, "Said by purchasing; closed by receipts."),
    _told(SAFETY_STOCKS, "Set by people and policies."),
    _told(CHANNEL_BUFFERS, "Set by people."),
]

ASSETS = [feed_syncs, lots, *TOLD]
