"""Holds: stock kept for a basket before an order exists, counted as promised.

A holder is locked before the positions; the rows of a SKU change only under its position.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from ecom_assets.inventory.store.restocks import note_freed, open_freed

_HOLDER = sa.text(
    "SELECT pg_advisory_xact_lock(hashtext('inventory.stock_holds'), hashtext(:holder))"
)
_OPEN = (
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS holding (
            sku text PRIMARY KEY, units integer NOT NULL, had integer NOT NULL
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("DELETE FROM holding"),
)
_WISH = sa.text("""
    INSERT INTO holding
    SELECT sku, coalesce(w.units, 0), coalesce(h.units, 0)
    FROM unnest(:skus, :units) AS w (sku, units)
    FULL JOIN (
        SELECT sku, units FROM inventory.stock_holds WHERE holder = :holder
    ) AS h USING (sku)
""").bindparams(
    sa.bindparam("skus", type_=ARRAY(sa.Text)), sa.bindparam("units", type_=ARRAY(sa.Integer))
)
_LOCK = sa.text("""
    WITH held AS (
        SELECT sku FROM inventory.positions
        WHERE sku IN (SELECT sku FROM holding)
        ORDER BY sku
        FOR UPDATE
    )
    SELECT count(*) FROM held
""")
# What the holder has by now: a hold may have run out before its position was locked.
_HAD = sa.text("""
    UPDATE holding AS w SET had = coalesce((
        SELECT h.units FROM inventory.stock_holds AS h WHERE h.holder = :holder AND h.sku = w.sku
    ), 0)
""")

# Free as of the moment, like a reservation: what came later is not used, what goes later is gone.
_SHORT = sa.text("""
    WITH came_since AS (
        SELECT m.sku, sum(m.quantity) OVER (PARTITION BY m.sku ORDER BY m.moved_at DESC) AS came
        FROM holding AS w
        JOIN inventory.movements AS m ON m.sku = w.sku AND m.moved_at > :at
        WHERE m.kind <> 'sale'
    ), offers AS (
        SELECT w.sku, w.units, w.had, w.had + greatest(0, coalesce(p.on_hand - p.reserved, 0)
            - greatest(0, (SELECT max(c.came) FROM came_since AS c WHERE c.sku = w.sku))) AS free
        FROM holding AS w LEFT JOIN inventory.positions AS p ON p.sku = w.sku
    )
    SELECT sku, free FROM offers WHERE units > had AND units > free ORDER BY sku
""")

_COUNT = sa.text("""
    UPDATE inventory.positions AS p SET reserved = p.reserved + w.units - w.had
    FROM holding AS w WHERE p.sku = w.sku AND w.units <> w.had
""")
_DROP = sa.text("""
    DELETE FROM inventory.stock_holds AS h USING holding AS w
    WHERE h.holder = :holder AND h.sku = w.sku AND w.units = 0
""")
_KEEP = sa.text("""
    INSERT INTO inventory.stock_holds AS known (holder, sku, units, held_at, expires_at)
    SELECT :holder, sku, units, :at, :expires_at FROM holding WHERE units > 0 ORDER BY sku
    ON CONFLICT (holder, sku) DO UPDATE SET units = excluded.units, held_at = excluded.held_at,
        expires_at = excluded.expires_at, recorded_at = excluded.recorded_at
""")
_FREED = sa.text("""
    INSERT INTO freed SELECT sku, CAST(:at AS timestamptz) FROM holding WHERE units < had
""")

_END = sa.text("""
    WITH ended AS (
        DELETE FROM inventory.stock_holds
        WHERE expires_at <= :as_of AND sku IN (SELECT sku FROM held_stock)
        RETURNING sku, units
    ), freed_now AS (
        INSERT INTO freed SELECT DISTINCT sku, CAST(:as_of AS timestamptz) FROM ended
    ), summed AS (
        SELECT sku, sum(units) AS units FROM ended GROUP BY sku
    ), counted AS (
        UPDATE inventory.positions AS p SET reserved = p.reserved - s.units
        FROM summed AS s WHERE p.sku = s.sku
    )
    SELECT coalesce(sum(units), 0) FROM summed
""")


def hold_stock(
    conn: sa.Connection, holder: str, wishes: Mapping[str, int], at: datetime, expires_at: datetime
) -> dict[str, int]:
    """Keep stock for a holder: all of it, or nothing changes.

    What the holder has already is replaced, so a basket may be held again as it grows and shrinks.

    Args:
        conn: connection in a transaction of its own.
        holder: who holds, such as the id of a basket.
        wishes: units by SKU, each at least 1.
        at: business moment; stock received later is not used.
        expires_at: when the hold ends by itself, after `at`.

    Returns:
        Where nothing could be held: the SKUs that are short, each with the units the holder could
        have. Empty where all is held.

    Raises:
        ValueError: a wish is not positive, or the hold would end before it begins.
    """
    if expires_at <= at or any(units < 1 for units in wishes.values()):
        raise ValueError("a hold needs at least one unit of each SKU, and must end after it begins")
    _open(conn, holder, wishes)
    short = {sku: int(free) for sku, free in conn.execute(_SHORT, {"at": at})}
    if not short:
        _change(conn, holder, at)
        conn.execute(_KEEP, {"holder": holder, "at": at, "expires_at": expires_at})
    return short


def release_hold(conn: sa.Connection, holder: str, at: datetime) -> int:
    """Give back all that a holder keeps, as of `at`; how many units that were."""
    _open(conn, holder, {})
    units: int = conn.execute(sa.text("SELECT coalesce(sum(had), 0) FROM holding")).scalar_one()
    _change(conn, holder, at)
    return units


def end_holds(conn: sa.Connection, as_of: datetime) -> int:
    """End the holds of SKUs in `held_stock` that ran out, adding what they free to `freed`.

    The caller holds the positions of those SKUs.

    Returns:
        Units that are free again.
    """
    return int(conn.execute(_END, {"as_of": as_of}).scalar_one())


def _open(conn: sa.Connection, holder: str, wishes: Mapping[str, int]) -> None:
    """Lock the holder and the stock, and put wishes beside what the holder has."""
    conn.execute(_HOLDER, {"holder": holder})
    for statement in _OPEN:
        conn.execute(statement)
    given = {"skus": list(wishes), "units": list(wishes.values()), "holder": holder}
    conn.execute(_WISH, given)
    conn.execute(_LOCK)
    conn.execute(_HAD, {"holder": holder})


def _change(conn: sa.Connection, holder: str, at: datetime) -> None:
    conn.execute(_COUNT)
    conn.execute(_DROP, {"holder": holder})
    open_freed(conn)
    conn.execute(_FREED, {"at": at})
    note_freed(conn)
