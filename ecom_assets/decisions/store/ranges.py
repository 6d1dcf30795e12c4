"""Which orders a replay decides anew, and in which order."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

# The ledger is written nearly in the order of time, so its index finds the range in a few pages.
_RANGE = sa.text("""
    INSERT INTO replay_range
    SELECT order_id, max(decided_as_of) FROM decisions.ledger
    WHERE kind = 'risk_decision' AND decided_as_of >= :from_at AND decided_as_of < :to_at
    GROUP BY order_id
""")

_IS_ACCEPTANCE_SAME = sa.text("""
    SELECT NOT EXISTS (
        SELECT FROM replay_risks WHERE (before = 'accepted') <> (after = 'accepted')
    )
""")

# Allocations are numbered as they are written, under the locks of their SKUs: their numbers are the
# order in which orders were served. An order that was not served comes after those decided before
# it. One that was not accepted but has sites was let through by a person, and stays so. One that
# was accepted and has no promise was taken back, and stays so too.
_ORDERS = sa.text("""
    INSERT INTO replay_orders
    WITH live AS (
        SELECT a.order_id, min(a.allocation_id) AS turn, max(a.allocated_as_of) AS due_at
        FROM replay_range
        JOIN warehouse.allocations AS a USING (order_id)
        GROUP BY a.order_id
    ), promised AS (
        SELECT DISTINCT v.order_id
        FROM replay_range
        JOIN inventory.reservations AS v USING (order_id)
    ), placed AS (
        SELECT k.order_id, k.before, k.after, coalesce(l.due_at, r.decided_as_of) AS due_at,
            l.order_id IS NOT NULL AS has_sites, p.order_id IS NOT NULL AS has_promise,
            coalesce(l.turn, max(l.turn) OVER (
                ORDER BY r.decided_as_of, r.order_id ROWS UNBOUNDED PRECEDING
            ), 0) AS turn
        FROM replay_range AS r
        JOIN replay_risks AS k USING (order_id)
        LEFT JOIN live AS l USING (order_id)
        LEFT JOIN promised AS p USING (order_id)
    )
    SELECT order_id, due_at, turn FROM placed
    WHERE CASE
        WHEN :is_acceptance_same THEN has_sites
        WHEN before = 'accepted' THEN after = 'accepted' AND has_promise
        ELSE after = 'accepted' OR has_sites
    END
""")

_KEEP = sa.text("""
    INSERT INTO replay_lines
    SELECT a.order_line_id, a.order_id, a.sku, sum(a.quantity)
    FROM replay_orders
    JOIN warehouse.allocations AS a USING (order_id)
    GROUP BY a.order_line_id, a.order_id, a.sku
""")


def fill_range(conn: sa.Connection, from_at: datetime, to_at: datetime) -> int:
    """Fill `replay_range` with the orders whose risk was decided in a range, and count them."""
    return conn.execute(_RANGE, {"from_at": from_at, "to_at": to_at}).rowcount


def fill_orders(conn: sa.Connection) -> bool:
    """Fill `replay_orders` with the orders that get sites, after their risk was decided anew.

    Returns:
        Whether the same orders are accepted as before. If not, `replay_orders` has all that ask
        for stock, and who gets some is to be found out.
    """
    is_same: bool = conn.execute(_IS_ACCEPTANCE_SAME).scalar_one()
    conn.execute(_ORDERS, {"is_acceptance_same": is_same})
    return is_same


def keep_promises(conn: sa.Connection) -> int:
    """Let the lines of `replay_orders` keep the units that they have sites for."""
    return conn.execute(_KEEP).rowcount
