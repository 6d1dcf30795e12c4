"""Reviews: a person accepts or rejects an order that the rules held for one."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from ecom_assets.risk.rules import REVIEW_VERSION, Outcome
from ecom_assets.shared import flow, holds
from ecom_assets.shared.columns import Rows
from ecom_assets.shared.journal import DECISION_COLUMNS, EVENT_COLUMNS, record_decisions
from ecom_assets.shared.standstill import stand_still
from ecom_assets.shared.states import Dimension, move

# Asked after the orders stand still: a change that is carried out takes the decision back, and
# nobody may accept what is about to be decided anew.
_REVIEWABLE = sa.text("""
    SELECT s.order_id FROM flow.order_states AS s
    JOIN flow.holds AS h ON h.order_id = s.order_id
        AND h.released_at IS NULL AND h.reason = 'review'
    WHERE s.order_id = ANY(:orders) AND s.risk_state = 'review' AND NOT EXISTS (
        SELECT FROM flow.pending AS p WHERE p.order_id = s.order_id AND p.stage = ANY(:changing))
    ORDER BY s.order_id
""")
_DECIDE = sa.text("""
    UPDATE risk.decisions SET outcome = :outcome, reasons = reasons || CAST(:reason AS text),
        rule_version = :version, decided_as_of = greatest(decided_as_of, :at), run_id = :run
    WHERE order_id = ANY(:orders)
""")
_DECISIONS = sa.text("""
    SELECT order_id, '' AS subject, jsonb_build_object(
            'by', CAST(:by AS text), 'probability', probability,
            'expected_loss_minor', expected_loss_minor, 'reasons', reasons) AS inputs,
        rule_version AS version, outcome, ARRAY[CAST(:reason AS text)] AS reasons, decided_as_of
    FROM risk.decisions WHERE order_id = ANY(:orders)
    ORDER BY order_id
""").columns(*(sa.column(name) for name in DECISION_COLUMNS))
_MOVED = sa.text("""
    SELECT order_id, decided_as_of AS happened_at,
        jsonb_build_object('by', CAST(:by AS text), 'reasons', reasons) AS detail
    FROM risk.decisions WHERE order_id = ANY(:orders)
    ORDER BY order_id
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))
_PASSED = sa.text("""
    SELECT order_id, decided_as_of AS due_at FROM risk.decisions WHERE order_id = ANY(:orders)
""").columns(sa.column("order_id"), sa.column("due_at"))


def review(
    conn: sa.Connection,
    orders: Rows,
    outcome: Outcome,
    by: str,
    at: datetime,
    run: str = holds.OPERATOR_RUN,
) -> int:
    """Accept or reject orders that are held for review; accepted ones are handed on.

    Orders that are not held for review, or are being changed, are left alone.

    Args:
        conn: connection inside a transaction that has changed no order before.
        orders: a select of one column, the orders' ids.
        outcome: accepted or rejected.
        by: the person.
        at: business moment; what is reserved and shipped afterwards is due then.
        run: Dagster run id, if a run does it.

    Returns:
        How many orders were decided.

    Raises:
        ValueError: a person can only accept or reject.
    """
    if outcome not in (Outcome.ACCEPTED, Outcome.REJECTED):
        raise ValueError(f"a review ends as accepted or rejected, not {outcome}")
    ids = sorted(set(conn.execute(orders).scalars()))
    stand_still(conn, ids)
    given = {"orders": ids, "changing": [stage.value for stage in flow.TAKE_BACK]}
    chosen = list(conn.execute(_REVIEWABLE, given).scalars())
    reason = f"{outcome.value}_by_person"
    decided = {"outcome": outcome.value, "reason": reason, "version": REVIEW_VERSION, "at": at}
    conn.execute(_DECIDE, decided | {"orders": chosen, "run": run})
    entries = _DECISIONS.bindparams(orders=chosen, by=by, reason=reason)
    record_decisions(conn, "risk_review", entries, run)
    moved = _MOVED.bindparams(orders=chosen, by=by)
    move(conn, Dimension.RISK, outcome.value, f"risk_{outcome.value}", moved, run)
    ended = [(order, at, by) for order in chosen]
    holds.end(conn, ended, run, only=(holds.Reason.REVIEW.value,))
    if outcome is Outcome.ACCEPTED:
        flow.hand_on(conn, flow.NEXT[flow.Stage.RISK], _PASSED.bindparams(orders=chosen))
    return len(chosen)
