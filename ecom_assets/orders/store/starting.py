"""Starting changes of accepted orders: stop the order, refuse what cannot be, hand on what can.

A change is looked at when nobody works at its order any more. What is refused changes nothing; what
is not is handed to the stages that take back what was decided, and carried out by `settling`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from ecom_assets.orders.model import CHANGE_VERSION
from ecom_assets.orders.store import cancelling, changes, claims, validation
from ecom_assets.shared import flow
from ecom_assets.shared.journal import (
    DECISION_COLUMNS,
    EVENT_COLUMNS,
    record_decisions,
    record_events,
)
from ecom_assets.shared.standstill import mark, stand_still, withdraw
from ecom_assets.shared.working import open_empty, working_table

STARTING = working_table(
    "starting_changes",
    sa.Column("change_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("order_id", sa.BigInteger, nullable=False),
    sa.Column("inbox_id", sa.BigInteger),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("requested_at", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("revised_inbox_id", sa.BigInteger),
    sa.Column("fulfilment_state", sa.Text),
    sa.Column("effective_as_of", TIMESTAMP(timezone=True)),
    sa.Column("refusal", sa.Text),
)
"""Changes a step looks at; `refusal` is `reason: detail`."""

# The first of each order, and only while the order is neither being changed nor about to have its
# shipping booked: both end by themselves.
_PICK = sa.text("""
    INSERT INTO starting_changes
        (change_id, order_id, inbox_id, kind, document, requested_at, revised_inbox_id)
    SELECT c.change_id, c.order_id, c.inbox_id, c.kind, c.document, c.requested_at,
        c.revised_inbox_id
    FROM orders.changes AS c
    WHERE c.state = 'pending'
        AND NOT EXISTS (
            SELECT FROM orders.changes AS e
            WHERE e.order_id = c.order_id AND (e.state = 'started' OR e.state = 'pending'
                AND (e.requested_at, e.change_id) < (c.requested_at, c.change_id)))
        AND NOT EXISTS (
            SELECT FROM flow.pending AS p
            WHERE p.order_id = c.order_id AND p.stage = ANY(:busy))
    ORDER BY c.requested_at, c.change_id
    LIMIT :most
    FOR UPDATE OF c SKIP LOCKED
""")
_COUNT = sa.text("""
    SELECT count(*) FROM orders.changes AS c
    WHERE c.state = 'pending' AND NOT EXISTS (
        SELECT FROM flow.pending AS p WHERE p.order_id = c.order_id AND p.stage = ANY(:busy))
""")
_BUSY = [stage.value for stage in (*flow.TAKE_BACK, *flow.AFTER_SHIPPING)]
# While we waited for its worker the order may have shipped, or another worker changed it.
_LEAVE_BUSY = sa.text("""
    DELETE FROM starting_changes AS c USING flow.pending AS p
    WHERE p.order_id = c.order_id AND p.stage = ANY(:busy)
""")
# Not before what has happened to the order: a message may be late, and time does not run back.
_LOOK = sa.text("""
    UPDATE starting_changes AS c SET fulfilment_state = s.fulfilment_state,
        effective_as_of = greatest(c.requested_at, s.changed_at),
        refusal = CASE
            WHEN s.fulfilment_state = 'cancelled' THEN 'already_cancelled: the order is cancelled'
            WHEN s.fulfilment_state = 'shipped' THEN 'already_shipped: the order has shipped'
            WHEN s.fulfilment_state = 'partly_shipped'
                AND (c.kind = 'edit' OR jsonb_typeof(c.document -> 'lines') <> 'null')
                THEN 'already_shipped_in_part: only the rest that has not shipped can be cancelled,'
                    || ' as a whole'
        END
    FROM flow.order_states AS s WHERE s.order_id = c.order_id
""")
_CLAIM_DOCUMENTS = sa.text("""
    INSERT INTO claimed_messages (inbox_id, is_revised)
    SELECT revised_inbox_id, false FROM starting_changes
    WHERE refusal IS NULL AND revised_inbox_id IS NOT NULL
""")
_REFUSE_DOCUMENTS = sa.text("""
    UPDATE starting_changes AS c SET refusal = coalesce(m.fault, CASE
        WHEN m.customer_key <> o.customer_key
            THEN 'customer_changed: customer.key must stay what it is'
        WHEN m.currency <> o.currency
            THEN 'currency_changed: currency must stay ' || o.currency END)
    FROM read_messages AS m, orders.orders AS o
    WHERE c.refusal IS NULL AND m.inbox_id = c.revised_inbox_id AND o.order_id = c.order_id
""")
_REFUSED = sa.text("""
    UPDATE orders.changes AS x SET state = 'refused', refusal = split_part(c.refusal, ': ', 1),
        refusal_detail = substr(c.refusal, strpos(c.refusal, ': ') + 2), run_id = :run
    FROM starting_changes AS c WHERE c.refusal IS NOT NULL AND x.change_id = c.change_id
""")
_FAULTY = sa.text("""
    INSERT INTO faulty_messages (inbox_id, fault)
    SELECT m.inbox_id, c.refusal
    FROM starting_changes AS c
    JOIN orders.inbox AS m ON m.inbox_id IN (c.inbox_id, c.revised_inbox_id)
    WHERE c.refusal IS NOT NULL AND m.state = 'changing'
""")
_STARTED = sa.text("""
    UPDATE orders.changes AS x SET state = 'started', effective_as_of = c.effective_as_of,
        revised_inbox_id = c.revised_inbox_id, run_id = :run
    FROM starting_changes AS c WHERE c.refusal IS NULL AND x.change_id = c.change_id
""")
_EVENTS = sa.text("""
    SELECT c.order_id, c.effective_as_of AS happened_at, jsonb_strip_nulls(jsonb_build_object(
        'change', c.change_id, 'kind', c.kind, 'by', x.requested_by, 'reason', x.reason,
        'lines', c.document -> 'lines', 'refused', c.refusal)) AS detail
    FROM starting_changes AS c JOIN orders.changes AS x USING (change_id)
    WHERE c.kind = :kind AND (c.refusal IS NOT NULL) = :is_refused
    ORDER BY c.order_id
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))
_DECISIONS = sa.text("""
    SELECT c.order_id, '' AS subject, jsonb_build_object(
            'change', c.change_id, 'kind', c.kind, 'document', c.document,
            'message', c.revised_inbox_id, 'requested_at', c.requested_at,
            'fulfilment_state', c.fulfilment_state) AS inputs,
        CAST(:version AS text) AS version,
        CASE WHEN c.refusal IS NULL THEN 'started' ELSE 'refused' END AS outcome,
        array_remove(ARRAY[split_part(c.refusal, ': ', 1)], NULL) AS reasons,
        c.effective_as_of AS decided_as_of
    FROM starting_changes AS c
    ORDER BY c.order_id
""").columns(*(sa.column(name) for name in DECISION_COLUMNS))
_LET_GO = sa.text("""
    SELECT c.order_id FROM starting_changes AS c JOIN flow.order_states AS s USING (order_id)
    WHERE c.refusal IS NOT NULL AND s.hold_state = 'none'
""")
_PASSED = sa.text("""
    SELECT order_id, effective_as_of AS due_at FROM starting_changes WHERE refusal IS NULL
""").columns(sa.column("order_id"), sa.column("due_at"))


def count_startable(conn: sa.Connection) -> int:
    """Changes that may be looked at now; those of busy orders wait until these are not."""
    return int(conn.execute(_COUNT, {"busy": _BUSY}).scalar_one())


def start_pending(
    begin: Callable[[], AbstractContextManager[sa.Connection]],
    run: str,
    progress: Callable[[str], object] | None = None,
    chunk: int = flow.CHUNK,
) -> Counter[str]:
    """Start or refuse every change that may be carried out now, a chunk per transaction.

    Args:
        begin: opens a transaction that commits on success (`DatabaseResource.begin`).
        run: Dagster run id.
        progress: told after each chunk, in a short line.
        chunk: changes per transaction.

    Returns:
        Changes `started` and `refused`.
    """
    totals: Counter[str] = Counter(started=0, refused=0)
    while True:
        with begin() as conn:
            open_empty(conn, STARTING)
            if not conn.execute(_PICK, {"busy": _BUSY, "most": chunk}).rowcount:
                return totals
            totals.update(_start(conn, run))
        if progress:
            progress(f"changes: {totals['started']:,} started, {totals['refused']:,} refused")


def _start(conn: sa.Connection, run: str) -> dict[str, int]:
    stand_still(conn, list(conn.execute(sa.select(STARTING.c.order_id)).scalars()))
    conn.execute(_LEAVE_BUSY, {"busy": _BUSY})
    conn.execute(_LOOK)
    open_empty(conn, claims.CLAIMED, claims.FAULTS, changes.REVISED)
    cancelling.revise(conn, run)
    conn.execute(_CLAIM_DOCUMENTS)
    validation.read_claimed(conn)
    conn.execute(_REFUSE_DOCUMENTS)
    _record(conn, run)
    refused = conn.execute(_REFUSED, {"run": run}).rowcount
    conn.execute(_FAULTY)
    claims.park_faulty(conn, run)
    let_go = list(conn.execute(_LET_GO).scalars())
    mark(conn, let_go, is_held=False)
    changes.halt_again(conn, let_go)
    started = conn.execute(_STARTED, {"run": run}).rowcount
    orders = sa.select(STARTING.c.order_id).where(STARTING.c.refusal.is_(None))
    withdraw(conn, list(conn.execute(orders).scalars()))
    flow.hand_on(conn, (flow.Stage.UNALLOCATE,), _PASSED)
    return {"started": started, "refused": refused}


def _record(conn: sa.Connection, run: str) -> None:
    for kind in ("cancel", "edit"):
        for is_refused, what in ((False, "requested"), (True, "refused")):
            rows = _EVENTS.bindparams(kind=kind, is_refused=is_refused)
            record_events(conn, f"{kind}_{what}", rows, run)
    record_decisions(conn, "order_change", _DECISIONS.bindparams(version=CHANGE_VERSION), run)
