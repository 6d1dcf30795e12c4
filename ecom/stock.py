"""`ecom import stock`: the levels that a location sent, applied for what differs."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from ecom.problems import Problem
from ecom.settings import Settings
from ecom_assets.inventory import store
from ecom_assets.inventory.feed_files import (
    FeedFile,
    UnusableFeed,
    feed_key,
    open_feed,
    require_column,
)
from ecom_assets.inventory.model import Feed, FeedKind, SyncReport

TABLE = "table:"
"""What stands before the name of a table that is read instead of a file."""

_AHEAD = timedelta(days=1)
"""Levels of a moment further ahead than clocks and zones differ are a typing error."""


def take_in(
    settings: Settings,
    source: Path,
    site: str | None,
    is_delta: bool,
    as_of: str | None,
    may_shrink: bool = False,
) -> SyncReport:
    """Apply a stock feed.

    Args:
        settings: where the platform's files are.
        source: a CSV or XLSX file, or `table:schema.name`.
        site: code of the location.
        is_delta: whether it names only some SKUs; with a column `change` it holds changes.
        as_of: moment of the levels, ISO 8601; when the file was written, if not given.
        may_shrink: whether a snapshot may leave out most of what the location has.

    Raises:
        Problem: the file is no stock feed, the location is unknown, or the whole feed was refused.
    """
    from ecom.platform import opened

    moment = _moment(as_of)
    with opened(settings) as platform, platform.database.begin() as conn:
        _require_site(conn, site)
        try:
            feed = _stage(conn, source, str(site), is_delta, moment)
        except UnusableFeed as error:
            raise Problem(str(error)) from error
        report = store.sync_stock(conn, feed, f"import-{uuid.uuid4()}", may_shrink)
    if report.refused:
        hint = "; --may-shrink applies it all the same" if "shrunk" in report.refused else ""
        raise Problem(f"{source.name} was refused, {report.refused}{hint}")
    return report


def in_words(report: SyncReport) -> list[str]:
    """The account of a feed in lines for people."""
    lines = [
        f"{report.rows_read:,} rows = {report.rows_applied:,} applied"
        f" + {report.rows_unchanged:,} unchanged + {report.rows_parked:,} parked",
        f"{report.units_in:,} units came, {report.units_out:,} went;"
        f" {report.skus_absent:,} SKUs with stock were not named"
        f" ({report.absent_parked:,} kept, since promised)",
    ]
    if report.is_repeat:
        lines.insert(0, "this feed was applied before; nothing changed. Its account was:")
    return lines


def _moment(as_of: str | None) -> datetime | None:
    if as_of is None:
        return None
    try:
        moment = datetime.fromisoformat(as_of)
    except ValueError as error:
        raise Problem(f"{as_of!r} is no moment: write 2026-01-05T06:00:00+00:00") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > datetime.now(UTC) + _AHEAD:
        raise Problem(f"{as_of} has not come yet")
    return moment


def _require_site(conn: sa.Connection, site: str | None) -> None:
    known = store.known_sites(conn)
    if site not in known:
        shown = ", ".join(known[:20]) or "none yet"
        problem = f"there is no location {site}" if site else "name the location: --site CODE"
        raise Problem(f"{problem}; known: {shown}")


def _stage(
    conn: sa.Connection, source: Path, site: str, is_delta: bool, as_of: datetime | None
) -> Feed:
    name = str(source)
    if name.startswith(TABLE):
        return _stage_table(conn, name.removeprefix(TABLE), site, is_delta, as_of)
    file = open_feed(source)
    kind = _kind(file, is_delta)
    store.stage_file(conn, file)
    written = datetime.fromtimestamp(source.stat().st_mtime, UTC)
    key = feed_key(file.digest, as_of.isoformat() if as_of else "")
    return Feed(site, kind, key, as_of or written, f"{source.name}:{file.digest[:12]}")


def _kind(file: FeedFile, is_delta: bool) -> FeedKind:
    if is_delta and "quantity" not in file.columns and "change" in file.columns:
        return FeedKind.CHANGES
    require_column(file, "quantity")
    return FeedKind.DELTA if is_delta else FeedKind.SNAPSHOT


def _stage_table(
    conn: sa.Connection, name: str, site: str, is_delta: bool, as_of: datetime | None
) -> Feed:
    schema, dot, table = name.rpartition(".")
    if not sa.inspect(conn).has_table(table, schema=schema if dot else None):
        raise Problem(f"there is no table {name}")
    given = sa.Table(table, sa.MetaData(), schema=schema if dot else None, autoload_with=conn)
    names = {"sku", "quantity"} & set(given.c.keys())
    if names != {"sku", "quantity"}:
        raise Problem(f"{name} needs the columns sku and quantity")
    wanted = [given.c[column] for column in ("sku", "quantity", "unit") if column in given.c]
    store.stage_rows(conn, sa.select(*wanted))
    moment = as_of or datetime.now(UTC)
    kind = FeedKind.DELTA if is_delta else FeedKind.SNAPSHOT
    origin = f"{TABLE}{name}@{moment.isoformat()}"
    return Feed(site, kind, origin, moment, origin)
