"""The risk step on a real database: equal to the reference, with states, holds and the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.risk.rules import RULES_VERSION, Case, Decision, decide
from ecom_assets.risk.store import decide_orders
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from ecom_assets.shared.money import roughly_minor_per_eur
from resources.database import DatabaseResource

Order = dict[str, Any]
Place = Callable[[sa.Connection, list[Order]], None]

shops = st.lists(
    st.fixed_dictionaries(
        {
            "currency": st.sampled_from(["EUR", "JPY", "KWD", "BRL", "XTS"]),
            "total": st.integers(0, 4_000_000)
            | st.sampled_from([5_000, 30_000, 48_000, 300_000, 480_000]),
            "payment": st.sampled_from(["authorised", "awaiting", "underpaid", "overpaid"]),
            "probability": st.floats(0, 1) | st.sampled_from([0.05, 0.1, 0.5, 0.9]),
            "features": st.fixed_dictionaries(
                {}, optional={"customer_orders": st.just(2), "is_new_country": st.just(1)}
            ),
        }
    ),
    min_size=1,
    max_size=20,
)


def step(conn: sa.Connection) -> Mapping[str, int]:
    return decide_orders(conn, "run")


def rows(conn: sa.Connection, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in conn.execute(sa.text(statement))]


def reference(order: Order) -> Decision:
    features = order["features"]
    return decide(
        Case(
            payment_state=order["payment"],
            probability=order["probability"],
            total_minor=order["total"],
            minor_per_eur=roughly_minor_per_eur(order["currency"]),
            is_new_country="is_new_country" in features,
            is_first_order="customer_orders" not in features,
        )
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=shops)
def test_the_database_decides_like_the_reference(
    conn: sa.Connection, place: Place, orders: list[Order]
) -> None:
    savepoint = conn.begin_nested()
    place(conn, orders)
    claim(conn, Stage.RISK)
    step(conn)
    found = rows(
        conn,
        "SELECT outcome, reasons, expected_loss_minor FROM risk.decisions"
        " JOIN orders.orders USING (order_id) ORDER BY external_id",
    )
    savepoint.rollback()
    expected = [reference(order) for order in orders]
    assert found == [(d.outcome, list(d.reasons), d.expected_loss_minor) for d in expected]


FOUR: list[Order] = [
    {},
    {"payment": "underpaid"},
    {"probability": 0.99},
    {"payment": "awaiting"},
]


def test_only_accepted_orders_go_on_and_reviewed_ones_are_held(
    conn: sa.Connection, place: Place
) -> None:
    place(conn, FOUR)
    claim(conn, Stage.RISK)
    assert step(conn) == {"accepted": 1, "review": 1, "rejected": 1, "awaiting_payment": 1}
    assert waiting(conn) == {"reserve": 1, "notify_confirmed": 1}
    states = rows(conn, "SELECT risk_state, hold_state FROM flow.order_states ORDER BY order_id")
    assert states == [
        ("accepted", "none"),
        ("review", "held"),
        ("rejected", "none"),
        ("awaiting_payment", "none"),
    ]


def test_the_timeline_explains_every_move(conn: sa.Connection, place: Place) -> None:
    place(conn, FOUR)
    claim(conn, Stage.RISK)
    step(conn)
    events = rows(
        conn,
        "SELECT event, detail -> 'reasons', happened_at::date::text FROM decisions.timeline"
        " ORDER BY order_id, event",
    )
    day = "2024-03-02"
    assert events == [
        ("risk_accepted", [], day),
        ("order_held", ["underpaid"], day),
        ("risk_sent_to_review", ["underpaid"], day),
        ("risk_rejected", ["fraud_near_certain", "expected_loss_exceeds_review_cost"], day),
        ("risk_awaiting_payment", ["payment_not_confirmed"], day),
    ]


def test_the_ledger_holds_what_the_rule_was_given(conn: sa.Connection, place: Place) -> None:
    place(conn, [{"currency": "JPY", "total": 90_000, "probability": 0.5, "features": {}}])
    claim(conn, Stage.RISK)
    step(conn)
    ((kind, inputs, version, outcome),) = rows(
        conn, "SELECT kind, inputs, version, outcome FROM decisions.ledger"
    )
    assert (kind, version, outcome) == ("risk_decision", RULES_VERSION, "review")
    replayed = decide(Case(**{name: inputs[name] for name in Case.__dataclass_fields__}))
    assert (replayed.outcome, replayed.expected_loss_minor) == (outcome, 45_000)


def test_a_second_run_changes_nothing(database: DatabaseResource, place: Place) -> None:
    with database.begin() as conn:
        place(conn, FOUR)
    assert drain(database.begin, Stage.RISK, step, chunk=3)["orders"] == 4
    assert drain(database.begin, Stage.RISK, step, chunk=3)["orders"] == 0


def test_a_killed_step_leaves_nothing_behind(database: DatabaseResource, place: Place) -> None:
    def dies(conn: sa.Connection) -> Mapping[str, int]:
        step(conn)
        raise KeyboardInterrupt

    with database.begin() as conn:
        place(conn, FOUR)
    with pytest.raises(KeyboardInterrupt):
        drain(database.begin, Stage.RISK, dies)
    with database.begin() as conn:
        assert waiting(conn) == {"risk": 4}
        assert rows(conn, "SELECT DISTINCT risk_state FROM flow.order_states") == [("undecided",)]
