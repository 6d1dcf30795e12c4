"""Bringing orders to a standstill: no worker is at them, and none comes until the transaction ends.

Workers lock an order's row in `flow.pending` first and its states last. Who wants to stop an order
takes the same order of locks and never waits for states while it keeps the queue: so nobody waits
in a circle, and what a worker had begun is finished before the order stands still.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ecom_assets.shared.flow import HOLDABLE

_Given = dict[str, list[int] | list[str]]

_STAGES = [stage.value for stage in HOLDABLE]

# Waits for the workers that hold one of the rows, in one order for all who do this.
_LOCK_QUEUE = sa.text("""
    SELECT order_id FROM flow.pending
    WHERE order_id = ANY(:orders) AND stage = ANY(:stages)
    ORDER BY order_id, stage
    FOR UPDATE
""")
_LOCK_STATES = sa.text("""
    WITH locked AS (
        SELECT order_id FROM flow.order_states WHERE order_id = ANY(:orders)
        ORDER BY order_id
        FOR UPDATE SKIP LOCKED
    )
    SELECT (SELECT count(*) FROM locked)
        = (SELECT count(*) FROM flow.order_states WHERE order_id = ANY(:orders))
""")
# A worker that was waited for has handed the order on: another one may be at the next stage now.
_QUEUE_IS_OURS = sa.text("""
    WITH locked AS (
        SELECT order_id FROM flow.pending WHERE order_id = ANY(:orders) AND stage = ANY(:stages)
        FOR UPDATE SKIP LOCKED
    )
    SELECT (SELECT count(*) FROM locked) = (
        SELECT count(*) FROM flow.pending WHERE order_id = ANY(:orders) AND stage = ANY(:stages))
""")
_WITHDRAW = sa.text("""
    DELETE FROM flow.pending WHERE order_id = ANY(:orders) AND stage = ANY(:stages)
""")
_MARK = sa.text("""
    UPDATE flow.pending SET is_held = :is_held
    WHERE order_id = ANY(:orders) AND stage = ANY(:stages) AND is_held <> :is_held
""")
_A_MOMENT = sa.text("SELECT pg_sleep(0.01)")


def stand_still(conn: sa.Connection, orders: Sequence[int]) -> None:
    """Wait until no worker decides about the orders, and keep all away until the transaction ends.

    Args:
        conn: connection inside a transaction (READ COMMITTED) that holds no states of orders yet.
        orders: the orders' ids.
    """
    given: _Given = {"orders": list(orders), "stages": _STAGES}
    while not _try_to_stop(conn, given):
        conn.execute(_A_MOMENT)


def _try_to_stop(conn: sa.Connection, given: _Given) -> bool:
    with conn.begin_nested() as attempt:
        conn.execute(_LOCK_QUEUE, given)
        has_states = conn.execute(_LOCK_STATES, {"orders": given["orders"]}).scalar_one()
        if has_states and conn.execute(_QUEUE_IS_OURS, given).scalar_one():
            return True
        # Gives back every lock of this attempt, so that the worker we met can finish.
        attempt.rollback()
    return False


def withdraw(conn: sa.Connection, orders: Sequence[int]) -> int:
    """Take orders that stand still out of the queue of every stage that decides about them."""
    return conn.execute(_WITHDRAW, {"orders": list(orders), "stages": _STAGES}).rowcount


def mark(conn: sa.Connection, orders: Sequence[int], is_held: bool) -> int:
    """Keep what orders wait for from being claimed, or let it be claimed again."""
    given = {"orders": list(orders), "stages": _STAGES, "is_held": is_held}
    return conn.execute(_MARK, given).rowcount
