"""Feeds of costs and competitors' offers: judged by the gates, then taken or set apart.

The reasons are those of `pricing.gates`, the plain reference; a property test holds both equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP

from ecom_assets.pricing.gates import (
    FLAGGED_BPS,
    JUMP_BPS,
    SHIFT_BPS,
    SHIFT_ENTRIES,
)
from ecom_assets.pricing.tables import FEEDS
from ecom_assets.shared.quarantine import PARKED_COLUMNS, park
from ecom_assets.shared.working import open_empty, working_table

ENTRIES = working_table(
    "price_feed_entries",
    sa.Column("row_no", sa.BigInteger),
    sa.Column("source_key", sa.Text),
    sa.Column("sku", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("amount_minor", sa.BigInteger),
    sa.Column("at", TIMESTAMP(timezone=True)),
    sa.Column("known_minor", sa.BigInteger),
    sa.Column("known_currency", sa.Text),
    sa.Column("reason", sa.Text),
)
"""Entries of the feed that is being taken; `source_key` is the competitor, '' for costs. The last
three columns are what the gates say."""

_GIVEN = ("row_no", "source_key", "sku", "currency", "amount_minor", "at")
_COPY = "COPY price_feed_entries (row_no, source_key, sku, currency, amount_minor, at) FROM STDIN"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a feed; `entries` is the sum of the other counts."""

    feed_id: int
    state: str
    reason: str | None
    entries: int
    accepted: int
    unchanged: int
    flagged: int
    parked: int
    is_repeat: bool = False


def known_feed(conn: sa.Connection, kind: str, digest: str) -> Taken | None:
    """The account of a feed that was taken before, by its contents."""
    same = sa.and_(FEEDS.c.kind == kind, FEEDS.c.digest == digest)
    row = conn.execute(sa.select(FEEDS).where(same)).first()
    return None if row is None else Taken(
        row.feed_id, row.state, row.reason, row.entries, row.accepted, row.unchanged, row.flagged,
        row.parked, True,
    )  # fmt: skip


def open_entries(conn: sa.Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Fill the working table with (row number, source, SKU, currency, amount, moment)."""
    open_empty(conn, ENTRIES)
    driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)
    conn.execute(sa.text("ANALYZE price_feed_entries"))


# Two amounts for one thing at one moment: nobody knows which one is meant.
_TWICE = sa.text("""
    UPDATE price_feed_entries AS e SET reason = CASE
        WHEN twice.amounts > 1 THEN 'stated_twice' ELSE 'repeated' END
    FROM (
        SELECT source_key, sku, currency, at, count(DISTINCT amount_minor) AS amounts,
            min(row_no) AS first_no
        FROM price_feed_entries GROUP BY source_key, sku, currency, at HAVING count(*) > 1
    ) AS twice
    WHERE e.source_key = twice.source_key AND e.sku = twice.sku AND e.currency = twice.currency
        AND e.at = twice.at AND (twice.amounts > 1 OR e.row_no > twice.first_no)
""")
_KNOW_OFFERS = sa.text("""
    UPDATE price_feed_entries AS e
    SET known_minor = coalesce(last.same_minor, own.price_minor), known_currency = last.currency
    FROM price_feed_entries AS f
        LEFT JOIN LATERAL (
            SELECT o.currency,
                CASE WHEN o.currency = f.currency THEN o.price_minor END AS same_minor
            FROM pricing.competitor_offers AS o
            WHERE o.competitor = f.source_key AND o.sku = f.sku AND o.state = 'accepted'
            ORDER BY o.currency = f.currency DESC, o.observed_at DESC LIMIT 1
        ) AS last ON true
        LEFT JOIN LATERAL (
            SELECT min(p.price_minor) AS price_minor
            FROM pricing.price_lists AS l JOIN pricing.prices AS p USING (price_list_id)
            WHERE l.currency = f.currency AND p.sku = f.sku AND p.min_quantity = 1
                AND p.valid_from_at <= f.at AND (p.valid_to_at IS NULL OR p.valid_to_at > f.at)
        ) AS own ON true
    WHERE e.row_no = f.row_no AND e.reason IS NULL
""")
_KNOW_COSTS = sa.text("""
    UPDATE price_feed_entries AS e SET known_minor = last.same_minor, known_currency = last.currency
    FROM price_feed_entries AS f
        JOIN LATERAL (
            SELECT c.currency, CASE WHEN c.currency = f.currency THEN c.cost_minor END AS same_minor
            FROM pricing.costs AS c WHERE c.sku = f.sku
            ORDER BY c.currency = f.currency DESC, c.valid_from_at DESC LIMIT 1
        ) AS last ON true
    WHERE e.row_no = f.row_no AND e.reason IS NULL
""")
_FLAG = sa.text("""
    UPDATE price_feed_entries SET reason = CASE
        WHEN known_currency <> currency THEN 'currency_switched'
        WHEN amount_minor * 10000 > known_minor * :jump_bps THEN 'far_above_known'
        ELSE 'far_below_known' END
    WHERE reason IS NULL AND (known_currency <> currency
        OR amount_minor * 10000 > known_minor * :jump_bps
        OR known_minor * 10000 > amount_minor * :jump_bps)
""")
_HOLD = sa.text("""
    WITH judged AS (
        SELECT *, amount_minor * 10000 / greatest(known_minor, 1) AS ratio_bps
        FROM price_feed_entries
        WHERE (known_minor IS NOT NULL OR known_currency IS NOT NULL)
            AND reason IS DISTINCT FROM 'repeated' AND reason IS DISTINCT FROM 'stated_twice'
    ), figures AS (
        SELECT count(*) AS judged, count(reason) AS flagged, count(known_minor) AS compared,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY ratio_bps)
                FILTER (WHERE known_minor IS NOT NULL) AS median_bps
        FROM judged
    )
    SELECT CASE
        WHEN judged < :shift_entries THEN NULL
        WHEN flagged * 10000 > judged * :flagged_bps THEN 'too_many_flagged'
        WHEN compared >= :shift_entries
            AND (median_bps > :shift_bps OR median_bps * :shift_bps < 100000000)
        THEN 'shifted_as_a_whole' END
    FROM figures
""")
_PARK_TWICE = sa.text("""
    SELECT CAST(:source AS text) AS source, row_no AS row_number, sku AS subject,
        'stated_twice' AS reason,
        'the file states several amounts for ' || sku || ' at one moment' AS detail,
        jsonb_build_object('source_key', source_key, 'sku', sku, 'currency', currency,
            'amount_minor', amount_minor, 'at', at) AS row
    FROM price_feed_entries WHERE reason = 'stated_twice'
""")
_PARK_FLAGGED = sa.text("""
    SELECT CAST(:source AS text) AS source, row_no AS row_number, sku AS subject,
        coalesce(reason, CAST(:held AS text)) AS reason,
        'the feed says ' || amount_minor || ' ' || currency || ', known is '
            || coalesce(known_minor || ' ' || coalesce(known_currency, currency), known_currency,
                'nothing') AS detail,
        jsonb_build_object('sku', sku, 'currency', currency, 'amount_minor', amount_minor, 'at', at)
            AS row
    FROM price_feed_entries
    WHERE coalesce(reason, '') NOT IN ('repeated', 'stated_twice')
        AND (reason IS NOT NULL OR CAST(:held AS text) IS NOT NULL)
""")


def judge(conn: sa.Connection, kind: str) -> str | None:
    """Let the gates look at the entries; returns why the whole feed is held back, if it is."""
    conn.execute(_TWICE)
    conn.execute(_KNOW_OFFERS if kind == "offers" else _KNOW_COSTS)
    conn.execute(_FLAG, {"jump_bps": JUMP_BPS})
    gates = {"shift_entries": SHIFT_ENTRIES, "shift_bps": SHIFT_BPS, "flagged_bps": FLAGGED_BPS}
    reason: str | None = conn.execute(_HOLD, gates).scalar_one()
    return reason


def open_account(
    conn: sa.Connection, kind: str, source: str, digest: str, held: str | None, at: datetime,
    run: str, **counts: int,
) -> int:  # fmt: skip
    """Write what became of a feed; returns its id."""
    values = {
        "kind": kind, "source": source, "digest": digest, "state": "held" if held else "taken",
        "reason": held, "taken_as_of": at, "run_id": run, **counts,
        # Prices of a file go into plans of their own and need no repricing.
        "repriced_as_of": at if kind == "prices" else None,
    }  # fmt: skip
    made = sa.insert(FEEDS).values(values).returning(FEEDS.c.feed_id)
    return int(conn.execute(made).scalar_one())


def set_counts(conn: sa.Connection, feed_id: int, **counts: int) -> None:
    """Write the final counts of a feed."""
    conn.execute(sa.update(FEEDS).where(FEEDS.c.feed_id == feed_id).values(counts))


def park_twice(conn: sa.Connection, source: str, run: str) -> int:
    """Put entries that are stated twice into the quarantine; returns how many."""
    return park(conn, _named(_PARK_TWICE, source=source), run)


def park_flagged(conn: sa.Connection, source: str, held: str | None, run: str) -> int:
    """Put entries that the gates flagged, or all of a held feed, into the quarantine."""
    return park(conn, _named(_PARK_FLAGGED, source=source, held=held), run)


def _named(statement: sa.TextClause, **values: Any) -> sa.TextualSelect:
    binds = [sa.bindparam(name, value, sa.Text) for name, value in values.items()]
    return statement.bindparams(*binds).columns(*map(sa.column, PARKED_COLUMNS))
