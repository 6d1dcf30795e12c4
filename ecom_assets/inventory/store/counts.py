"""Counts: what people found is compared with what the ledger says was there when they counted.

Expected is what is on hand, less what moved after the count, less parcels that had left by then and
are not posted yet; so a count taken while orders are picked corrects no more than it saw. Within
the tolerance a count is posted at once, beyond it when a person approves, and then compared anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.inventory.counting import Tolerance
from ecom_assets.inventory.store.movements import open_posting, post_covered
from ecom_assets.shared import shop_settings
from ecom_assets.shared.columns import Rows
from ecom_assets.shared.shop_settings import COUNT_SHARE, COUNT_UNITS

_OPEN = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS counting (
        reference text, site_code text, sku text, counted_at timestamptz, counted bigint,
        expected bigint, tolerance double precision, is_approved boolean
    ) ON COMMIT PRESERVE ROWS
""")
_EMPTY = sa.text("DELETE FROM counting")
_COUNTING = sa.table(
    "counting", *map(sa.column, ("reference", "site_code", "sku", "counted_at", "counted"))
)
_GIVEN = ("reference", "site_code", "sku", "counted_at", "counted")

# A count happens once; the same one again changes nothing.
_DROP_KNOWN = sa.text("""
    DELETE FROM counting AS g USING inventory.counts AS c
    WHERE (c.reference, c.site_code, c.sku) = (g.reference, g.site_code, g.sku)
""")
_REOPEN = sa.text("""
    INSERT INTO counting (reference, site_code, sku, counted_at, counted, is_approved)
    SELECT reference, site_code, sku, counted_at, counted, true FROM inventory.counts
    WHERE count_id = ANY(:ids) AND state = 'needs_approval'
    FOR UPDATE
""")
_MOVES = sa.text("""
    SELECT sku, site_code, 'count' AS kind, CAST(0 AS bigint) AS quantity, counted_at AS moved_at,
        'count:' || reference AS reference
    FROM counting
    ORDER BY sku
""").columns(*map(sa.column, ("sku", "site_code", "kind", "quantity", "moved_at", "reference")))
_EXPECT = sa.text("""
    WITH moved_since AS (
        SELECT c.reference, c.site_code, c.sku, sum(m.quantity) AS units
        FROM counting AS c
        JOIN inventory.movements AS m
            ON m.sku = c.sku AND m.site_code = c.site_code AND m.moved_at > c.counted_at
        WHERE m.moved_at > (SELECT min(counted_at) FROM counting)
        GROUP BY c.reference, c.site_code, c.sku
    ), left_unposted AS (
        SELECT c.reference, c.site_code, c.sku, sum(a.quantity) AS units
        FROM flow.pending AS w
        JOIN transport.shipments AS s ON s.order_id = w.order_id
        JOIN orders.orders AS o ON o.order_id = w.order_id
        JOIN warehouse.allocations AS a
            ON a.order_id = s.order_id AND a.site_code = s.site_code
        JOIN counting AS c
            ON c.sku = a.sku AND c.site_code = a.site_code AND s.shipped_at <= c.counted_at
        WHERE w.stage = 'post_sale' AND NOT EXISTS (
            SELECT FROM inventory.movements AS m
            WHERE m.kind = 'sale' AND m.sku = a.sku AND m.site_code = a.site_code
                AND m.reference = 'order:' || o.channel || '/' || o.external_id
        )
        GROUP BY c.reference, c.site_code, c.sku
    )
    UPDATE counting AS c
    SET expected = e.expected, tolerance = greatest(CAST(:units AS double precision),
        e.expected * CAST(:share AS double precision) / 100)
    FROM (
        SELECT g.reference, g.site_code, g.sku,
            coalesce(b.on_hand, 0) - coalesce(m.units, 0) - coalesce(u.units, 0) AS expected
        FROM counting AS g
        LEFT JOIN inventory.balances AS b ON b.sku = g.sku AND b.site_code = g.site_code
        LEFT JOIN moved_since AS m
            ON (m.reference, m.site_code, m.sku) = (g.reference, g.site_code, g.sku)
        LEFT JOIN left_unposted AS u
            ON (u.reference, u.site_code, u.sku) = (g.reference, g.site_code, g.sku)
    ) AS e
    WHERE (e.reference, e.site_code, e.sku) = (c.reference, c.site_code, c.sku)
""")
_DIFFERENCES = sa.text("""
    UPDATE posting AS p SET quantity = c.counted - c.expected,
        reason = CASE
            WHEN c.counted = c.expected THEN 'equal'
            WHEN c.is_approved IS NOT TRUE AND abs(c.counted - c.expected) > c.tolerance
                THEN 'needs_approval'
        END
    FROM counting AS c
    WHERE p.reference = 'count:' || c.reference AND p.site_code = c.site_code AND p.sku = c.sku
""")
_WRITE = sa.text("""
    INSERT INTO inventory.counts (
        reference, site_code, sku, counted_at, counted, expected, difference, tolerance, state,
        decided_by, decided_at, run_id, counted_by
    )
    SELECT c.reference, c.site_code, c.sku, c.counted_at, c.counted, c.expected,
        c.counted - c.expected, greatest(0, c.tolerance), s.state,
        CASE s.state WHEN 'needs_approval' THEN '' ELSE 'tolerance' END,
        CASE s.state WHEN 'needs_approval' THEN NULL ELSE c.counted_at END, :run, :by
    FROM counting AS c
    JOIN posting AS p
        ON p.reference = 'count:' || c.reference AND p.site_code = c.site_code AND p.sku = c.sku
    CROSS JOIN LATERAL (SELECT CASE p.reason WHEN 'equal' THEN 'equal'
        WHEN 'needs_approval' THEN 'needs_approval' WHEN 'negative_balance' THEN 'refused'
        ELSE 'posted' END AS state) AS s
    ORDER BY c.sku, c.site_code, c.reference
    ON CONFLICT (reference, site_code, sku) DO NOTHING
    RETURNING state
""")
_SETTLE = sa.text("""
    UPDATE inventory.counts AS k
    SET expected = c.expected, difference = c.counted - c.expected, decided_by = :person,
        decided_at = :at, run_id = :run, state = CASE p.reason WHEN 'equal' THEN 'equal'
            WHEN 'negative_balance' THEN 'refused' ELSE 'posted' END
    FROM counting AS c
    JOIN posting AS p
        ON p.reference = 'count:' || c.reference AND p.site_code = c.site_code AND p.sku = c.sku
    WHERE (k.reference, k.site_code, k.sku) = (c.reference, c.site_code, c.sku)
    RETURNING k.state
""")
_REJECT = sa.text("""
    UPDATE inventory.counts
    SET state = 'rejected', decided_by = :person, decided_at = :at, run_id = :run
    WHERE count_id = ANY(:ids) AND state = 'needs_approval'
    RETURNING state
""")


def take_counts(
    conn: sa.Connection, counts: Rows, run: str, tolerance: Tolerance | None = None, by: str = ""
) -> dict[str, int]:
    """Take counts: those within the tolerance are posted, the others wait for an approval.

    Args:
        conn: connection in a transaction of its own.
        counts: `reference`, `site_code`, `sku`, `counted_at` and `counted`, one row per SKU, site
            and reference; those known by these three are left out.
        run: Dagster run, or name of the command.
        tolerance: how far a count may differ; as the shop's settings say, if not given.
        by: the person who brings them, who then does not approve them; empty for a file.

    Returns:
        How many counts came to each state.
    """
    _start(conn)
    given = counts.subquery()
    source = sa.select(*(given.c[name] for name in _GIVEN))
    conn.execute(sa.insert(_COUNTING).from_select(_GIVEN, source))
    conn.execute(_DROP_KNOWN)
    _compare(conn, tolerance or _tolerance(conn))
    return _tally(conn, _WRITE, {"run": run, "by": by})


def _tolerance(conn: sa.Connection) -> Tolerance:
    """What the shop tolerates now."""
    return Tolerance(*shop_settings.read(conn, COUNT_UNITS, COUNT_SHARE))


def approve_counts(
    conn: sa.Connection, ids: list[int], person: str, at: datetime, run: str
) -> dict[str, int]:
    """Post counts that wait for an approval, compared anew with the ledger as it is by now.

    Returns:
        How many counts came to each state; `refused` where orders are promised what is missing.
    """
    _start(conn)
    conn.execute(_REOPEN, {"ids": ids})
    _compare(conn, _tolerance(conn))
    return _tally(conn, _SETTLE, {"person": person, "at": at, "run": run})


def reject_counts(
    conn: sa.Connection, ids: list[int], person: str, at: datetime, run: str
) -> dict[str, int]:
    """Refuse counts that wait for an approval; the ledger stays as it is."""
    return _tally(conn, _REJECT, {"ids": ids, "person": person, "at": at, "run": run})


def _start(conn: sa.Connection) -> None:
    conn.execute(_OPEN)
    conn.execute(_EMPTY)


def _compare(conn: sa.Connection, tolerance: Tolerance) -> None:
    """Lock the stock, then compare, then post what may be posted."""
    open_posting(conn, _MOVES)
    conn.execute(_EXPECT, {"units": tolerance.units, "share": tolerance.share_percent})
    conn.execute(_DIFFERENCES)
    post_covered(conn)


def _tally(conn: sa.Connection, statement: sa.TextClause, values: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for (state,) in conn.execute(statement, values):
        found[state] = found.get(state, 0) + 1
    return found
