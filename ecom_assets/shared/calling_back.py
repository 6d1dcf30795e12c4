"""Orders taken out of the queue by who changes them: nobody else may advance them meanwhile."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ecom_assets.shared.flow import HOLDABLE, Stage

# `seen` is what stood in the queue when the statement began. A wait that another worker has claimed
# is among it, so fewer locked than seen means that an order moved on while it was waited for.
_CALL_BACK = sa.text("""
    WITH seen AS (
        SELECT count(*) AS waits FROM flow.pending
        WHERE order_id IN (SELECT order_id FROM claimed) AND stage = ANY(:stages)
    ), locked AS (
        SELECT stage FROM flow.pending
        WHERE order_id IN (SELECT order_id FROM claimed) AND stage = ANY(:stages)
        ORDER BY order_id, stage
        FOR UPDATE
    )
    SELECT seen.waits = (SELECT count(*) FROM locked) FROM seen
""")
_END_WAITS = sa.text("""
    DELETE FROM flow.pending
    WHERE order_id IN (SELECT order_id FROM claimed) AND stage = ANY(:stages)
""")


def call_back(conn: sa.Connection, stages: Iterable[Stage] = HOLDABLE) -> None:
    """Make sure that no other worker advances one of the claimed orders through `stages`.

    Waits for those that do just now, and locks what the orders still wait for; `end_waits` then
    ends it. Call this before any other lock is taken: those workers may want the same rows.

    Args:
        conn: connection inside the transaction that claimed the orders.
        stages: stages other than the one the orders were claimed for.
    """
    names = {"stages": [stage.value for stage in stages]}
    # An order that was advanced meanwhile waits for the stage after; the path has an end.
    while not conn.execute(_CALL_BACK, names).scalar_one():
        continue


def end_waits(conn: sa.Connection, stages: Iterable[Stage] = HOLDABLE) -> int:
    """End what the claimed orders wait for; last in a transaction that called them back.

    Whoever hands an order on waits for one who deletes the same wait, but not for one who only
    holds it: deleting last keeps that from closing a circle.

    Returns:
        How many waits were ended.
    """
    return conn.execute(_END_WAITS, {"stages": [stage.value for stage in stages]}).rowcount
