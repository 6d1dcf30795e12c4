"""Withdrawals: allocations of changed orders that are taken back before their parcel leaves."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.calling_back import call_back, end_waits
from ecom_assets.shared.flow import NEXT, PENDING, Stage, hand_on
from ecom_assets.shared.journal import EVENT_COLUMNS, TIMELINE, record_events
from ecom_assets.shared.working import analyse

_OPEN = (
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS withdrawing (
            allocation_id bigint PRIMARY KEY, order_id bigint, order_line_id bigint, sku text,
            site_code text, quantity integer, allocated_as_of timestamptz, due_at timestamptz
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("DELETE FROM withdrawing"),
)

# No worker ships or allocates these orders just now: they were called back.
_FIND = sa.text("""
    INSERT INTO withdrawing
    SELECT a.allocation_id, a.order_id, a.order_line_id, a.sku, a.site_code, a.quantity,
        a.allocated_as_of, c.due_at
    FROM claimed AS c
    JOIN warehouse.allocations AS a ON a.order_id = c.order_id
    WHERE NOT EXISTS (
        SELECT FROM transport.shipments AS s
        WHERE s.order_id = a.order_id AND s.site_code = a.site_code
    )
""")
_HOLD = sa.text("""
    WITH held AS (
        SELECT sku FROM inventory.positions
        WHERE sku IN (SELECT sku FROM withdrawing)
        ORDER BY sku
        FOR UPDATE
    )
    SELECT count(*) FROM held
""")

_TAKE_BACK = (
    sa.text("""
        INSERT INTO warehouse.withdrawals (
            order_id, order_line_id, sku, site_code, quantity, allocated_as_of, withdrawn_as_of,
            run_id
        )
        SELECT order_id, order_line_id, sku, site_code, quantity, allocated_as_of, due_at, :run
        FROM withdrawing
        ORDER BY due_at, order_id, order_line_id, site_code
    """),
    sa.text("""
        DELETE FROM warehouse.allocations AS a USING withdrawing AS w
        WHERE a.allocation_id = w.allocation_id
    """),
    sa.text("""
        WITH freed AS (
            SELECT sku, site_code, sum(quantity) AS units FROM withdrawing GROUP BY sku, site_code
        )
        UPDATE warehouse.site_loads AS l SET allocated = l.allocated - freed.units
        FROM freed
        WHERE l.sku = freed.sku AND l.site_code = freed.site_code
    """),
)

_EVENTS = sa.text("""
    SELECT order_id, due_at AS happened_at, jsonb_build_object(
        'units', sum(quantity), 'sites', jsonb_agg(DISTINCT site_code)
    ) AS detail
    FROM withdrawing
    GROUP BY order_id, due_at
    ORDER BY due_at, order_id
""").columns(*(TIMELINE.c[name] for name in EVENT_COLUMNS))

_ALL = sa.text("SELECT order_id, due_at FROM claimed").columns(PENDING.c.order_id, PENDING.c.due_at)
_TOTALS = sa.text("""
    SELECT count(DISTINCT order_id) AS orders_taken_back, coalesce(sum(quantity), 0) AS units,
        count(DISTINCT (order_id, site_code)) AS parcels
    FROM withdrawing
""")


def withdraw(conn: sa.Connection, run: str) -> dict[str, int]:
    """Take back what was allocated to the claimed orders and has not left.

    The orders are called back from every stage that decides, so nobody allocates or ships them
    meanwhile. What they are promised stays until `Stage.RELEASE`, and their fulfilment state until
    `Stage.SETTLE` says what becomes of them.

    Args:
        conn: connection inside the transaction that claimed the orders.
        run: Dagster run id.

    Returns:
        `orders_taken_back`, and the `units` and `parcels` taken back.
    """
    # Before any lock on stock: those who advance the orders now may want the same stock.
    call_back(conn)
    hand_on(conn, NEXT[Stage.UNALLOCATE], _ALL)
    for statement in _OPEN:
        conn.execute(statement)
    analyse(conn, sa.text("ANALYZE withdrawing"), conn.execute(_FIND).rowcount)
    conn.execute(_HOLD)
    for statement in _TAKE_BACK:
        conn.execute(statement, {"run": run})
    record_events(conn, "allocation_withdrawn", _EVENTS, run)
    end_waits(conn)
    totals = conn.execute(_TOTALS).mappings().one()
    return {name: int(value) for name, value in totals.items()}
