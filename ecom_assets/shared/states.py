"""The states of an order: payment, risk, fulfilment and hold, and their legal transitions.

The four states move separately. Every move goes through `move`, which changes the state and writes
the timeline event that explains it in the same statement sequence; a move that `TRANSITIONS` does
not list is refused, here with a telling error and in the database whoever writes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

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
    source = sa.select(
        given.c.order_id,
        given.c.changed_at,
        *(sa.literal(START[dimension]) for dimension in Dimension),
    )
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


def move(
    conn: sa.Connection, dimension: Dimension, to_state: str, event: str, rows: Rows, run: str
) -> int:
    """Move one state of many orders and write the event that explains it.

    Args:
        conn: connection inside the transaction that decided the move.
        dimension: which of the four states moves.
        to_state: the new state.
        event: timeline event to record.
        rows: a select with `(order_id, happened_at, detail)`, one row per order.
        run: Dagster run id.

    Returns:
        How many orders moved.

    Raises:
        IllegalTransition: an order's present state does not allow `to_state`, an order has no
            states or is given twice, or another worker moved it meanwhile. The caller must let the
            transaction roll back.
    """
    legal = [state for state, next_ in TRANSITIONS[dimension].items() if to_state in next_]
    refused, example, state = conn.execute(_look(dimension, legal, rows)).tuples().one()
    if refused:
        raise IllegalTransition(
            f"order {example}: {dimension.value} cannot go from {state} to {to_state}"
        )
    statement = _move(dimension, legal, to_state, event, rows, run)
    recorded, moved = conn.execute(statement).tuples().one()
    # An event without its move would be a lie that nobody could tell from the truth later.
    if moved != recorded:
        raise IllegalTransition(
            f"{recorded} orders were to go to {dimension.value} {to_state}, but {moved} could"
        )
    return moved


def _look(dimension: Dimension, legal: list[str], rows: Rows) -> sa.Select[tuple[int, int, str]]:
    """Lock the states; how many of them refuse the move, and one of those to tell of."""
    given = rows.subquery()
    column = ORDER_STATES.c[dimension.value]
    # By id, as everybody locks them: two updates in the order of their plans could each wait for
    # the other.
    locked = sa.select(ORDER_STATES.c.order_id, column.label("state")).where(
        ORDER_STATES.c.order_id.in_(sa.select(given.c.order_id))
    )
    held = locked.order_by(ORDER_STATES.c.order_id).with_for_update().cte("held")
    is_refused = held.c.state.not_in(legal)
    first = sa.func.min(held.c.order_id).filter(is_refused)
    state = sa.func.array_agg(aggregate_order_by(held.c.state, held.c.order_id)).filter(is_refused)
    return sa.select(sa.func.count().filter(is_refused), first, state[1])


def _move(
    dimension: Dimension, legal: list[str], to_state: str, event: str, rows: Rows, run: str
) -> sa.Select[tuple[int, int]]:
    """Write the events and move the states, in one statement: how many of each.

    Both see the states as they were before, whatever `rows` asks of them. The condition is there
    again: between the look and this statement another worker may have moved the order.
    """
    # Once: it may be costly, and is read for the events and for the states.
    given = rows.cte("given").prefix_with("MATERIALIZED", dialect="postgresql")
    column = ORDER_STATES.c[dimension.value]
    explained = _explained(dimension, to_state, given).subquery()
    source = sa.select(sa.literal(event), *explained.c, sa.literal(run))
    recorded = (
        sa.insert(TIMELINE)
        .from_select(["event", *EVENT_COLUMNS, "run_id"], source)
        .returning(sa.literal(1))
        .cte("recorded")
    )
    changed_at = sa.func.greatest(given.c.happened_at, ORDER_STATES.c.changed_at)
    moved = (
        sa.update(ORDER_STATES)
        .values({column: sa.literal(to_state, sa.Text), ORDER_STATES.c.changed_at: changed_at})
        .where(ORDER_STATES.c.order_id == given.c.order_id, column.in_(legal))
        .returning(sa.literal(1))
        .cte("moved")
    )
    counts = (sa.select(sa.func.count()).select_from(part) for part in (recorded, moved))
    return sa.select(*(count.scalar_subquery() for count in counts))


def _explained(
    dimension: Dimension, to_state: str, given: sa.CTE
) -> sa.Select[tuple[int, Any, Any]]:
    """The events of a move, each with what moved, so that states can be told from the timeline."""
    moved = sa.func.jsonb_build_object(
        "moved",
        sa.func.jsonb_build_object(
            "dimension", sa.literal(dimension.value, sa.Text),
            "from", ORDER_STATES.c[dimension.value],
            "to", sa.literal(to_state, sa.Text),
        ),
    )  # fmt: skip
    # No move happens before an earlier one: the timeline then reads the same by time and by number.
    happened_at = sa.func.greatest(given.c.happened_at, ORDER_STATES.c.changed_at)
    # An outer join: an order without states must be counted, so that the move is refused.
    return sa.select(
        given.c.order_id,
        happened_at.label("happened_at"),
        sa.cast(given.c.detail, TIMELINE.c.detail.type).op("||")(moved).label("detail"),
    ).select_from(given.outerjoin(ORDER_STATES, ORDER_STATES.c.order_id == given.c.order_id))
