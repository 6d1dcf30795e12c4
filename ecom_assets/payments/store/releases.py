"""What is given back for cancelled and edited orders, planned as one amount per order.

The plan of the newest change states the whole amount to give back; plans of earlier changes are
withdrawn. So an order that is edited twice never gives the same money back twice.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.payments.rules import RELEASE_VERSION
from ecom_assets.shared.journal import (
    DECISION_COLUMNS,
    EVENT_COLUMNS,
    record_decisions,
    record_events,
)

_OPEN = (
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS returning_money (
            order_id bigint PRIMARY KEY, change_id bigint, due_at timestamptz, is_cancelled boolean,
            authorised_minor bigint, due_minor bigint, currency char(3), payment_state text,
            kind text, amount_minor bigint
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("DELETE FROM returning_money"),
)

# Reference: rules.money_to_return.
_FIND = sa.text("""
    WITH account AS (
        SELECT c.order_id, x.change_id, greatest(c.due_at, x.effective_as_of) AS due_at,
            s.fulfilment_state = 'cancelled' AS is_cancelled, p.authorised_minor, p.due_minor,
            p.currency, p.payment_state
        FROM claimed AS c
        JOIN flow.order_states AS s USING (order_id)
        JOIN payments.order_payments AS p USING (order_id)
        CROSS JOIN LATERAL (
            SELECT change_id, effective_as_of FROM orders.changes
            WHERE order_id = c.order_id AND state = 'applied'
            ORDER BY effective_as_of DESC, change_id DESC LIMIT 1
        ) AS x
    ), excess AS (
        SELECT *, CASE
            WHEN is_cancelled THEN authorised_minor
            WHEN payment_state = 'overpaid' THEN authorised_minor - due_minor
            ELSE 0 END AS amount_minor
        FROM account
    )
    INSERT INTO returning_money
    SELECT order_id, change_id, due_at, is_cancelled, authorised_minor, due_minor, currency,
        payment_state, CASE
            WHEN amount_minor = 0 THEN 'nothing'
            WHEN amount_minor = authorised_minor THEN 'void' ELSE 'refund' END,
        amount_minor
    FROM excess
""")
_WITHDRAW = sa.text("""
    UPDATE payments.planned_releases AS r SET state = 'withdrawn'
    FROM returning_money AS m
    WHERE r.order_id = m.order_id AND r.change_id <> m.change_id AND r.state = 'planned'
""")
_PLAN = sa.text("""
    INSERT INTO payments.planned_releases
        (order_id, change_id, kind, amount_minor, currency, state, planned_as_of, run_id)
    SELECT order_id, change_id, kind, amount_minor, currency, 'planned', due_at, :run
    FROM returning_money WHERE amount_minor > 0
    ORDER BY order_id
    ON CONFLICT (order_id, change_id) DO NOTHING
""")
_DECISIONS = sa.text("""
    SELECT order_id, 'change ' || change_id AS subject, jsonb_build_object(
            'authorised_minor', authorised_minor, 'due_minor', due_minor, 'currency', currency,
            'payment_state', payment_state, 'is_cancelled', is_cancelled) AS inputs,
        CAST(:version AS text) AS version, kind AS outcome,
        ARRAY[CASE WHEN is_cancelled THEN 'order_cancelled'
            WHEN amount_minor > 0 THEN 'paid_too_much' ELSE 'nothing_to_return' END] AS reasons,
        due_at AS decided_as_of
    FROM returning_money
    ORDER BY due_at, order_id
""").columns(*(sa.column(name) for name in DECISION_COLUMNS))
_EVENTS = sa.text("""
    SELECT order_id, due_at AS happened_at, jsonb_build_object(
        'kind', kind, 'amount_minor', amount_minor, 'currency', currency) AS detail
    FROM returning_money WHERE amount_minor > 0
    ORDER BY due_at, order_id
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))


def plan_releases(conn: sa.Connection, run: str) -> dict[str, int]:
    """Plan what the claimed orders get back: all if cancelled, else what they paid too much.

    Nothing is sent here: a plan is a row that whoever talks to the provider carries out.

    Args:
        conn: connection with `claimed` filled for `Stage.RETURN_MONEY`.
        run: Dagster run id.

    Returns:
        Plans made (`planned`) and plans of earlier changes `withdrawn`.
    """
    for statement in (*_OPEN, _FIND):
        conn.execute(statement)
    withdrawn = conn.execute(_WITHDRAW).rowcount
    planned = conn.execute(_PLAN, {"run": run}).rowcount
    record_decisions(conn, "money_return", _DECISIONS.bindparams(version=RELEASE_VERSION), run)
    record_events(conn, "money_return_planned", _EVENTS, run)
    return {"planned": planned, "withdrawn": withdrawn}
