"""The states of an order: payment, risk, fulfilment and hold, and their legal transitions.

The four states move separately. Every move goes through `move`, which changes the state and writes
the timeline event that explains it in the same statement sequence; a move that `TRANSITIONS` does
not list is refused, here with a telling error and in the database whoever writes.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from ecom_assets.shared.columns import METADATA, Rows, moment, reference, text
from ecom_assets.shared.journal import EVENT_COLUMNS, TIMELINE


class Dimension(StrEnum):
    """The four separate states of an order."""

    PAYMENT = "payment_state"
    RISK = "risk_state"
    FULFILMENT = "fulfilment_state"
    HOLD = "hold_state"


START: dict[Dimension, str] = {
    Dimension.PAYMENT: "unchecked",
    Dimension.RISK: "undecided",
    Dimension.FULFILMENT: "new",
    Dimension.HOLD: "none",
}
"""The states of an order that was just accepted."""

TRANSITIONS: dict[Dimension, dict[str, frozenset[str]]] = {
    Dimension.PAYMENT: {
        "unchecked": frozenset({"authorised", "awaiting", "underpaid", "overpaid"}),
        "awaiting": frozenset({"authorised", "underpaid", "overpaid", "unchecked"}),
        # Back to the start: an edited order is matched and decided anew.
        "authorised": frozenset({"unchecked"}),
        "underpaid": frozenset({"unchecked"}),
        "overpaid": frozenset({"unchecked"}),
    },
    Dimension.RISK: {
        "undecided": frozenset({"accepted", "review", "rejected", "awaiting_payment"}),
        "review": frozenset({"accepted", "rejected", "undecided"}),
        "awaiting_payment": frozenset({"accepted", "review", "rejected", "undecided"}),
        "accepted": frozenset({"undecided"}),
        "rejected": frozenset({"undecided"}),
    },
    # Parts stay parts: goods that arrive later reserve anew from `backordered` only. A promise
    # that ran out before a site was chosen leaves its order waiting for stock again. Until it
    # ships an order may be cancelled, or edited and begun anew; what shipped in part can only lose
    # the rest.
    Dimension.FULFILMENT: {
        "new": frozenset({"reserved", "partly_reserved", "backordered", "cancelled"}),
        "backordered": frozenset({"reserved", "partly_reserved", "new", "cancelled"}),
        "reserved": frozenset({"allocated", "backordered", "new", "cancelled"}),
        "partly_reserved": frozenset({"partly_allocated", "backordered", "new", "cancelled"}),
        "allocated": frozenset({"shipped", "new", "cancelled"}),
        "partly_allocated": frozenset({"partly_shipped", "new", "cancelled"}),
        "partly_shipped": frozenset({"shipped"}),
    },
    Dimension.HOLD: {"none": frozenset({"held"}), "held": frozenset({"none"})},
}
"""The legal moves: dimension, then from, then to."""

TRANSITION_ROWS = sa.Table(
    "transitions",
    METADATA,
    text("dimension", "column of flow.order_states that moves", primary_key=True),
    text("from_state", "state before; empty for an order that is new", primary_key=True),
    text("to_state", "state after", primary_key=True),
    schema="flow",
    comment="The legal moves of order states; triggers refuse every other, whoever writes.",
)


def transition_rows() -> list[tuple[str, str, str]]:
    """`START` and `TRANSITIONS` as the rows of `flow.transitions`, sorted."""
    starts = {(dimension.value, "", START[dimension]) for dimension in Dimension}
    moves = {
        (dimension.value, state, to)
        for dimension, next_ in TRANSITIONS.items()
        for state, reached in next_.items()
        for to in reached
    }
    return sorted(starts | moves)


ORDER_STATES = sa.Table(
    "order_states",
    METADATA,
    reference("order_id", "order", primary_key=True),
    text("payment_state", "unchecked, authorised, awaiting, underpaid or overpaid"),
    text("risk_state", "undecided, accepted, review, rejected or awaiting_payment"),
    text(
        "fulfilment_state",
        "new, reserved, partly_reserved, backordered, allocated, partly_allocated, shipped,"
        " partly_shipped or cancelled",
    ),
    text("hold_state", "none or held"),
    moment("changed_at", "business moment of the last move"),
    schema="flow",
    comment="Where each order stands: payment, risk, fulfilment and hold move separately.",
)


class IllegalTransition(Exception):
    """A move that `TRANSITIONS` does not list; names the order and both states."""


def open_states(conn: sa.Connection, orders: Rows) -> int:
    """Give new orders, a select of `(order_id, changed_at)`, their first states."""
    given = orders.subquery()
    starts = (sa.literal(START[dimension]) for dimension in Dimension)
    source = sa.select(given.c.order_id, given.c.changed_at, *starts)
    columns = ["order_id", "changed_at", *(dimension.value for dimension in Dimension)]
    return conn.execute(sa.insert(ORDER_STATES).from_select(columns, source)).rowcount


_HOLD = sa.text("""
    WITH held AS (
        SELECT order_id FROM flow.order_states
        WHERE order_id IN (SELECT order_id FROM claimed)
        ORDER BY order_id
        FOR UPDATE
    )
    SELECT count(*) FROM held
""")


def hold_claimed(conn: sa.Connection) -> None:
    """Lock the states of the claimed orders, by order.

    For a step that moves its orders in several calls: `move` locks in the order of ids, but only
    the orders of one call. Positions of stock are locked before states, never after.
    """
    conn.execute(_HOLD)


MOVE_COLUMNS = ("order_id", "happened_at", "detail", "to_state", "event")
"""Columns that a select given to `move_each` must have."""


def move(
    conn: sa.Connection, dimension: Dimension, to_state: str, event: str, rows: Rows, run: str
) -> int:
    """Move one state of many orders to the same state; see `move_each`.

    Args:
        conn: connection inside the transaction that decided the move.
        dimension: which of the four states moves.
        to_state: the new state.
        event: timeline event to record.
        rows: a select with `(order_id, happened_at, detail)`, one row per order.
        run: Dagster run id.

    Returns:
        How many orders moved.
    """
    given = rows.subquery()
    columns = (given.c[name] for name in EVENT_COLUMNS)
    to = sa.literal(to_state, sa.Text).label("to_state")
    moves = sa.select(*columns, to, sa.literal(event, sa.Text).label("event"))
    return _move(conn, dimension, _statement(dimension, moves), run).total()


def move_each(conn: sa.Connection, dimension: Dimension, moves: Rows, run: str) -> Counter[str]:
    """Move one state of many orders and write the events that explain it, in one statement.

    Args:
        conn: connection inside the transaction that decided the moves.
        dimension: which of the four states moves.
        moves: a select with `MOVE_COLUMNS`, one row per order. A constant of its module: the
            statement around it is built once.
        run: Dagster run id.

    Returns:
        How many orders moved, by new state.

    Raises:
        IllegalTransition: an order's present state does not allow the new one, an order has no
            states or is given twice. The caller must let the transaction roll back.
    """
    return _move(conn, dimension, _built(dimension, moves), run)


def _move(
    conn: sa.Connection, dimension: Dimension, statement: sa.Select[Any], run: str
) -> Counter[str]:
    rows = conn.execute(statement, {"moved_by": run}).mappings().all()
    for row in rows:
        if row["refused"]:
            raise IllegalTransition(
                f"order {row['example']}: {dimension.value} cannot go from {row['from_state']}"
                f" to {row['to_state']}"
            )
    counts = Counter({row["to_state"]: int(row["orders"]) for row in rows})
    moved = rows[0]["moved"] if rows else 0
    # An event without its move would be a lie that nobody could tell from the truth later.
    if moved != counts.total():
        raise IllegalTransition(
            f"{counts.total()} orders were to move their {dimension.value}, but {moved} could"
        )
    return counts


def _statement(dimension: Dimension, moves: Rows) -> sa.Select[Any]:
    """Lock the states, judge the moves, write the events, move; counts per new state."""
    # Once: it may be costly, and is read for the locks, the events and the states.
    given = moves.cte("given").prefix_with("MATERIALIZED", dialect="postgresql")
    judged = _judged(dimension, given)
    recorded = sa.insert(TIMELINE).from_select(
        ["event", *EVENT_COLUMNS, "run_id"], _explained(dimension, judged)
    )
    moved = (
        sa.update(ORDER_STATES)
        .values({dimension.value: judged.c.to_state, "changed_at": judged.c.happened_at})
        .where(ORDER_STATES.c.order_id == judged.c.order_id, judged.c.are_legal)
        .returning(ORDER_STATES.c.order_id)
        .cte("moved")
    )
    is_refused = sa.and_(~judged.c.is_legal, judged.c.from_state.is_not(None))
    return (
        sa.select(
            judged.c.to_state,
            sa.func.count().label("orders"),
            sa.func.count().filter(is_refused).label("refused"),
            sa.func.min(judged.c.order_id).filter(is_refused).label("example"),
            sa.func.min(judged.c.from_state).filter(is_refused).label("from_state"),
            sa.select(sa.func.count()).select_from(moved).scalar_subquery().label("moved"),
        )
        .add_cte(recorded.cte("recorded"))
        .group_by(judged.c.to_state)
    )


_built = lru_cache(maxsize=256)(_statement)


def _judged(dimension: Dimension, given: sa.CTE) -> sa.CTE:
    """Each move with the state it starts from, as it is once it is locked, and whether it may."""
    # By id, as everybody locks them: two moves in the order of their plans could each wait for the
    # other.
    held = (
        sa.select(
            ORDER_STATES.c.order_id,
            ORDER_STATES.c.changed_at,
            ORDER_STATES.c[dimension.value].label("from_state"),
        )
        .where(ORDER_STATES.c.order_id.in_(sa.select(given.c.order_id)))
        .order_by(ORDER_STATES.c.order_id)
        .with_for_update()
        .cte("held")
    )
    legal = sa.exists().where(
        TRANSITION_ROWS.c.dimension == dimension.value,
        TRANSITION_ROWS.c.from_state == held.c.from_state,
        TRANSITION_ROWS.c.to_state == given.c.to_state,
    )
    # No move happens before an earlier one: the timeline then reads the same by time and by number.
    happened_at = sa.func.greatest(given.c.happened_at, held.c.changed_at)
    # An outer join: an order without states must be counted, so that the move is refused.
    moves = (
        sa.select(
            given.c.order_id,
            happened_at.label("happened_at"),
            given.c.detail,
            given.c.to_state,
            given.c.event,
            held.c.from_state,
            legal.label("is_legal"),
        )
        .select_from(given.outerjoin(held, held.c.order_id == given.c.order_id))
        .subquery()
    )
    # One refusal stops the whole set.
    are_legal = sa.func.bool_and(moves.c.is_legal).over().label("are_legal")
    judged = sa.select(*moves.c, are_legal).cte("judged")
    return judged.prefix_with("MATERIALIZED", dialect="postgresql")


def _explained(dimension: Dimension, judged: sa.CTE) -> sa.Select[Any]:
    """The events of the moves, each with what moved, so that states can be told from them."""
    name = sa.literal(dimension.value, sa.Text)
    build = sa.func.jsonb_build_object
    move = build("dimension", name, "from", judged.c.from_state, "to", judged.c.to_state)
    return sa.select(
        judged.c.event,
        judged.c.order_id,
        judged.c.happened_at,
        sa.cast(judged.c.detail, TIMELINE.c.detail.type).op("||")(build("moved", move)),
        sa.bindparam("moved_by", type_=sa.Text),
    ).where(judged.c.are_legal)
