"""Tenders of claimed orders, and their match against what is due.

An order comes here again when it was edited, or cancelled before it was matched: its tenders and
its match are then replaced by those of its present document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache, partial

import sqlalchemy as sa

from ecom_assets.payments.rules import KIND, METHODS, PaymentPolicy, PaymentState
from ecom_assets.payments.tables import ORDER_PAYMENTS, TRANSACTIONS
from ecom_assets.shared.flow import NEXT, Stage, hand_on
from ecom_assets.shared.journal import DECISION_COLUMNS, record_decisions
from ecom_assets.shared.states import MOVE_COLUMNS, Dimension, move_each
from ecom_assets.shared.versions import Version, by_version

# Through the few changes there are: an order that was never changed has nothing to forget.
_FORGET = (
    sa.text("""
        DELETE FROM payments.transactions AS t
        USING claimed AS c JOIN orders.changes AS x USING (order_id)
        WHERE t.order_id = c.order_id AND x.state = 'applied'
    """),
    sa.text("""
        DELETE FROM payments.order_payments AS p
        USING claimed AS c JOIN orders.changes AS x USING (order_id)
        WHERE p.order_id = c.order_id AND x.state = 'applied'
    """),
)

# Reference: rules.read_tender and rules.number_tenders. JSON path in strict mode yields a value
# only where it is a whole number within bounds, so that no cast can fail on odd input. A blank text
# is a missing one, as it was when the order was accepted: cast as it is, it would stop the chunk.
_TAKE_TENDERS = sa.text("""
    WITH payment AS (
        SELECT c.order_id, o.currency, p.document, p.position
        FROM claimed AS c
        JOIN orders.orders AS o USING (order_id)
        JOIN orders.inbox AS i USING (inbox_id)
        CROSS JOIN LATERAL jsonb_array_elements(
            CASE jsonb_typeof(i.payload -> 'payments')
                WHEN 'array' THEN i.payload -> 'payments' ELSE '[]' END
        ) WITH ORDINALITY AS p (document, position)
    ), reading AS (
        SELECT order_id, currency, document, position,
            lower(btrim(document ->> 'method')) AS method,
            CAST(jsonb_path_query_first(document, 'strict $.sequence ?
                (@.type() == "number" && @ >= 1 && @ <= 1000000 && @ % 1 == 0)',
                '{}', true) AS integer) AS sequence,
            CAST(jsonb_path_query_first(document, 'strict $.amount_minor ?
                (@.type() == "number" && @ >= 0 && @ <= 1000000000000000 && @ % 1 == 0)',
                '{}', true) AS bigint) AS amount_minor,
            CAST(jsonb_path_query_first(document, 'strict $.installments ?
                (@.type() == "number" && @ >= 1 && @ <= 1000 && @ % 1 == 0)',
                '{}', true) AS integer) AS installments,
            CAST(NULLIF(btrim(document ->> 'authorised_at'), '') AS timestamptz) AS authorised_at
        FROM payment
    ), countable AS (
        SELECT order_id, count(DISTINCT sequence) = count(*) AS has_own_numbers
        FROM reading
        GROUP BY order_id
    ), tender AS (
        SELECT reading.*,
            CASE WHEN has_own_numbers THEN sequence
                ELSE row_number() OVER (
                    PARTITION BY order_id ORDER BY sequence NULLS LAST, position)
            END AS number,
            ARRAY[
                NULLIF(btrim(document ->> 'anomaly'), ''),
                CASE WHEN method = ANY (:methods) THEN NULL ELSE 'unknown_method' END,
                CASE WHEN amount_minor IS NOT NULL THEN NULL
                    WHEN jsonb_typeof(document -> 'amount_minor') = 'number'
                        AND document ->> 'amount_minor' LIKE '-%' THEN 'negative_amount'
                    ELSE 'unreadable_amount' END,
                CASE WHEN installments IS NOT NULL
                        OR document ->> 'installments' IS NULL THEN NULL
                    WHEN document -> 'installments' = '0' THEN 'zero_instalments'
                    ELSE 'unreadable_instalments' END
            ] AS anomalies
        FROM reading
        JOIN countable USING (order_id)
    )
    INSERT INTO payments.transactions (
        order_id, sequence, method, installments, amount_minor, currency, state, authorised_at,
        provider_reference, card_fingerprint, avs_result, cvv_result, anomaly, run_id)
    SELECT order_id, number,
        CASE WHEN method = ANY (:methods) THEN method ELSE 'unknown' END,
        coalesce(installments, 1), coalesce(amount_minor, 0), currency,
        CASE WHEN authorised_at IS NULL THEN 'pending' ELSE 'authorised' END, authorised_at,
        NULLIF(btrim(document ->> 'provider_reference'), ''),
        NULLIF(btrim(document ->> 'card_fingerprint'), ''),
        NULLIF(btrim(document ->> 'avs_result'), ''), NULLIF(btrim(document ->> 'cvv_result'), ''),
        (SELECT string_agg(DISTINCT code COLLATE "C", ',' ORDER BY code COLLATE "C")
         FROM unnest(anomalies) AS code),
        :run_id
    FROM tender
    ORDER BY order_id, number
""")

# Reference: rules.match. Orders without tenders must be judged too, hence the outer join and the
# zeros; an inner join would let an unpaid order vanish from the path.
_MATCH = sa.text("""
    WITH tendered AS (
        SELECT order_id, count(*) AS tenders,
            sum(amount_minor) FILTER (WHERE state = 'authorised') AS authorised_minor,
            sum(amount_minor) FILTER (WHERE state = 'pending') AS pending_minor
        FROM claimed
        JOIN payments.transactions USING (order_id)
        GROUP BY order_id
    ), account AS (
        SELECT c.order_id, c.due_at, o.currency, o.total_minor AS due_minor,
            coalesce(t.authorised_minor, 0) AS authorised_minor,
            coalesce(t.pending_minor, 0) AS pending_minor,
            coalesce(t.authorised_minor, 0) - o.total_minor AS difference_minor,
            coalesce(t.tenders, 0) AS tenders
        FROM claimed AS c
        JOIN orders.orders AS o USING (order_id)
        LEFT JOIN tendered AS t USING (order_id)
    )
    INSERT INTO payments.order_payments (
        order_id, due_minor, authorised_minor, pending_minor, difference_minor, currency,
        payment_state, rule_version, decided_as_of, run_id)
    SELECT order_id, due_minor, authorised_minor, pending_minor, difference_minor, currency,
        CASE WHEN abs(difference_minor) <= greatest(:least_minor, :per_tender_minor * tenders)
                THEN 'authorised'
            WHEN difference_minor > 0 THEN 'overpaid'
            WHEN tenders = 0 OR pending_minor > 0 THEN 'awaiting'
            ELSE 'underpaid' END,
        :version, due_at, :run_id
    FROM account
    ORDER BY order_id
""")

# Tenders are looked up order by order: both tables were filled a moment ago, and a planner without
# statistics would compare each order with all tenders.
_DECISIONS = sa.text("""
    SELECT m.order_id, '' AS subject,
        jsonb_build_object(
            'due_minor', due_minor, 'authorised_minor', authorised_minor,
            'pending_minor', pending_minor, 'currency', currency,
            'tenders', tenders, 'tolerance_minor',
            greatest(CAST(:least_minor AS bigint), :per_tender_minor * tenders)) AS inputs,
        rule_version AS version, payment_state AS outcome,
        ARRAY[CASE
            WHEN difference_minor = 0 THEN 'paid_exactly'
            WHEN payment_state = 'authorised' THEN 'within_tolerance'
            WHEN payment_state = 'overpaid' THEN 'paid_too_much'
            WHEN payment_state = 'underpaid' THEN 'paid_too_little'
            WHEN tenders = 0 THEN 'nothing_tendered'
            ELSE 'tender_unconfirmed' END] || anomalies AS reasons,
        m.decided_as_of
    FROM claimed AS c
    JOIN payments.order_payments AS m USING (order_id)
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT t.sequence) AS tenders,
            array_agg(DISTINCT code COLLATE "C") FILTER (WHERE code IS NOT NULL) AS anomalies
        FROM payments.transactions AS t
        LEFT JOIN LATERAL unnest(string_to_array(t.anomaly, ',')) AS code ON true
        WHERE t.order_id = c.order_id
    ) AS tendered
    ORDER BY m.decided_as_of, m.order_id
""").columns(*(sa.column(name) for name in DECISION_COLUMNS))

# One state at a time, because a move names its event; the states do not overlap.
_MOVED = sa.text("""
    SELECT m.order_id, m.decided_as_of AS happened_at,
        jsonb_build_object('due_minor', due_minor, 'authorised_minor', authorised_minor,
            'pending_minor', pending_minor, 'currency', currency) AS detail,
        m.payment_state AS to_state, 'payment_' || m.payment_state AS event
    FROM claimed
    JOIN payments.order_payments AS m USING (order_id)
    ORDER BY m.decided_as_of, m.order_id
""").columns(*(sa.column(name) for name in MOVE_COLUMNS))

# Unpaid orders are scored too: fraud shows in what was tried, not only in what was paid. What was
# cancelled, or has shipped and lost its rest, is matched only to know what to give back.
_PASSED = sa.text("""
    SELECT c.order_id, c.due_at FROM claimed AS c JOIN flow.order_states AS s USING (order_id)
    WHERE s.fulfilment_state = 'new'
""").columns(sa.column("order_id"), sa.column("due_at"))
_CHANGED = sa.text("""
    SELECT DISTINCT c.order_id, c.due_at
    FROM claimed AS c JOIN orders.changes AS x USING (order_id)
    WHERE x.state = 'applied'
""").columns(sa.column("order_id"), sa.column("due_at"))


def match_payments(conn: sa.Connection, run: str) -> Mapping[str, int]:
    """Take the tenders of the claimed orders, match them and hand the orders on.

    Each order is matched by the version of the tolerance in force at its moment.

    Args:
        conn: connection with `claimed` filled for `Stage.PAYMENT`.
        run: Dagster run id.

    Returns:
        Tenders taken, and orders per payment state.
    """
    return by_version(conn, KIND, PaymentPolicy, partial(_match, conn, run))


def _match(conn: sa.Connection, run: str, version: Version[PaymentPolicy]) -> dict[str, int]:
    for statement in _FORGET:
        conn.execute(statement)
    given = {"methods": sorted(METHODS), "run_id": run}
    counts = {"tenders": conn.execute(_TAKE_TENDERS, given).rowcount}
    tolerance = asdict(version.policy)
    conn.execute(_MATCH, {"version": version.label, "run_id": run, **tolerance})
    record_decisions(conn, "payment_match", _decisions_by(version.policy), run)
    moved = move_each(conn, Dimension.PAYMENT, _MOVED, run)
    counts |= {state.value: moved[state.value] for state in PaymentState}
    hand_on(conn, NEXT[Stage.PAYMENT], _PASSED)
    # Only now is it known by how much a changed order is paid too much.
    hand_on(conn, (Stage.RETURN_MONEY,), _CHANGED)
    return counts


# Kept, so that the statement around it is built once per version and not per batch.
@lru_cache(maxsize=16)
def _decisions_by(policy: PaymentPolicy) -> sa.TextualSelect:
    return _DECISIONS.bindparams(**asdict(policy))


def state_counts(conn: sa.Connection) -> dict[str, int]:
    """Orders per payment state."""
    state = ORDER_PAYMENTS.c.payment_state
    rows = conn.execute(sa.select(state, sa.func.count()).group_by(state).order_by(state))
    return dict(rows.tuples().all())


def method_counts(conn: sa.Connection) -> dict[str, int]:
    """Tenders per method, most used first."""
    method, tenders = TRANSACTIONS.c.method, sa.func.count()
    rows = conn.execute(
        sa.select(method, tenders).group_by(method).order_by(tenders.desc(), method)
    )
    return dict(rows.tuples().all())


def sums(table: sa.Table, amount: sa.Column[int]) -> sa.Select[tuple[str, int]]:
    """A money column added up, per currency."""
    by_currency = sa.select(table.c.currency, sa.func.sum(amount)).group_by(table.c.currency)
    # Two looks at the same data must read the same, and a grouping promises no order.
    return by_currency.order_by(table.c.currency)
