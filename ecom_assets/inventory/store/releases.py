"""Releases: promises given back, because their order was changed or because they ran out.

Both work on the temporary table `releasing`, the promises of some orders with what each keeps: the
units that left, or that a parcel already handed over takes. `inventory.rules` has the plain form.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from ecom_assets.inventory.store.restocks import note_freed, open_freed
from ecom_assets.inventory.store.stock_holds import end_holds
from ecom_assets.shared.flow import NEXT, PENDING, TAKE_BACK, Stage, hand_on
from ecom_assets.shared.journal import EVENT_COLUMNS, TIMELINE, record_events
from ecom_assets.shared.states import Dimension, move

_OPEN = (
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS released_orders (
            order_id bigint PRIMARY KEY, due_at timestamptz NOT NULL
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS releasing (
            order_line_id bigint PRIMARY KEY, order_id bigint, due_at timestamptz, sku text,
            reserved integer, kept integer
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("CREATE TEMPORARY TABLE IF NOT EXISTS held_stock (sku text) ON COMMIT PRESERVE ROWS"),
    sa.text("""
        WITH a AS (DELETE FROM released_orders),
            b AS (DELETE FROM releasing)
        DELETE FROM held_stock
    """),
)
_CLAIMED = sa.text("INSERT INTO released_orders SELECT order_id, due_at FROM claimed")

_HOLD = sa.text("""
    WITH held AS (
        SELECT sku FROM inventory.positions
        WHERE sku IN (
            SELECT r.sku FROM released_orders AS o
            JOIN inventory.reservations AS r ON r.order_id = o.order_id
        ) OR sku IN (
            SELECT sku FROM inventory.stock_holds WHERE expires_at <= CAST(:as_of AS timestamptz)
        )
        ORDER BY sku
        FOR UPDATE
    )
    INSERT INTO held_stock SELECT sku FROM held
""")

# What is still allocated was handed over: the rest was taken back, or had no site yet.
_FIND = sa.text("""
    INSERT INTO releasing
    SELECT r.order_line_id, r.order_id, o.due_at, r.sku, r.reserved, coalesce(sum(a.quantity), 0)
    FROM released_orders AS o
    JOIN inventory.reservations AS r ON r.order_id = o.order_id
    LEFT JOIN warehouse.allocations AS a ON a.order_line_id = r.order_line_id
    GROUP BY r.order_line_id, o.due_at
""")

_GIVE_BACK = (
    sa.text("""
        INSERT INTO inventory.releases (
            order_id, order_line_id, sku, units, cause, released_as_of, run_id
        )
        SELECT order_id, order_line_id, sku, reserved - kept, :cause, due_at, :run
        FROM releasing WHERE reserved > kept
        ORDER BY due_at, order_id, order_line_id
    """),
    sa.text("""
        WITH given_back AS (
            SELECT sku, sum(reserved - kept) AS units FROM releasing GROUP BY sku
        )
        UPDATE inventory.positions AS p SET reserved = p.reserved - g.units
        FROM given_back AS g
        WHERE p.sku = g.sku AND g.units > 0
    """),
)
_FREED = sa.text("""
    INSERT INTO freed SELECT DISTINCT sku, due_at FROM releasing WHERE reserved > kept
""")

_FORGET = (
    sa.text("""
        DELETE FROM inventory.reservations AS r USING releasing AS g
        WHERE r.order_line_id = g.order_line_id AND g.kept = 0
    """),
    sa.text("""
        UPDATE inventory.reservations AS r
        SET requested = g.kept, reserved = g.kept, backordered = 0, expires_at = NULL
        FROM releasing AS g
        WHERE r.order_line_id = g.order_line_id AND g.kept > 0
    """),
)
_WAIT_AGAIN = sa.text("""
    UPDATE inventory.reservations AS r
    SET reserved = g.kept, backordered = r.requested - g.kept, reserved_as_of = g.due_at,
        expires_at = NULL
    FROM releasing AS g
    WHERE r.order_line_id = g.order_line_id
""")

_EVENTS = sa.text("""
    SELECT order_id, due_at AS happened_at,
        jsonb_build_object('units', sum(reserved - kept), 'kept', sum(kept)) AS detail
    FROM releasing
    GROUP BY order_id, due_at
    HAVING sum(reserved - kept) > 0
    ORDER BY due_at, order_id
""").columns(*(TIMELINE.c[name] for name in EVENT_COLUMNS))
_ALL = sa.text("SELECT order_id, due_at FROM claimed").columns(PENDING.c.order_id, PENDING.c.due_at)

# An order that a worker allocates just now has its site; its wait is locked, so it is passed over.
_RAN_OUT = sa.text("""
    WITH ran_out AS (
        SELECT DISTINCT r.order_id FROM inventory.reservations AS r
        JOIN flow.order_states AS s ON s.order_id = r.order_id
        WHERE r.expires_at <= CAST(:as_of AS timestamptz)
            AND s.fulfilment_state IN ('reserved', 'partly_reserved')
    ), waits AS (
        SELECT p.order_id FROM flow.pending AS p
        WHERE p.stage = 'allocate' AND p.order_id IN (SELECT order_id FROM ran_out)
    ), locked AS (
        SELECT p.order_id FROM flow.pending AS p
        WHERE p.stage = 'allocate' AND p.order_id IN (SELECT order_id FROM ran_out)
        ORDER BY p.order_id
        FOR UPDATE SKIP LOCKED
    )
    INSERT INTO released_orders
    SELECT order_id, CAST(:as_of AS timestamptz) FROM ran_out
    WHERE order_id NOT IN (
        SELECT order_id FROM waits WHERE order_id NOT IN (SELECT order_id FROM locked)
    )
""")
_HOLD_STATES = sa.text("""
    WITH held AS (
        SELECT order_id FROM flow.order_states
        WHERE order_id IN (SELECT order_id FROM released_orders)
        ORDER BY order_id
        FOR UPDATE
    )
    SELECT count(*) FROM held
""")
# Looked at again under locks; an order that is being changed gives back its promise by itself.
_STILL_RUN_OUT = sa.text("""
    DELETE FROM released_orders AS o
    WHERE NOT EXISTS (
        SELECT FROM inventory.reservations AS r
        JOIN flow.order_states AS s ON s.order_id = r.order_id
        WHERE r.order_id = o.order_id AND r.expires_at <= o.due_at
            AND s.fulfilment_state IN ('reserved', 'partly_reserved')
    ) OR EXISTS (
        SELECT FROM flow.pending AS p WHERE p.order_id = o.order_id AND p.stage = ANY(:in_change)
    )
""").bindparams(in_change=[stage.value for stage in TAKE_BACK])
_END_WAITS = sa.text("""
    DELETE FROM flow.pending
    WHERE stage = 'allocate' AND order_id IN (SELECT order_id FROM released_orders)
""")

_IS_DUE = sa.text("""
    SELECT EXISTS (
        SELECT FROM inventory.stock_holds WHERE expires_at <= CAST(:as_of AS timestamptz)
    ) OR EXISTS (
        SELECT FROM inventory.reservations AS r
        JOIN flow.order_states AS s ON s.order_id = r.order_id
        WHERE r.expires_at <= CAST(:as_of AS timestamptz)
            AND s.fulfilment_state IN ('reserved', 'partly_reserved')
    )
""")


def release(conn: sa.Connection, run: str) -> dict[str, int]:
    """Give back what the claimed orders are promised and did not get.

    `Stage.UNALLOCATE` came before, so what is still allocated has left. The fulfilment states stay:
    `Stage.SETTLE` says what becomes of the orders.

    Args:
        conn: connection inside the transaction that claimed the orders.
        run: Dagster run id.

    Returns:
        `lines` and `units` released.
    """
    hand_on(conn, NEXT[Stage.RELEASE], _ALL)
    for statement in (*_OPEN, _CLAIMED):
        conn.execute(statement)
    conn.execute(_HOLD, {"as_of": None})
    totals = _give_back(conn, "order_changed", run)
    for statement in _FORGET:
        conn.execute(statement)
    note_freed(conn)
    record_events(conn, "reservation_released", _EVENTS, run)
    return totals


def expire(conn: sa.Connection, as_of: datetime, run: str) -> dict[str, int]:
    """End the promises and holds that ran out by `as_of`.

    A promise ends only while no site was chosen for its order; the order then waits for stock
    again, behind nobody, and is called when stock comes after `as_of`.

    Args:
        conn: connection in a transaction of its own.
        as_of: business moment, given and never read from a clock here.
        run: Dagster run id.

    Returns:
        `orders` that wait again, `lines` and `units` their promises gave back, `held_units` of
        holds that ended.
    """
    for statement in _OPEN:
        conn.execute(statement)
    conn.execute(_RAN_OUT, {"as_of": as_of})
    conn.execute(_HOLD, {"as_of": as_of})
    for statement in (_HOLD_STATES, _STILL_RUN_OUT):
        conn.execute(statement)
    totals = _give_back(conn, "expired", run)
    held_units = end_holds(conn, as_of)
    note_freed(conn)
    conn.execute(_WAIT_AGAIN)
    orders = move(conn, Dimension.FULFILMENT, "backordered", "reservation_expired", _EVENTS, run)
    conn.execute(_END_WAITS)
    return {"orders": orders, **totals, "held_units": held_units}


def is_due(conn: sa.Connection, as_of: datetime) -> bool:
    """Whether `expire` would find anything at a business moment."""
    return bool(conn.execute(_IS_DUE, {"as_of": as_of}).scalar_one())


def _give_back(conn: sa.Connection, cause: str, run: str) -> dict[str, int]:
    """Lower the positions by what `released_orders` do not keep, and note it as freed."""
    conn.execute(_FIND)
    for statement in _GIVE_BACK:
        conn.execute(statement, {"cause": cause, "run": run})
    open_freed(conn)
    conn.execute(_FREED)
    found = sa.text("""
        SELECT count(*) FILTER (WHERE reserved > kept) AS lines,
            coalesce(sum(reserved - kept), 0) AS units
        FROM releasing
    """)
    row = conn.execute(found).mappings().one()
    return {name: int(value) for name, value in row.items()}
