"""Backorders: orders that wait for stock are called to reserve again when it comes or becomes free.

Who frees stock only notes it in `inventory.restocks`, in its own transaction and without a wait;
`call_backorders` reads the notes later and hands the orders on. What it reads of the positions may
be old when the orders are served: it is a hint whom to ask, and reserving judges anew under locks.

Called orders are due at the moment at which their stock was there. They are therefore judged and
recorded as of that moment, and stand in the queue between the orders of their time.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.flow import PENDING, TAKE_BACK, Stage, hand_on
from ecom_assets.shared.working import analyse

_OPEN_FREED = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS freed (sku text, freed_at timestamptz)
    ON COMMIT PRESERVE ROWS
""")
_NOTE = sa.text("""
    INSERT INTO inventory.restocks (sku, freed_at)
    SELECT sku, freed_at FROM (SELECT DISTINCT sku, freed_at FROM freed) AS f
    WHERE EXISTS (
        SELECT FROM inventory.reservations AS r WHERE r.sku = f.sku AND r.backordered > 0
    ) OR EXISTS (
        -- What a kit is made of, too: it can be put together then.
        SELECT FROM catalog.kits AS k
        JOIN inventory.reservations AS r ON r.sku = k.kit_sku AND r.backordered > 0
        WHERE k.component_sku = f.sku
    )
    ORDER BY sku, freed_at
""")

# One caller at a time: two could hand on the same order and wait for each other.
_TURN = sa.text("SELECT pg_try_advisory_xact_lock(hashtext('inventory.restocks'))")
_OPEN_NOTED = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS noted (sku text, freed_at timestamptz)
    ON COMMIT PRESERVE ROWS
""")
_TAKE = sa.text("""
    WITH taken AS (
        DELETE FROM inventory.restocks RETURNING sku, freed_at
    )
    INSERT INTO noted SELECT DISTINCT sku, freed_at FROM taken
""")

# An order is called at the first moment, not before it was last judged, whose free stock reaches
# beyond what older orders wait for. Moments are those noted, and those of receipts since; what is
# free at a moment is swept together as `reservations` does it.
_CALLED = sa.text("""
    WITH waiting AS (
        SELECT r.sku, r.order_id, o.decided_as_of, max(r.reserved_as_of) AS judged_as_of,
            sum(r.backordered) AS units
        FROM (SELECT DISTINCT sku FROM noted) AS n
        JOIN inventory.reservations AS r ON r.sku = n.sku AND r.backordered > 0
        JOIN flow.order_states AS s ON s.order_id = r.order_id
        JOIN orders.orders AS o ON o.order_id = r.order_id
        WHERE s.fulfilment_state = 'backordered' AND NOT EXISTS (
            SELECT FROM flow.pending AS p
            WHERE p.order_id = r.order_id AND p.stage = ANY(:not_while)
        )
        GROUP BY r.sku, r.order_id, o.decided_as_of
    ), queued AS (
        SELECT *, sum(units) OVER (
            PARTITION BY sku ORDER BY decided_as_of, order_id ROWS UNBOUNDED PRECEDING
        ) - units AS before
        FROM waiting
    ), first_judged AS (
        SELECT sku, min(judged_as_of) AS at FROM waiting GROUP BY sku
    ), came_since AS (
        SELECT m.sku, m.moved_at, m.quantity, sum(m.quantity) OVER (
            PARTITION BY m.sku ORDER BY m.moved_at DESC
        ) AS came
        FROM first_judged AS f
        JOIN inventory.movements AS m ON m.sku = f.sku AND m.moved_at > f.at
        WHERE m.kind <> 'sale'
    ), moments AS (
        SELECT sku, freed_at AS at FROM noted WHERE freed_at IS NOT NULL
        UNION
        SELECT sku, moved_at FROM came_since WHERE quantity > 0
    ), events AS (
        SELECT sku, judged_as_of AS at, 0 AS is_move, order_id, 0 AS came FROM waiting
        UNION ALL
        SELECT sku, at, 0, NULL, 0 FROM moments
        UNION ALL
        SELECT sku, moved_at, 1, NULL, came FROM came_since
    ), swept AS (
        SELECT sku, at, is_move, order_id, max(came) OVER (
            PARTITION BY sku ORDER BY at DESC, is_move ROWS UNBOUNDED PRECEDING
        ) AS most_later
        FROM events
    ), offers AS (
        SELECT s.sku, s.at, s.order_id, p.on_hand - p.reserved - greatest(0, s.most_later) AS free
        FROM swept AS s JOIN inventory.positions AS p ON p.sku = s.sku
        WHERE s.is_move = 0
    ), chances AS (
        SELECT q.order_id, f.at
        FROM queued AS q
        JOIN offers AS f ON f.sku = q.sku AND f.order_id IS NULL
        WHERE f.at > q.judged_as_of AND f.free > q.before
        UNION ALL
        -- Freed before the order was judged, but told only now.
        SELECT q.order_id, f.at
        FROM queued AS q
        JOIN offers AS f ON f.sku = q.sku AND f.order_id = q.order_id
        WHERE f.free > q.before AND EXISTS (
            SELECT FROM noted AS n WHERE n.sku = q.sku AND n.freed_at <= q.judged_as_of
        )
    )
    SELECT order_id, min(at) AS due_at FROM chances GROUP BY order_id
""").columns(PENDING.c.order_id, PENDING.c.due_at)


def open_freed(conn: sa.Connection) -> None:
    """Empty the temporary table `freed(sku, freed_at)` that `note_freed` reads."""
    conn.execute(_OPEN_FREED)
    conn.execute(sa.text("DELETE FROM freed"))


def note_freed(conn: sa.Connection) -> int:
    """Note the stock in `freed` that some order waits for; the caller holds its positions.

    Returns:
        How many notes were made.
    """
    return conn.execute(_NOTE).rowcount


def call_backorders(conn: sa.Connection) -> int:
    """Hand backordered orders to `Stage.RESERVE` whose stock was noted, the oldest first.

    Called are as many as the free stock reaches; those behind them wait for the next restock.

    Args:
        conn: connection in a transaction of its own, which holds no stock.

    Returns:
        How many orders were handed on.
    """
    if not conn.execute(_TURN).scalar_one():
        return 0
    for statement in (_OPEN_NOTED, sa.text("DELETE FROM noted")):
        conn.execute(statement)
    analyse(conn, sa.text("ANALYZE noted"), conn.execute(_TAKE).rowcount)
    not_while = [stage.value for stage in (Stage.RESERVE, *TAKE_BACK)]
    return hand_on(conn, (Stage.RESERVE,), _CALLED.bindparams(not_while=not_while))


def are_noted(conn: sa.Connection) -> bool:
    """Whether any restock waits for its orders to be called."""
    return bool(
        conn.execute(sa.text("SELECT EXISTS (SELECT FROM inventory.restocks)")).scalar_one()
    )
