"""Feed syncs: a location's levels or changes become movements, for what differs and nothing else.

Rules. The same feed (location and key) is applied once; given again it changes nothing, unless rows
of it were parked: then it is compared anew, and what can be used by now is. Levels older than those
last applied at the location are refused as a whole; changes may come late and are dated back. What
a snapshot does not name goes to zero. Whatever orders are promised stays: a row that would take it
is parked.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ecom_assets.inventory.model import Feed, FeedKind, SyncReport
from ecom_assets.inventory.store.feed_comparison import compare
from ecom_assets.inventory.store.restocks import note_freed, open_freed
from ecom_assets.inventory.tables import FEED_SYNCS
from ecom_assets.shared.quarantine import PARKED_COLUMNS, QUARANTINE, park, settle

SHRINKS_FROM = 20
"""SKUs with stock from which on a snapshot that names less than half of them is refused."""

# Feeds of one site go one after the other; before any stock is locked.
_TURN = sa.text("SELECT pg_advisory_xact_lock(hashtext('inventory.feed'), hashtext(:site))")
_SAME = sa.text("""
    SELECT * FROM inventory.feed_syncs WHERE site_code = :site AND feed_key = :key
    ORDER BY attempt DESC LIMIT 1
""")
_ALSO_FROM = sa.text("""
    UPDATE inventory.feed_syncs SET origins = origins || CAST(:origin AS text)
    WHERE sync_id = :sync AND NOT :origin = ANY(origins)
""")
_LAST_LEVELS = sa.text("""
    SELECT max(observed_as_of) FROM inventory.feed_syncs
    WHERE site_code = :site AND state = 'applied' AND kind <> 'changes'
""")
_STAGED = sa.text("SELECT count(*) FROM stock_feed")
# What the comparison found left out; SKUs that were empty already do not count.
_LEFT_OUT = sa.text("""
    SELECT count(*) FROM feed_difference AS d
    JOIN inventory.balances AS b ON b.sku = d.sku AND b.site_code = :site
    WHERE d.is_absent AND b.on_hand > 0
""")
_STOCKED = sa.text("""
    SELECT count(*) FROM inventory.balances WHERE site_code = :site AND on_hand > 0
""")

_POST = (
    sa.text("""
        INSERT INTO inventory.movements (sku, site_code, kind, quantity, moved_at, reference)
        SELECT sku, :site, :kind, quantity, :as_of, :reference
        FROM feed_move WHERE reason IS NULL ORDER BY sku
    """),
    sa.text("""
        UPDATE inventory.balances AS b
        SET on_hand = b.on_hand + m.quantity, moved_at = greatest(b.moved_at, :as_of)
        FROM feed_move AS m
        WHERE m.reason IS NULL AND b.sku = m.sku AND b.site_code = :site
    """),
    sa.text("""
        INSERT INTO inventory.balances (sku, site_code, on_hand, sold, moved_at)
        SELECT m.sku, :site, m.quantity, 0, :as_of
        FROM feed_move AS m
        WHERE m.reason IS NULL AND m.sku IN (SELECT sku FROM feed_difference WHERE is_new)
            AND NOT EXISTS (
                SELECT FROM inventory.balances AS b WHERE b.sku = m.sku AND b.site_code = :site
            )
    """),
    sa.text("""
        UPDATE inventory.positions AS p SET on_hand = p.on_hand + m.quantity
        FROM feed_move AS m WHERE m.reason IS NULL AND p.sku = m.sku
    """),
    sa.text("""
        INSERT INTO freed SELECT sku, CAST(:as_of AS timestamptz)
        FROM feed_move WHERE reason IS NULL AND quantity > 0
    """),
)

# Rows are numbered by their place only where some are parked: numbering all costs a sort.
_PARKED = sa.text("""
    WITH numbered AS (
        SELECT ctid AS place, coalesce(row_no, row_number() OVER (ORDER BY ctid)) AS number,
            sku, quantity, change, unit, record
        FROM stock_feed
    )
    SELECT CAST(:source AS text) AS source, coalesce(n.number, 0) AS row_number,
        concat_ws('/', CAST(:site AS text), d.sku) AS subject, d.reason, d.detail,
        jsonb_strip_nulls(jsonb_build_object(
            'sku', coalesce(n.sku, d.sku), 'quantity', n.quantity, 'change', n.change,
            'unit', n.unit, 'record', n.record, 'is_absent', nullif(d.is_absent, false)
        )) AS row
    FROM feed_difference AS d LEFT JOIN numbered AS n ON n.place = d.place
    WHERE d.reason IS NOT NULL AND NOT EXISTS (
        SELECT FROM flow.quarantine AS q
        WHERE q.source = :source AND q.state = 'parked' AND q.reason = d.reason
            AND q.row_number = coalesce(n.number, 0)
            AND q.subject = concat_ws('/', CAST(:site AS text), d.sku)
            AND left(q.subject, 64) = left(concat_ws('/', CAST(:site AS text), d.sku), 64)
    )
""")
_HEALED = sa.text("""
    SELECT q.row_number FROM flow.quarantine AS q
    WHERE q.source = :source AND q.state = 'parked' AND q.row_number > 0
    EXCEPT
    SELECT n.number FROM (
        SELECT ctid AS place, coalesce(row_no, row_number() OVER (ORDER BY ctid)) AS number
        FROM stock_feed
    ) AS n
    JOIN feed_difference AS d ON d.place = n.place AND d.reason IS NOT NULL
""").columns(sa.column("row_number", sa.BigInteger))

_ACCOUNT = sa.text("""
    SELECT
        count(*) FILTER (WHERE NOT d.is_absent AND d.reason IS NULL AND NOT d.is_repeat
            AND m.sku IS NOT NULL) AS rows_applied,
        count(*) FILTER (WHERE NOT d.is_absent AND d.reason IS NOT NULL) AS rows_parked,
        count(*) FILTER (WHERE d.is_absent) AS skus_absent,
        count(*) FILTER (WHERE d.is_absent AND d.reason IS NOT NULL) AS absent_parked
    FROM feed_difference AS d LEFT JOIN feed_move AS m ON m.sku = d.sku
""")
_UNITS = sa.text("""
    SELECT coalesce(sum(quantity) FILTER (WHERE quantity > 0), 0) AS units_in,
        coalesce(-sum(quantity) FILTER (WHERE quantity < 0), 0) AS units_out
    FROM feed_move WHERE reason IS NULL
""")
_NUMBERS = (
    "rows_read", "rows_applied", "rows_unchanged", "rows_parked", "skus_absent", "absent_parked",
    "units_in", "units_out",
)  # fmt: skip


def sync_stock(conn: sa.Connection, feed: Feed, run: str, may_shrink: bool = False) -> SyncReport:
    """Apply the feed staged in `stock_feed`.

    Args:
        conn: connection in the transaction that staged the feed.
        feed: what the staged rows are.
        run: Dagster run, or name of the command.
        may_shrink: whether a snapshot may leave out most of what the location has.

    Returns:
        The exact account of the feed's rows.
    """
    where = {"site": feed.site_code, "key": feed.key}
    conn.execute(_TURN, {"site": feed.site_code})
    same = conn.execute(_SAME, where).mappings().one_or_none()
    if same and not (same["rows_parked"] or same["absent_parked"] or same["state"] == "refused"):
        return _repeat(conn, same, feed)
    rows = int(conn.execute(_STAGED).scalar_one())
    attempt = int(same["attempt"]) + 1 if same else 1
    reason = _stale(conn, feed)
    if not reason:
        compare(conn, feed, rows)
        reason = None if may_shrink else _shrinks(conn, feed, rows)
    if reason:
        if same and same["reason"] == reason:
            return _repeat(conn, same, feed)
        return _record(conn, feed, run, attempt, {"rows_read": rows}, reason)
    return _apply(conn, feed, run, attempt, rows)


def refuse_feed(conn: sa.Connection, feed: Feed, run: str, reason: str) -> SyncReport:
    """Put on record that a feed could not be read at all, so that nobody tries it for ever."""
    conn.execute(_TURN, {"site": feed.site_code})
    where = {"site": feed.site_code, "key": feed.key}
    same = conn.execute(_SAME, where).mappings().one_or_none()
    return _record(conn, feed, run, int(same["attempt"]) + 1 if same else 1, {}, reason)


def known_origins(conn: sa.Connection, origins: list[str]) -> set[str]:
    """Which of the origins were dealt with already, applied or refused."""
    known = sa.select(sa.func.unnest(FEED_SYNCS.c.origins)).where(
        FEED_SYNCS.c.origins.overlap(origins)
    )
    return set(conn.execute(known).scalars()) & set(origins)


def known_sites(conn: sa.Connection) -> list[str]:
    """Codes of all locations."""
    found = conn.execute(sa.text("SELECT site_code FROM warehouse.sites ORDER BY site_code"))
    return list(found.scalars())


def _repeat(conn: sa.Connection, same: sa.RowMapping, feed: Feed) -> SyncReport:
    # The same content under another name: known by both from now on.
    conn.execute(_ALSO_FROM, {"sync": same["sync_id"], "origin": feed.origin})
    numbers = [int(same[name]) for name in _NUMBERS]
    return SyncReport(int(same["sync_id"]), True, same["reason"], *numbers)


def _stale(conn: sa.Connection, feed: Feed) -> str | None:
    if feed.kind is FeedKind.CHANGES:
        return None
    last = conn.execute(_LAST_LEVELS, {"site": feed.site_code}).scalar()
    if last is not None and feed.as_of < last:
        return f"stale: levels of {last:%Y-%m-%dT%H:%M:%S%z} were applied before"
    return None


def _shrinks(conn: sa.Connection, feed: Feed, rows: int) -> str | None:
    """Why a compared snapshot looks like a broken export or another location's, if it does."""
    if feed.kind is not FeedKind.SNAPSHOT:
        return None
    where = {"site": feed.site_code}
    stocked = int(conn.execute(_STOCKED, where).scalar_one())
    if not rows and stocked:
        return "empty: a snapshot without rows would take all stock away"
    left_out = int(conn.execute(_LEFT_OUT, where).scalar_one())
    if stocked < SHRINKS_FROM or left_out * 2 <= stocked:
        return None
    return f"shrunk: {left_out} of {stocked} SKUs with stock are not in the snapshot"


def _apply(conn: sa.Connection, feed: Feed, run: str, attempt: int, rows: int) -> SyncReport:
    account = dict(conn.execute(_ACCOUNT).mappings().one())
    account |= dict(conn.execute(_UNITS).mappings().one())
    unchanged = rows - account["rows_applied"] - account["rows_parked"]
    account |= {"rows_read": rows, "rows_unchanged": unchanged}
    report = _record(conn, feed, run, attempt, account, None)
    _post(conn, feed, report.sync_id)
    source = f"stock feed {feed.site_code}/{feed.key}"
    if attempt > 1:
        settle(conn, source, _HEALED.bindparams(source=source))
    if report.rows_parked or report.absent_parked:
        given = _PARKED.bindparams(source=source, site=feed.site_code)
        park(conn, given.columns(*(QUARANTINE.c[name] for name in PARKED_COLUMNS)), run)
    return report


def _post(conn: sa.Connection, feed: Feed, sync_id: int) -> None:
    values = {
        "site": feed.site_code,
        "as_of": feed.as_of,
        "kind": "adjustment" if feed.kind is FeedKind.CHANGES else "count",
        "reference": f"feed:{sync_id}",
    }
    open_freed(conn)
    for statement in _POST:
        names = set(statement.compile().params)
        conn.execute(statement, {name: values[name] for name in names})
    note_freed(conn)


def _record(
    conn: sa.Connection,
    feed: Feed,
    run: str,
    attempt: int,
    account: dict[str, Any],
    reason: str | None,
) -> SyncReport:
    numbers = {name: int(account.get(name, 0)) for name in _NUMBERS}
    written = sa.insert(FEED_SYNCS).values(
        site_code=feed.site_code, kind=feed.kind.value, feed_key=feed.key, attempt=attempt,
        observed_as_of=feed.as_of, state="refused" if reason else "applied", reason=reason,
        origins=[feed.origin], run_id=run, **numbers,
    )  # fmt: skip
    sync_id = conn.execute(written.returning(FEED_SYNCS.c.sync_id)).scalar_one()
    return SyncReport(int(sync_id), False, reason, *numbers.values())
