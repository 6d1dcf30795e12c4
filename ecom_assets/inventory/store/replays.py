"""What a replay's orders would have been promised, where other orders than live ones were accepted.

An order that was rejected took nothing; accepted after all, it competes for stock with all that
came after it. So the promises of the whole range are made again, in the order of deciding.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from ecom_assets.inventory.store.reservations import OPEN, RESERVE
from ecom_assets.shared.flow import claim_given
from ecom_assets.shared.replays import CHUNK

# All that ever came in, without sales, less what other orders had been promised before the range.
_STOCK = (
    sa.text("""
        CREATE TEMPORARY TABLE replay_positions (
            sku text PRIMARY KEY, free bigint NOT NULL
        ) ON COMMIT DROP
    """),
    sa.text("""
        INSERT INTO replay_positions
        WITH asked AS (
            SELECT DISTINCT l.sku FROM replay_orders
            JOIN orders.order_lines AS l USING (order_id)
        ), came AS (
            SELECT sku, sum(on_hand + sold) AS units FROM inventory.balances GROUP BY sku
        ), promised AS (
            SELECT r.sku, sum(r.reserved) AS units
            FROM inventory.reservations AS r
            WHERE r.reserved_as_of < :from_at
                AND NOT EXISTS (SELECT FROM replay_range AS g WHERE g.order_id = r.order_id)
            GROUP BY r.sku
        )
        SELECT a.sku, coalesce(c.units, 0) - coalesce(p.units, 0)
        FROM asked AS a
        LEFT JOIN came AS c ON c.sku = a.sku
        LEFT JOIN promised AS p ON p.sku = a.sku
    """),
    sa.text("ANALYZE replay_positions"),
)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_NEXT = sa.text("""
    SELECT order_id, due_at FROM replay_orders
    WHERE (due_at, order_id) > (:due_at, :order_id)
    ORDER BY due_at, order_id
    LIMIT :most
""").columns(sa.column("order_id"), sa.column("due_at"))
_LAST = sa.text("SELECT due_at, order_id FROM claimed ORDER BY due_at DESC, order_id DESC LIMIT 1")
_HOLD = sa.text("""
    INSERT INTO held_positions
    SELECT p.sku, p.free FROM replay_positions AS p
    WHERE p.sku IN (
        SELECT l.sku FROM claimed AS c JOIN orders.order_lines AS l ON l.order_id = c.order_id
    )
""")
_PROMISE = RESERVE.bindparams(anew=True)
# All chunks share a transaction, in which deleted rows would still be read.
_FORGET = sa.text("TRUNCATE claimed, held_positions, reserving, reserved_orders")
_TAKE = (
    sa.text("""
        INSERT INTO replay_lines
        SELECT order_line_id, order_id, sku, reserved FROM reserving WHERE reserved > 0
    """),
    sa.text("""
        WITH promised AS (SELECT sku, sum(reserved) AS units FROM reserving GROUP BY sku)
        UPDATE replay_positions AS p SET free = p.free - promised.units
        FROM promised
        WHERE p.sku = promised.sku
    """),
)


def promise_anew(
    conn: sa.Connection, from_at: datetime, progress: Callable[[str], object], chunk: int = CHUNK
) -> None:
    """Promise stock to `replay_orders` in the order of deciding, into `replay_lines`.

    Args:
        conn: the replay's transaction; nothing live is locked or written.
        from_at: first moment of the range; what was promised before it is gone.
        progress: told after each chunk.
        chunk: orders at once.
    """
    for statement in _STOCK:
        conn.execute(statement, {"from_at": from_at})
    place: dict[str, object] = {"due_at": _BEFORE_ALL, "order_id": 0}
    count = 0
    while taken := claim_given(conn, _NEXT.bindparams(most=chunk, **place)):
        for statement in (*OPEN, _HOLD, sa.text("ANALYZE held_positions"), _PROMISE, *_TAKE):
            conn.execute(statement)
        place = dict(conn.execute(_LAST).mappings().one())
        conn.execute(_FORGET)
        count += taken
        progress(f"promises: {count:,} orders")
