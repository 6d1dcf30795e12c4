"""Holds: orders that nobody may advance until they are released, with reason and expiry.

A hold is a row of `flow.holds`, the state `held` and the mark on what the order waits for, all in
one transaction: from its commit on no stage that decides about the order or ships it advances it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ecom_assets.shared.columns import (
    METADATA,
    Rows,
    identity,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
)
from ecom_assets.shared.journal import EVENT_COLUMNS
from ecom_assets.shared.standstill import mark, stand_still
from ecom_assets.shared.states import Dimension, move

HOLDS = sa.Table(
    "holds",
    METADATA,
    identity("hold_id", "surrogate key"),
    reference("order_id", "order that is held"),
    text("reason", "why, a code such as review or address_check"),
    text("placed_by", "person or area that placed it"),
    moment("placed_at", "business moment from which the order is held"),
    moment("expires_at", "when it ends by itself; empty for never", nullable=True),
    moment("released_at", "business moment of its end; empty while it is open", nullable=True),
    text("released_by", "person or area that ended it", nullable=True),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("(released_at IS NULL) = (released_by IS NULL)", name="released_by_someone"),
    sa.CheckConstraint("released_at >= placed_at", name="released_after_placed"),
    sa.CheckConstraint("expires_at > placed_at", name="expires_after_placed"),
    sa.Index(
        "holds_one_open_idx",
        "order_id",
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    ),
    sa.Index("holds_expiring_idx", "expires_at", postgresql_where=sa.text("released_at IS NULL")),
    schema="flow",
    comment="Holds of orders, each with its reason and its end.",
)


class Reason(StrEnum):
    """Reasons the platform itself holds an order for; people may give others."""

    REVIEW = "review"
    NO_CARRIER = "no_carrier"


OPERATOR_RUN = "operator"
"""Run id of what a person did outside of a run."""

_HELD_NOW = sa.text("""
    SELECT order_id FROM flow.order_states
    WHERE order_id = ANY(:orders) AND hold_state = 'none'
        AND fulfilment_state NOT IN ('shipped', 'cancelled')
    ORDER BY order_id
""")
# One order of locks for all who end holds.
_OPEN = sa.text("""
    SELECT h.order_id, g.ended_at, g.ended_by FROM flow.holds AS h
    JOIN flow.order_states AS s USING (order_id)
    JOIN unnest(CAST(:orders AS bigint[]), CAST(:moments AS timestamptz[]), CAST(:people AS text[]))
        AS g (order_id, ended_at, ended_by) USING (order_id)
    WHERE h.released_at IS NULL AND (h.reason = ANY(:reasons)) = :are_meant
    ORDER BY h.order_id
    FOR UPDATE OF s
""")
_RELEASED = sa.text("""
    SELECT g.order_id, g.ended_at AS happened_at,
        jsonb_build_object('reason', h.reason, 'by', g.ended_by) AS detail
    FROM unnest(CAST(:orders AS bigint[]), CAST(:moments AS timestamptz[]), CAST(:people AS text[]))
        AS g (order_id, ended_at, ended_by)
    JOIN flow.holds AS h ON h.order_id = g.order_id AND h.released_at IS NULL
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))
# Not before its start: a moment that a person gives may lie before what a run has done since.
_CLOSE = sa.text("""
    UPDATE flow.holds AS h
    SET released_at = greatest(g.ended_at, h.placed_at), released_by = g.ended_by
    FROM unnest(CAST(:orders AS bigint[]), CAST(:moments AS timestamptz[]), CAST(:people AS text[]))
        AS g (order_id, ended_at, ended_by)
    WHERE h.order_id = g.order_id AND h.released_at IS NULL
""")
_EXPIRED = sa.text("""
    SELECT order_id, expires_at FROM flow.holds
    WHERE released_at IS NULL AND expires_at <= :as_of AND reason <> :review
    ORDER BY order_id
""")
_PLACED = sa.text("""
    SELECT order_id, CAST(:at AS timestamptz) AS happened_at, '{}'::jsonb AS detail
    FROM unnest(CAST(:orders AS bigint[])) AS given (order_id)
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))


def place(
    conn: sa.Connection,
    rows: Rows,
    reason: str,
    by: str,
    run: str,
    expires_at: datetime | None = None,
    event: str = "order_held",
) -> int:
    """Hold orders that the caller's transaction has claimed, or that stand still.

    Args:
        conn: connection inside that transaction.
        rows: a select of `(order_id, happened_at, detail)`; it must not depend on the hold state.
        reason: why, a code.
        by: person or area that holds them.
        run: Dagster run id.
        expires_at: when the hold ends by itself; never, if not given.
        event: timeline event to record.

    Returns:
        How many orders are held now.

    Raises:
        IllegalTransition: an order is held already.
    """
    given = rows.subquery()
    told = sa.func.jsonb_build_object(
        "reason", sa.literal(reason, sa.Text), "by", sa.literal(by, sa.Text),
        "expires_at", sa.literal(expires_at, HOLDS.c.expires_at.type),
    )  # fmt: skip
    detail = sa.cast(given.c.detail, JSONB)
    events = sa.select(given.c.order_id, given.c.happened_at, told.op("||")(detail).label("detail"))
    held = move(conn, Dimension.HOLD, "held", event, events, run)
    columns = ["order_id", "placed_at", "reason", "placed_by", "expires_at", "run_id"]
    source = sa.select(
        given.c.order_id, given.c.happened_at, sa.literal(reason), sa.literal(by),
        sa.literal(expires_at, HOLDS.c.expires_at.type), sa.literal(run),
    )  # fmt: skip
    conn.execute(sa.insert(HOLDS).from_select(columns, source))
    return held


def hold(
    conn: sa.Connection,
    orders: Rows,
    reason: str,
    by: str,
    at: datetime,
    expires_at: datetime | None = None,
    run: str = OPERATOR_RUN,
) -> int:
    """Hold orders, whatever stage they are at; what a worker has begun is finished first.

    Orders that are held, have shipped or are cancelled are left alone.

    Args:
        conn: connection inside a transaction that has changed no order before.
        orders: a select of one column, the orders' ids.
        reason: why, a code.
        by: the person.
        at: business moment.
        expires_at: when the hold ends by itself; never, if not given.
        run: Dagster run id, if a run does it.

    Returns:
        How many orders are held now that were not.
    """
    ids = _ids(conn, orders)
    stand_still(conn, ids)
    free = list(conn.execute(_HELD_NOW, {"orders": ids}).scalars())
    rows = _PLACED.bindparams(at=at, orders=free)
    held = place(conn, rows, reason, by, run, expires_at)
    mark(conn, free, is_held=True)
    return held


def release(
    conn: sa.Connection, orders: Rows, by: str, at: datetime, run: str = OPERATOR_RUN
) -> int:
    """End the open holds of orders and let what they wait for be claimed again.

    A hold for review is left alone: its release is a decision, see the risk area's `review`.

    Args:
        conn: connection inside a transaction.
        orders: a select of one column, the orders' ids.
        by: person or area that releases them.
        at: business moment.
        run: Dagster run id, if a run does it.

    Returns:
        How many orders were released.
    """
    endings = [(order, at, by) for order in _ids(conn, orders)]
    return end(conn, endings, run, but=(Reason.REVIEW.value,))


def end(
    conn: sa.Connection,
    endings: Sequence[tuple[int, datetime, str]],
    run: str,
    only: Sequence[str] | None = None,
    but: Sequence[str] = (),
) -> int:
    """End open holds, each at its own moment.

    Args:
        conn: connection inside the transaction that has reason to end them.
        endings: order, business moment, and person or area that ends its hold.
        run: Dagster run id.
        only: reasons of the holds that are meant; all, if not given.
        but: reasons of holds that stay, where `only` is not given.

    Returns:
        How many orders were released; those without such a hold are left alone.
    """
    reasons = {"reasons": list(but if only is None else only), "are_meant": only is not None}
    free = conn.execute(_OPEN, _arrays(endings) | reasons).tuples().all()
    given = _arrays(free)
    rows = _RELEASED.bindparams(**given)
    released = move(conn, Dimension.HOLD, "none", "order_released", rows, run)
    conn.execute(_CLOSE, given)
    mark(conn, given["orders"], is_held=False)
    return released


def _arrays(endings: Sequence[tuple[int, datetime, str]]) -> dict[str, list[Any]]:
    orders, moments, people = ([each[at] for each in endings] for at in range(3))
    return {"orders": orders, "moments": moments, "people": people}


def release_expired(conn: sa.Connection, as_of: datetime, run: str = OPERATOR_RUN) -> int:
    """End the holds that expired by `as_of`, each at its own moment; returns how many orders."""
    expired = conn.execute(_EXPIRED, {"as_of": as_of, "review": Reason.REVIEW.value})
    endings = [(order_id, expires_at, "expiry") for order_id, expires_at in expired.tuples()]
    return end(conn, endings, run)


def _ids(conn: sa.Connection, orders: Rows) -> list[int]:
    return sorted(set(conn.execute(orders).scalars()))
