"""Available to promise: all SKUs by date in one pass, or a few at once.

`refresh_atp` writes `inventory.atp` set-wise; only rows that differ are written. `available` reads
a few SKUs from the live tables and asks the plain rule of `inventory.availability`, so a point
lookup is right to the commit, not to the last refresh.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from ecom_assets.inventory.availability import (
    Buffer,
    Step,
    Supply,
    explode,
    kit_steps,
    listed,
    steps,
    units_at,
)
from ecom_assets.inventory.store.kits import fill_kits, kits_of
from ecom_assets.inventory.store.lots import LOTS_LEFT

_OPEN = (
    # One refresh at a time: two would write the same rows in different orders.
    sa.text("SELECT pg_advisory_xact_lock(hashtext('inventory.atp'))"),
    sa.text("DROP TABLE IF EXISTS atp_now, lots_left"),
    sa.text("""
        CREATE TEMPORARY TABLE atp_now (
            sku text, step integer, available_at timestamptz, units integer, cause text
        ) ON COMMIT DROP
    """),
    sa.text("""
        CREATE TEMPORARY TABLE lots_left (
            sku text, expires_at timestamptz, units_left bigint
        ) ON COMMIT DROP
    """),
)
_LIVE = LOTS_LEFT.subquery("live")
_DATED = ("sku", "expires_at", "units_left")
_LOTS = sa.insert(sa.table("lots_left", *map(sa.column, _DATED))).from_select(
    _DATED,
    sa.select(*(_LIVE.c[name] for name in _DATED)).where(
        _LIVE.c.expires_at.is_not(None), _LIVE.c.units_left > 0
    ),
)

# At once: what is on hand, less promises, safety stock and what has expired. Few SKUs have any of
# the last two, so they are joined as small sums.
_AT_ONCE = sa.text("""
    WITH kept AS (
        SELECT sku, sum(units) AS units FROM inventory.safety_stocks GROUP BY sku
    ), expired AS (
        SELECT sku, sum(units_left) AS units FROM lots_left WHERE expires_at <= :as_of GROUP BY sku
    )
    INSERT INTO atp_now
    SELECT p.sku, 0, NULL, greatest(0,
        p.on_hand - p.reserved - coalesce(k.units, 0) - coalesce(e.units, 0)), 'stock'
    FROM inventory.positions AS p
    LEFT JOIN kept AS k ON k.sku = p.sku
    LEFT JOIN expired AS e ON e.sku = p.sku
""")
# Later: running sums over the moments at which something comes or expires.
_BY_DATE = sa.text("""
    WITH events AS (
        SELECT sku, due_at AS at, sum(quantity - received) AS came, CAST(0 AS bigint) AS gone
        FROM inventory.expected_receipts WHERE received < quantity AND due_at > :as_of
        GROUP BY sku, due_at
        UNION ALL
        SELECT sku, expires_at, 0, sum(units_left) FROM lots_left WHERE expires_at > :as_of
        GROUP BY sku, expires_at
    ), moments AS (
        SELECT sku, at, sum(came) AS came, sum(gone) AS gone FROM events GROUP BY sku, at
    ), running AS (
        SELECT sku, at, came,
            sum(came) OVER so_far AS all_came, sum(gone) OVER so_far AS all_gone,
            row_number() OVER so_far AS step
        FROM moments
        WINDOW so_far AS (PARTITION BY sku ORDER BY at ROWS UNBOUNDED PRECEDING)
    ), waiting AS (
        SELECT sku, sum(backordered) AS units FROM inventory.reservations
        WHERE backordered > 0 GROUP BY sku
    ), kept AS (
        SELECT sku, sum(units) AS units FROM inventory.safety_stocks GROUP BY sku
    ), expired AS (
        SELECT sku, sum(units_left) AS units FROM lots_left WHERE expires_at <= :as_of GROUP BY sku
    )
    INSERT INTO atp_now
    SELECT r.sku, r.step, r.at, greatest(0,
        coalesce(p.on_hand, 0) - coalesce(p.reserved, 0) - coalesce(k.units, 0)
        - coalesce(e.units, 0) - r.all_gone
        + greatest(0, r.all_came - coalesce(w.units, 0))),
        CASE WHEN r.came > 0 THEN 'receipt' ELSE 'expiry' END
    FROM running AS r
    LEFT JOIN inventory.positions AS p ON p.sku = r.sku
    LEFT JOIN waiting AS w ON w.sku = r.sku
    LEFT JOIN kept AS k ON k.sku = r.sku
    LEFT JOIN expired AS e ON e.sku = r.sku
""")
# A SKU that is to come for the first time has no position yet, and nothing at once.
_NOTHING_YET = sa.text("""
    INSERT INTO atp_now
    SELECT DISTINCT n.sku, 0, CAST(NULL AS timestamptz), 0, 'stock' FROM atp_now AS n
    WHERE n.step > 0 AND NOT EXISTS (
        SELECT FROM inventory.positions AS p WHERE p.sku = n.sku
    )
""")
# A table that was vacuumed while it was empty is taken for empty, and a nested loop over what the
# statement itself adds would go through the square of it.
_LOOPS = sa.text("SELECT set_config('enable_nestloop', :are_allowed, true)")
_WRITE = (
    sa.text("""
        DELETE FROM inventory.atp AS a WHERE NOT EXISTS (
            SELECT FROM atp_now AS n WHERE n.sku = a.sku AND n.step = a.step
        )
    """),
    sa.text("""
        UPDATE inventory.atp AS a
        SET available_at = n.available_at, units = n.units, cause = n.cause, run_id = :run,
            recorded_at = clock_timestamp()
        FROM atp_now AS n
        WHERE n.sku = a.sku AND n.step = a.step AND (
            a.units <> n.units OR a.cause <> n.cause
            OR a.available_at IS DISTINCT FROM n.available_at
        )
    """),
    sa.text("""
        INSERT INTO inventory.atp (sku, step, available_at, units, cause, run_id)
        SELECT n.sku, n.step, n.available_at, n.units, n.cause, :run
        FROM atp_now AS n
        WHERE NOT EXISTS (
            SELECT FROM inventory.atp AS a WHERE a.sku = n.sku AND a.step = n.step
        )
    """),
)

_SUPPLY = sa.text("""
    SELECT s.sku, coalesce(p.on_hand, 0) AS on_hand, coalesce(p.reserved, 0) AS reserved,
        (SELECT coalesce(sum(k.units), 0) FROM inventory.safety_stocks AS k WHERE k.sku = s.sku)
            AS safety,
        (SELECT coalesce(sum(r.backordered), 0) FROM inventory.reservations AS r
            WHERE r.sku = s.sku AND r.backordered > 0) AS waiting,
        (SELECT array_agg(e.due_at) FROM inventory.expected_receipts AS e
            WHERE e.sku = s.sku AND e.received < e.quantity) AS due_at,
        (SELECT array_agg(e.quantity - e.received) FROM inventory.expected_receipts AS e
            WHERE e.sku = s.sku AND e.received < e.quantity) AS due_units
    FROM unnest(CAST(:skus AS text[])) AS s (sku)
    LEFT JOIN inventory.positions AS p ON p.sku = s.sku
""")
_LEFT_OF = sa.text("""
    SELECT sku, expires_at, greatest(0, least(received, on_hand - later)) AS units
    FROM (
        SELECT l.sku, l.expires_at, l.received, coalesce(b.on_hand, 0) AS on_hand,
            coalesce(sum(l.received) OVER (
                PARTITION BY l.sku, l.site_code
                ORDER BY l.expires_at DESC NULLS FIRST, l.lot_id DESC
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0) AS later
        FROM inventory.lots AS l
        LEFT JOIN inventory.balances AS b ON b.sku = l.sku AND b.site_code = l.site_code
        WHERE l.written_off_at IS NULL AND l.sku = ANY(CAST(:skus AS text[]))
    ) AS live
    WHERE expires_at IS NOT NULL
""")
_BUFFERS = sa.text("""
    SELECT sku, most_listed, stop_units, share_percent FROM inventory.channel_buffers
    WHERE channel = :channel AND (sku = '' OR sku = ANY(CAST(:skus AS text[])))
""")


def refresh_atp(conn: sa.Connection, as_of: datetime, run: str) -> dict[str, int]:
    """Bring `inventory.atp` up to date.

    Args:
        conn: connection in a transaction of its own.
        as_of: business moment: receipts due by then that have not come count no more, and lots that
            expired by then count nothing.
        run: Dagster run.

    Returns:
        Rows `removed`, `changed` and `added`.
    """
    for statement in (*_OPEN, _LOTS):
        conn.execute(statement)
    for statement in (_AT_ONCE, _BY_DATE):
        conn.execute(statement, {"as_of": as_of})
    conn.execute(_NOTHING_YET)
    conn.execute(sa.text("ANALYZE atp_now"))
    fill_kits(conn)
    conn.execute(_LOOPS, {"are_allowed": "off"})
    removed = conn.execute(_WRITE[0]).rowcount
    changed, added = (conn.execute(statement, {"run": run}).rowcount for statement in _WRITE[1:])
    conn.execute(_LOOPS, {"are_allowed": "on"})
    return {"removed": removed, "changed": changed, "added": added}


def available(conn: sa.Connection, skus: Iterable[str], as_of: datetime) -> dict[str, list[Step]]:
    """What may be promised of a few SKUs, at once and by date, kits included."""
    wanted = list(dict.fromkeys(skus))
    kits = kits_of(conn, wanted)
    parts = {part for kit in kits for part in explode({kit: 1}, kits)}
    supplies = _supplies(conn, sorted({*wanted, *parts}))
    found = {sku: steps(supply, as_of) for sku, supply in supplies.items()}
    for sku in kits.keys() & set(wanted):
        components = explode({sku: 1}, kits)
        found[sku] = kit_steps(found[sku], [(found[c], takes) for c, takes in components.items()])
    return {sku: found[sku] for sku in wanted}


def listed_units(
    conn: sa.Connection, skus: Iterable[str], channel: str, as_of: datetime
) -> dict[str, int]:
    """Units that a channel is told of each SKU at `as_of`."""
    found = available(conn, skus, as_of)
    rows = conn.execute(_BUFFERS, {"channel": channel, "skus": list(found)}).mappings()
    buffers = {row["sku"]: _buffer(row) for row in rows}
    of_all = buffers.get("", Buffer())
    return {sku: listed(units_at(at, None), buffers.get(sku, of_all)) for sku, at in found.items()}


def _buffer(row: sa.RowMapping) -> Buffer:
    return Buffer(row["most_listed"], row["stop_units"], row["share_percent"])


def _supplies(conn: sa.Connection, skus: list[str]) -> dict[str, Supply]:
    lots: dict[str, list[tuple[datetime, int]]] = {}
    for sku, expires_at, units in conn.execute(_LEFT_OF, {"skus": skus}):
        lots.setdefault(sku, []).append((expires_at, int(units)))
    return {
        row.sku: Supply(
            on_hand=row.on_hand,
            reserved=row.reserved,
            safety=int(row.safety),
            waiting=int(row.waiting),
            receipts=tuple(zip(row.due_at or (), row.due_units or (), strict=True)),
            lots=tuple(lots.get(row.sku, ())),
        )
        for row in conn.execute(_SUPPLY, {"skus": skus})
    }
