"""Risk at its thresholds: every reason and outcome, in every kind of currency, exactly once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import nextafter
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.risk.rules import POLICY, Case, Outcome, Reason, decide
from ecom_assets.risk.store import at_stake, decide_orders, outcome_counts, reason_counts
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from ecom_assets.shared.money import roughly_minor_per_eur
from ecom_assets.shared.states import TRANSITIONS, Dimension
from fixtures.final_state import differences, final_state
from resources.database import DatabaseResource

Order = dict[str, Any]
Place = Callable[[sa.Connection, list[Order]], None]
NEW: dict[str, int] = {}
KNOWN = {"customer_orders": 1}
ABROAD = {**KNOWN, "is_new_country": 1}
BELOW_REJECT = nextafter(POLICY.reject_from, 0)
BELOW_REVIEW = nextafter(POLICY.review_from, 0)

LOSS, NEAR = Reason.LOSS_EXCEEDS_REVIEW_COST, Reason.FRAUD_NEAR_CERTAIN
TABLE: list[tuple[Order, str, tuple[str, ...]]] = [
    ({}, "accepted", ()),
    ({"total": 0, "probability": 1.0}, "rejected", (NEAR,)),
    ({"probability": POLICY.reject_from, "total": 100}, "rejected", (NEAR,)),
    ({"probability": BELOW_REJECT, "total": 100}, "accepted", ()),
    # A loss of exactly the review's cost is not worth a review; a minor unit more is.
    ({"probability": 0.5, "total": 1_000}, "accepted", ()),
    ({"probability": 0.5, "total": 1_002}, "review", (LOSS,)),
    ({"probability": POLICY.review_from, "total": 20_000}, "review", (LOSS,)),
    ({"probability": BELOW_REVIEW, "total": 20_000}, "accepted", ()),
    # 1001 / 2 is rounded half to even: a loss of 500, not of 501.
    ({"probability": 0.5, "total": 1_001}, "accepted", ()),
    ({"payment": "awaiting"}, "awaiting_payment", (Reason.PAYMENT_NOT_CONFIRMED,)),
    ({"payment": "awaiting", "probability": 1.0, "total": 0}, "awaiting_payment",
     (Reason.PAYMENT_NOT_CONFIRMED, NEAR)),
    ({"payment": "underpaid"}, "review", (Reason.UNDERPAID,)),
    ({"payment": "underpaid", "probability": 0.95}, "rejected", (Reason.UNDERPAID, NEAR, LOSS)),
    ({"payment": "overpaid"}, "accepted", (Reason.OVERPAID,)),
    ({"payment": "overpaid", "features": ABROAD, "total": 30_000}, "review",
     (Reason.OVERPAID, Reason.LARGE_TO_NEW_COUNTRY)),
    ({"features": ABROAD, "total": 29_999}, "accepted", ()),
    ({"features": ABROAD, "total": 30_000}, "review", (Reason.LARGE_TO_NEW_COUNTRY,)),
    ({"features": NEW, "total": 299_999}, "accepted", ()),
    ({"features": NEW, "total": 300_000}, "review", (Reason.LARGE_FIRST_ORDER,)),
    ({"features": KNOWN, "total": 300_000}, "accepted", ()),
    ({"features": {"is_new_country": 0}, "total": 30_000}, "accepted", ()),
]  # fmt: skip


def case(order: Order) -> Case:
    features = order.get("features", KNOWN)
    return Case(
        payment_state=order.get("payment", "authorised"),
        probability=order.get("probability", 0.01),
        total_minor=order.get("total", 5_000),
        minor_per_eur=roughly_minor_per_eur(order.get("currency", "EUR")),
        is_new_country=bool(features.get("is_new_country")),
        is_first_order="customer_orders" not in features,
    )


def decided(conn: sa.Connection, place: Place, orders: list[Order]) -> list[tuple[Any, ...]]:
    place(conn, orders)
    claim(conn, Stage.RISK)
    decide_orders(conn, "run")
    return rows(
        conn,
        "SELECT outcome, reasons, expected_loss_minor FROM risk.decisions"
        " JOIN orders.orders USING (order_id) ORDER BY external_id",
    )


def rows(conn: sa.Connection, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in conn.execute(sa.text(statement))]


def test_every_threshold_is_where_the_policy_says_in_sql_and_in_the_reference(
    scratch: sa.Connection, place: Place
) -> None:
    found = decided(scratch, place, [order for order, *_ in TABLE])
    assert [tuple(row[:2]) for row in found] == [(o, list(reasons)) for _, o, reasons in TABLE]
    for (order, *_), (outcome, reasons, loss) in zip(TABLE, found, strict=True):
        one = decide(case(order))
        assert (one.outcome, list(one.reasons), one.expected_loss_minor) == (outcome, reasons, loss)


def test_the_table_shows_every_reason_and_outcome() -> None:
    assert {outcome for _, outcome, _ in TABLE} == set(Outcome)
    assert {reason for *_, reasons in TABLE for reason in reasons} == set(Reason)


@pytest.mark.parametrize("currency", ["EUR", "USD", "JPY", "KWD", "CLP", "BRL", "VND"])
def test_thresholds_are_worth_the_same_in_every_currency(
    scratch: sa.Connection, place: Place, currency: str
) -> None:
    """Minor units of nought, two and three places: an order worth 300 euros is one everywhere."""
    rate = roughly_minor_per_eur(currency)
    worth = [int(POLICY.new_country_eur * rate) - 1, int(POLICY.new_country_eur * rate)]
    orders = [{"currency": currency, "features": ABROAD, "total": total} for total in worth]
    found = decided(scratch, place, orders)
    assert [outcome for outcome, *_ in found] == ["accepted", "review"]


def test_big_money_is_decided_like_small(scratch: sa.Connection, place: Place) -> None:
    total = 10**15
    ((outcome, reasons, loss),) = decided(scratch, place, [{"total": total, "probability": 0.25}])
    assert (outcome, reasons, loss) == ("review", [LOSS], total // 4)


def test_the_ledger_alone_is_enough_to_decide_again(scratch: sa.Connection, place: Place) -> None:
    decided(scratch, place, [order for order, *_ in TABLE])
    ledger = rows(scratch, "SELECT inputs, outcome, reasons FROM decisions.ledger")
    assert len(ledger) == len(TABLE)
    for inputs, outcome, reasons in ledger:
        again = decide(Case(**{name: inputs[name] for name in Case.__dataclass_fields__}))
        assert (again.outcome, list(again.reasons)) == (outcome, reasons)


def test_exactly_the_accepted_go_on_and_exactly_the_reviewed_are_held(
    scratch: sa.Connection, place: Place
) -> None:
    decided(scratch, place, [order for order, *_ in TABLE])
    accepted = sum(outcome == "accepted" for _, outcome, _ in TABLE)
    assert waiting(scratch) == {"reserve": accepted, "notify_confirmed": accepted}
    wrong = rows(
        scratch,
        """
        SELECT d.order_id FROM risk.decisions AS d
        JOIN flow.order_states AS s USING (order_id)
        LEFT JOIN flow.pending AS p ON p.order_id = d.order_id AND p.stage = 'reserve'
        WHERE s.risk_state <> d.outcome
            OR (s.hold_state = 'held') <> (d.outcome = 'review')
            OR (p.order_id IS NOT NULL) <> (d.outcome = 'accepted')
            OR p.due_at <> d.decided_as_of
        """,
    )
    assert wrong == []


def test_every_outcome_is_a_legal_first_state() -> None:
    assert TRANSITIONS[Dimension.RISK]["undecided"] == set(Outcome)


def test_money_at_stake_is_kept_apart_by_outcome_and_currency(
    scratch: sa.Connection, place: Place
) -> None:
    orders: list[Order] = [
        {"currency": "JPY", "total": 700}, {"total": 100}, {"total": 200},
        {"total": 50, "payment": "underpaid"}, {"total": 60, "payment": "underpaid"},
    ]  # fmt: skip
    decided(scratch, place, orders)
    worth = {
        outcome: [tuple(row) for row in scratch.execute(at_stake(outcome))] for outcome in Outcome
    }
    assert worth == {
        Outcome.ACCEPTED: [("EUR", 300), ("JPY", 700)],
        Outcome.REVIEW: [("EUR", 110)],
        Outcome.REJECTED: [],
        Outcome.AWAITING_PAYMENT: [],
    }
    assert outcome_counts(scratch) == {"accepted": 3, "review": 2}


def test_reasons_are_counted_per_outcome_most_frequent_first(
    scratch: sa.Connection, place: Place
) -> None:
    overpaid: Order = {"payment": "overpaid"}
    rejected: Order = {**overpaid, "probability": 0.95, "total": 0}
    underpaid: Order = {"payment": "underpaid"}
    orders: list[Order] = [overpaid, rejected, underpaid, underpaid, {}]
    decided(scratch, place, orders)
    assert [tuple(row) for row in scratch.execute(reason_counts())] == [
        ("underpaid", "review", 2),
        ("fraud_near_certain", "rejected", 1),
        ("overpaid", "accepted", 1),
        ("overpaid", "rejected", 1),
    ]


def test_no_claimed_order_is_no_work(scratch: sa.Connection) -> None:
    claim(scratch, Stage.RISK)
    assert not any(decide_orders(scratch, "run").values())


@pytest.mark.parametrize("survived", [0, 1, 3])
def test_a_run_killed_after_any_chunk_ends_like_one_that_was_not(
    database: DatabaseResource, module_database: DatabaseResource, place: Place, survived: int
) -> None:
    orders = [order for order, *_ in TABLE]
    chunks = iter(range(len(orders)))

    def dies(conn: sa.Connection) -> Mapping[str, int]:
        counts = decide_orders(conn, "run")
        if next(chunks) == survived:
            raise KeyboardInterrupt
        return counts

    with database.begin() as conn:
        place(conn, orders)
    with pytest.raises(KeyboardInterrupt):
        drain(database.begin, Stage.RISK, dies, chunk=5)
    again = drain(database.begin, Stage.RISK, partial(decide_orders, run="again"), chunk=4)
    assert again["orders"] == len(orders) - 5 * survived
    with module_database.engine.connect() as unhurt, database.begin() as conn:
        decided(unhurt, place, orders)
        assert differences(final_state(unhurt), final_state(conn)) == {}
        unhurt.rollback()


def test_an_order_that_a_person_decided_is_not_decided_again(
    database: DatabaseResource, place: Place
) -> None:
    """A state that moved on is not moved back; the step says which order, and writes nothing."""
    with database.begin() as conn:
        place(conn, [{}, {"payment": "underpaid"}])
        conn.execute(sa.text("UPDATE flow.order_states SET risk_state = 'rejected'"))
        before = final_state(conn)
    drained = drain(database.begin, Stage.RISK, partial(decide_orders, run="run"))
    assert drained == {"orders": 0, "set_aside": 2}
    with database.begin() as conn:
        told = rows(conn, "SELECT detail FROM flow.quarantine ORDER BY row_number")
        assert "risk_state cannot go from rejected to accepted" in told[0][0]
        moved = differences(before, final_state(conn)).keys()
        assert moved <= {"flow.pending", "flow.quarantine"}


def test_two_workers_decide_different_orders(database: DatabaseResource, place: Place) -> None:
    with database.begin() as conn:
        place(conn, [{}, {}, {"payment": "awaiting"}])
    with database.begin() as first:
        assert claim(first, Stage.RISK, 2) == 2
        others = drain(database.begin, Stage.RISK, partial(decide_orders, run="second"))
        assert others["orders"] == 1
        decide_orders(first, "first")
    with database.begin() as conn:
        found = rows(conn, "SELECT run_id, outcome FROM risk.decisions ORDER BY order_id")
    assert found == [("first", "accepted"), ("first", "accepted"), ("second", "awaiting_payment")]
