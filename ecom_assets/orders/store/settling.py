"""Settling changes: what was decided is taken back, now the order ends or begins anew.

An edit, or a cancellation that leaves something, rewrites the order from its new document; the
order then stands at its start and every stage decides it again. A cancelled order ends, and what
was paid for it is given back. An order that shipped in part keeps what has left the house.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from ecom_assets.orders.model import ACCEPTANCE_VERSION, CHANGE_VERSION, SUPERSEDED_BY_REVISION
from ecom_assets.orders.store import acceptance, changes, claims, rewriting, validation
from ecom_assets.shared import flow, holds
from ecom_assets.shared.journal import (
    DECISION_COLUMNS,
    EVENT_COLUMNS,
    record_decisions,
    record_events,
)
from ecom_assets.shared.states import START, Dimension, move
from ecom_assets.shared.working import open_empty, working_table

SETTLING = working_table(
    "settling_changes",
    sa.Column("order_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("change_id", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("happened_at", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("asked_inbox_id", sa.BigInteger),
    sa.Column("revised_inbox_id", sa.BigInteger),
    sa.Column("former_inbox_id", sa.BigInteger, nullable=False),
    sa.Column("is_unmatched", sa.Boolean, nullable=False),
    sa.Column("before", JSONB, nullable=False),
)
"""Changes a step settles; the outcome is `cancelled`, `rest_cancelled` or `reopened`."""

_FIND = sa.text("""
    INSERT INTO settling_changes
    SELECT c.order_id, x.change_id, x.kind, CASE
            WHEN x.revised_inbox_id IS NULL THEN 'cancelled'
            WHEN s.fulfilment_state = 'partly_shipped' THEN 'rest_cancelled'
            ELSE 'reopened' END,
        x.effective_as_of, x.requested_by, x.reason, x.inbox_id, x.revised_inbox_id, o.inbox_id,
        s.payment_state = 'unchecked', orders.content_of(c.order_id)
    FROM claimed AS c
    JOIN orders.changes AS x ON x.order_id = c.order_id AND x.state = 'started'
    JOIN orders.orders AS o ON o.order_id = c.order_id
    JOIN flow.order_states AS s ON s.order_id = c.order_id
""")
_CLAIM_DOCUMENTS = sa.text("""
    INSERT INTO claimed_messages (inbox_id, is_revised)
    SELECT revised_inbox_id, false FROM settling_changes WHERE revised_inbox_id IS NOT NULL
""")
_EDITED = sa.text("""
    SELECT order_id, happened_at, jsonb_build_object(
        'change', change_id, 'by', requested_by, 'reason', reason,
        'before', before, 'after', orders.content_of(order_id)) AS detail
    FROM settling_changes
    WHERE revised_inbox_id IS NOT NULL AND kind = :kind
    ORDER BY order_id
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))
_MOVED = sa.text("""
    SELECT order_id, happened_at, jsonb_build_object(
        'change', change_id, 'by', requested_by, 'reason', reason) AS detail
    FROM settling_changes WHERE outcome = :outcome
    ORDER BY order_id
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))
# Each state by itself: an order is where it is in each of them, and may be at a start already.
_NOT_UNCHECKED = sa.text("""
    SELECT c.order_id, c.happened_at, jsonb_build_object('change', c.change_id) AS detail
    FROM settling_changes AS c JOIN flow.order_states AS s USING (order_id)
    WHERE c.outcome <> 'cancelled' AND s.payment_state <> :start
    ORDER BY c.order_id
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))
_NOT_UNDECIDED = sa.text("""
    SELECT c.order_id, c.happened_at, jsonb_build_object('change', c.change_id) AS detail
    FROM settling_changes AS c JOIN flow.order_states AS s USING (order_id)
    WHERE c.outcome = 'reopened' AND s.risk_state <> :start
    ORDER BY c.order_id
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))
_NOT_NEW = sa.text("""
    SELECT c.order_id, c.happened_at, jsonb_build_object('change', c.change_id) AS detail
    FROM settling_changes AS c JOIN flow.order_states AS s USING (order_id)
    WHERE c.outcome = 'reopened' AND s.fulfilment_state <> :start
    ORDER BY c.order_id
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))
_REOPENED = (
    (Dimension.PAYMENT, "payment_reopened", _NOT_UNCHECKED),
    (Dimension.RISK, "risk_reopened", _NOT_UNDECIDED),
    (Dimension.FULFILMENT, "order_reopened", _NOT_NEW),
)
_MESSAGES = sa.text("""
    UPDATE orders.inbox AS m SET run_id = :run, state = CASE
            WHEN m.inbox_id = c.revised_inbox_id THEN 'accepted'
            WHEN m.inbox_id = c.former_inbox_id THEN 'superseded' ELSE 'applied' END,
        reason = CASE WHEN m.inbox_id = c.former_inbox_id THEN :superseded END
    FROM settling_changes AS c
    WHERE m.inbox_id = c.revised_inbox_id
        OR (m.inbox_id = c.former_inbox_id AND c.revised_inbox_id IS NOT NULL)
        OR (m.inbox_id = c.asked_inbox_id AND m.state = 'changing')
""")
_APPLIED = sa.text("""
    UPDATE orders.changes AS x SET state = 'applied', run_id = :run
    FROM settling_changes AS c WHERE x.change_id = c.change_id
""")
_DECISIONS = sa.text("""
    SELECT order_id, '' AS subject, jsonb_build_object(
            'change', change_id, 'kind', kind, 'message', revised_inbox_id, 'before', before)
            AS inputs,
        CAST(:version AS text) AS version, outcome, '{}'::text[] AS reasons,
        happened_at AS decided_as_of
    FROM settling_changes
    ORDER BY order_id
""").columns(*(sa.column(name) for name in DECISION_COLUMNS))
_REWRITTEN = sa.text("""
    INSERT INTO accepted_orders (order_id, inbox_id)
    SELECT order_id, revised_inbox_id FROM settling_changes WHERE revised_inbox_id IS NOT NULL
""")
_ANEW = sa.text("""
    SELECT c.order_id, o.decided_as_of AS due_at
    FROM settling_changes AS c JOIN orders.orders AS o USING (order_id)
    WHERE c.outcome = 'reopened'
""").columns(sa.column("order_id"), sa.column("due_at"))
# What was never matched, or is due less than before, is matched first: then it is known what to
# return.
_TO_MATCH = sa.text("""
    SELECT order_id, happened_at AS due_at FROM settling_changes
    WHERE outcome = 'rest_cancelled' OR (outcome = 'cancelled' AND is_unmatched)
""").columns(sa.column("order_id"), sa.column("due_at"))
_TO_RETURN = sa.text("""
    SELECT order_id, happened_at AS due_at FROM settling_changes
    WHERE outcome = 'cancelled' AND NOT is_unmatched
""").columns(sa.column("order_id"), sa.column("due_at"))


def settle_changes(conn: sa.Connection, run: str) -> dict[str, int]:
    """Carry out the started changes of the claimed orders.

    Args:
        conn: connection with `claimed` filled for `Stage.SETTLE`.
        run: Dagster run id.

    Returns:
        Orders `cancelled`, with their rest cancelled (`rest_cancelled`), and `reopened`.
    """
    open_empty(conn, SETTLING, claims.CLAIMED)
    conn.execute(_FIND)
    conn.execute(_CLAIM_DOCUMENTS)
    validation.read_claimed(conn)
    rewriting.rewrite(conn, run)
    for kind, event in (("edit", "order_edited"), ("cancel", "order_lines_cancelled")):
        record_events(conn, event, _EDITED.bindparams(kind=kind), run)
    _end_holds(conn, run)
    counts = _move(conn, run)
    conn.execute(_MESSAGES, {"run": run, "superseded": SUPERSEDED_BY_REVISION})
    conn.execute(_APPLIED, {"run": run})
    _decide(conn, run)
    flow.hand_on(conn, flow.FIRST, _ANEW)
    flow.hand_on(conn, (flow.Stage.PAYMENT,), _TO_MATCH)
    flow.hand_on(conn, (flow.Stage.RETURN_MONEY,), _TO_RETURN)
    changes.halt_again(conn, list(conn.execute(sa.select(SETTLING.c.order_id)).scalars()))
    return counts


def _end_holds(conn: sa.Connection, run: str) -> None:
    """End the holds of orders that end; of those that begin anew only what the platform held for.

    A person's hold has reasons of its own and stays.
    """
    row = SETTLING.c
    rows = sa.select(row.order_id, row.happened_at, row.requested_by)
    ended = conn.execute(rows.where(row.outcome != "reopened")).tuples().all()
    holds.end(conn, ended, run)
    anew = conn.execute(rows.where(row.outcome == "reopened")).tuples().all()
    holds.end(conn, anew, run, only=[reason.value for reason in holds.Reason])


def _move(conn: sa.Connection, run: str) -> dict[str, int]:
    counts = {}
    for outcome, state, event in (
        ("cancelled", "cancelled", "order_cancelled"),
        ("rest_cancelled", "shipped", "order_rest_cancelled"),
    ):
        rows = _MOVED.bindparams(outcome=outcome)
        counts[outcome] = move(conn, Dimension.FULFILMENT, state, event, rows, run)
    for dimension, event, rows in _REOPENED:
        start = START[dimension]
        move(conn, dimension, start, event, rows.bindparams(start=start), run)
    anew = sa.select(sa.func.count()).where(SETTLING.c.outcome == "reopened")
    return counts | {"reopened": conn.execute(anew).scalar_one()}


def _decide(conn: sa.Connection, run: str) -> None:
    record_decisions(conn, "order_change", _DECISIONS.bindparams(version=CHANGE_VERSION), run)
    open_empty(conn, acceptance.ACCEPTED)
    conn.execute(_REWRITTEN)
    accepted = acceptance.DECISIONS.bindparams(version=ACCEPTANCE_VERSION)
    record_decisions(conn, "order_acceptance", accepted, run)
