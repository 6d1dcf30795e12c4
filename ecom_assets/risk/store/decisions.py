"""Deciding claimed orders: the accepted ones are handed on, doubtful ones held for a person."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial

import sqlalchemy as sa

from ecom_assets.orders.tables import ORDERS
from ecom_assets.risk.rules import KIND, POLICY, Outcome, RiskPolicy
from ecom_assets.risk.tables import DECISIONS
from ecom_assets.shared import holds
from ecom_assets.shared.flow import NEXT, Stage, hand_on
from ecom_assets.shared.journal import DECISION_COLUMNS, EVENT_COLUMNS, record_decisions
from ecom_assets.shared.money import roughly_minor_per_eur
from ecom_assets.shared.replays import RISKS
from ecom_assets.shared.states import MOVE_COLUMNS, Dimension, move_each
from ecom_assets.shared.versions import Version, by_version

# Only the currencies of the chunk: rates are a Python table, the statement joins what it is given.
_CURRENCIES = sa.text(
    "SELECT DISTINCT currency FROM claimed JOIN orders.orders USING (order_id) ORDER BY currency"
)

# An edited order is decided anew; few orders are.
_FORGET = sa.text("""
    DELETE FROM risk.decisions AS d
    USING claimed AS c JOIN orders.changes AS x USING (order_id)
    WHERE d.order_id = c.order_id AND x.state = 'applied'
""")

# A zero feature is left out of the stored document, so a missing member means "no earlier order" or
# "not a new country", never "unknown". The product of probability and total is rounded as a double
# here and in `rules.decide`, half to even.
_CASES = sa.text("""
    SELECT c.order_id, c.due_at, p.payment_state, s.probability, o.total_minor,
        CAST(rate.minor_per_eur AS bigint) AS minor_per_eur,
        CAST(round(s.probability * o.total_minor) AS bigint) AS expected_loss_minor,
        coalesce(CAST(s.features ->> 'is_new_country' AS integer), 0) = 1 AS is_new_country,
        s.features -> 'customer_orders' IS NULL AS is_first_order
    FROM claimed AS c
    JOIN orders.orders AS o USING (order_id)
    JOIN payments.order_payments AS p USING (order_id)
    JOIN fraud.order_scores AS s USING (order_id)
    JOIN jsonb_each_text(CAST(:rates AS jsonb)) AS rate (currency, minor_per_eur)
        ON rate.currency = o.currency
""").columns(sa.column("order_id"))

# What a decision was made from stands whole in the ledger; the model alone may be another.
_RECORDED_CASES = sa.text("""
    SELECT DISTINCT ON (l.order_id) l.order_id, l.decided_as_of AS due_at,
        coalesce(p.payment_state, g.payment_state) AS payment_state, g.total_minor,
        g.minor_per_eur, g.is_new_country, g.is_first_order,
        coalesce(s.probability, g.probability) AS probability,
        CAST(round(coalesce(s.probability, g.probability) * g.total_minor) AS bigint)
            AS expected_loss_minor
    FROM replay_range AS r
    JOIN decisions.ledger AS l USING (order_id)
    CROSS JOIN LATERAL jsonb_to_record(l.inputs) AS g (
        payment_state text, probability double precision, total_minor bigint,
        minor_per_eur bigint, is_new_country boolean, is_first_order boolean
    )
    LEFT JOIN replay_scores AS s ON s.order_id = l.order_id
    LEFT JOIN replay_payments AS p ON p.order_id = l.order_id
    WHERE l.kind = 'risk_decision'
        AND coalesce(r.decided_as_of >= CAST(:rule_from_at AS timestamptz), true)
        AND coalesce(r.decided_as_of < CAST(:rule_to_at AS timestamptz), true)
    ORDER BY l.order_id, l.attempt DESC
""").columns(sa.column("order_id"))

# Reference: rules.decide. `given` is one of the two above.
_JUDGED = (
    sa.text("""
    SELECT order_id,
        CASE WHEN 'payment_not_confirmed' = ANY (reasons) THEN 'awaiting_payment'
            WHEN 'fraud_near_certain' = ANY (reasons) THEN 'rejected'
            WHEN cardinality(array_remove(reasons, 'overpaid')) > 0 THEN 'review'
            ELSE 'accepted' END AS outcome,
        reasons, probability, expected_loss_minor, CAST(:version AS text) AS rule_version,
        due_at AS decided_as_of, CAST(:run_id AS text) AS run_id
    FROM (
        SELECT order_id, due_at, probability, expected_loss_minor,
            array_remove(ARRAY[
                CASE WHEN payment_state = 'awaiting' THEN 'payment_not_confirmed' END,
                CASE WHEN payment_state = 'underpaid' THEN 'underpaid' END,
                CASE WHEN payment_state = 'overpaid' THEN 'overpaid' END,
                CASE WHEN probability >= :reject_from THEN 'fraud_near_certain' END,
                CASE WHEN probability >= :review_from
                        AND expected_loss_minor > :review_cost_eur * minor_per_eur
                    THEN 'expected_loss_exceeds_review_cost' END,
                CASE WHEN is_new_country AND total_minor >= :new_country_eur * minor_per_eur
                    THEN 'large_order_to_new_country' END,
                CASE WHEN is_first_order AND total_minor >= :first_order_eur * minor_per_eur
                    THEN 'very_large_first_order' END
            ], NULL) AS reasons
        FROM given
    ) AS judged
    ORDER BY order_id
""")
    .bindparams(*(sa.bindparam(name, type_=sa.Double) for name in asdict(POLICY)))
    .columns(
        *(DECISIONS.c[name] for name in ("order_id", "outcome", "reasons", "probability")),
        *(DECISIONS.c[name] for name in ("expected_loss_minor", "rule_version", "decided_as_of")),
        DECISIONS.c.run_id,
    )
)
_DECIDE = sa.insert(DECISIONS).from_select(
    list(_JUDGED.selected_columns.keys()), _JUDGED.add_cte(_CASES.cte("given"))
)

# The inputs hold all of `rules.Case`: a decision can be replayed from the ledger alone, under
# another policy, after rates and features have changed.
_DECISIONS = sa.text("""
    SELECT d.order_id, '' AS subject,
        jsonb_build_object(
            'payment_state', p.payment_state, 'probability', d.probability,
            'method', s.method, 'score_version', s.version,
            'total_minor', o.total_minor, 'currency', o.currency,
            'expected_loss_minor', d.expected_loss_minor,
            'minor_per_eur', CAST(CAST(:rates AS jsonb) ->> o.currency AS bigint),
            'is_new_country', coalesce(CAST(s.features ->> 'is_new_country' AS integer), 0) = 1,
            'is_first_order', s.features -> 'customer_orders' IS NULL) AS inputs,
        d.rule_version AS version, d.outcome, d.reasons, d.decided_as_of
    FROM claimed
    JOIN risk.decisions AS d USING (order_id)
    JOIN orders.orders AS o USING (order_id)
    JOIN payments.order_payments AS p USING (order_id)
    JOIN fraud.order_scores AS s USING (order_id)
    ORDER BY d.decided_as_of, d.order_id
""")

_MOVED = sa.text("""
    SELECT order_id, decided_as_of AS happened_at,
        jsonb_build_object('reasons', reasons, 'probability', probability,
            'expected_loss_minor', expected_loss_minor) AS detail,
        outcome AS to_state,
        CASE outcome WHEN 'review' THEN 'risk_sent_to_review' ELSE 'risk_' || outcome END AS event
    FROM claimed
    JOIN risk.decisions USING (order_id)
    ORDER BY decided_as_of, order_id
""").columns(*(sa.column(name) for name in MOVE_COLUMNS))
_REVIEWED = sa.text("""
    SELECT order_id, decided_as_of AS happened_at,
        jsonb_build_object('reasons', reasons, 'probability', probability,
            'expected_loss_minor', expected_loss_minor) AS detail
    FROM claimed
    JOIN risk.decisions USING (order_id)
    WHERE outcome = 'review'
    ORDER BY decided_as_of, order_id
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))

# Held, rejected and unpaid orders wait nowhere: what frees them hands them on.
_ACCEPTED = sa.text("""
    SELECT order_id, due_at
    FROM claimed
    JOIN risk.decisions USING (order_id)
    WHERE outcome = 'accepted'
""").columns(sa.column("order_id"), sa.column("due_at"))


def decide_orders(conn: sa.Connection, run: str) -> Mapping[str, int]:
    """Decide the claimed orders; those under review are held, accepted ones handed on.

    Each order is decided by the version of the rules in force at its moment.

    Args:
        conn: connection with `claimed` filled for `Stage.RISK`.
        run: Dagster run id.

    Returns:
        Orders per outcome.
    """
    return by_version(conn, KIND, RiskPolicy, partial(_decide, conn, run))


def _decide(conn: sa.Connection, run: str, version: Version[RiskPolicy]) -> dict[str, int]:
    currencies = conn.execute(_CURRENCIES).scalars()
    rates = json.dumps({each: roughly_minor_per_eur(each) for each in currencies})
    # As text: the driver adapts no dictionary by itself, and one parameter serves every currency.
    given = {"rates": rates, "version": version.label, "run_id": run}
    conn.execute(_FORGET)
    conn.execute(_DECIDE, given | asdict(version.policy))
    ledger = _DECISIONS.bindparams(rates=rates)
    record_decisions(
        conn, "risk_decision", ledger.columns(*(sa.column(name) for name in DECISION_COLUMNS)), run
    )
    moved = move_each(conn, Dimension.RISK, _MOVED, run)
    counts = {outcome.value: moved[outcome.value] for outcome in Outcome}
    # The hold is a second move of the same orders; who ends it decides, see `reviews.review`.
    if counts[Outcome.REVIEW.value]:
        holds.place(conn, _REVIEWED, holds.Reason.REVIEW.value, "risk", run)
    hand_on(conn, NEXT[Stage.RISK], _ACCEPTED)
    return counts


_ANEW = _JUDGED.add_cte(_RECORDED_CASES.cte("given")).subquery("anew")
_FIRST = sa.text("""
    SELECT DISTINCT ON (l.order_id) l.order_id, l.outcome AS before, l.reasons AS reasons_before,
        CAST(l.inputs ->> 'total_minor' AS bigint) AS total_minor,
        l.inputs ->> 'currency' AS currency
    FROM replay_range AS r
    JOIN decisions.ledger AS l USING (order_id)
    WHERE l.kind = 'risk_decision'
    ORDER BY l.order_id, l.attempt DESC
""").columns(*map(sa.column, ("order_id", "before", "reasons_before", "total_minor", "currency")))


def decide_anew(conn: sa.Connection, versions: Sequence[Version[RiskPolicy]]) -> None:
    """Decide the orders of a replay's range again, into `replay_risks`; nothing live is written.

    Args:
        conn: the replay's transaction, with `replay_range` and `replay_scores` filled.
        versions: the thresholds to decide by, each for the orders of its period.
    """
    recorded = _FIRST.subquery("recorded")
    rows = sa.select(
        recorded.c.order_id, recorded.c.before, _ANEW.c.outcome, recorded.c.reasons_before,
        _ANEW.c.reasons, recorded.c.total_minor, recorded.c.currency,
    ).join(_ANEW, _ANEW.c.order_id == recorded.c.order_id)  # fmt: skip
    statement = sa.insert(RISKS).from_select([column.name for column in RISKS.columns], rows)
    for version in versions:
        given = {"version": version.label, "run_id": "", **asdict(version.policy)}
        conn.execute(statement, given | version.bounds)


def outcome_counts(conn: sa.Connection) -> dict[str, int]:
    """Orders per outcome."""
    outcome = DECISIONS.c.outcome
    rows = conn.execute(sa.select(outcome, sa.func.count()).group_by(outcome).order_by(outcome))
    return dict(rows.tuples().all())


def at_stake(outcome: Outcome) -> sa.Select[tuple[str, int]]:
    """What the orders of an outcome are worth, per currency."""
    return (
        sa.select(ORDERS.c.currency, sa.func.sum(ORDERS.c.total_minor))
        .join(DECISIONS, DECISIONS.c.order_id == ORDERS.c.order_id)
        .where(DECISIONS.c.outcome == outcome.value)
        .group_by(ORDERS.c.currency)
        .order_by(ORDERS.c.currency)
    )


def reason_counts() -> sa.Select[tuple[str, str, int]]:
    """Orders per reason and outcome, most frequent first; accepted orders mostly have none."""
    reason = sa.func.unnest(DECISIONS.c.reasons).label("reason")
    given = sa.select(reason, DECISIONS.c.outcome).subquery()
    number = sa.func.count().label("orders")
    return (
        sa.select(given.c.reason, given.c.outcome, number)
        .group_by(given.c.reason, given.c.outcome)
        .order_by(number.desc(), given.c.reason, given.c.outcome)
    )
