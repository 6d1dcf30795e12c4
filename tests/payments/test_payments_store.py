"""The payments step on a real database: equal to the reference, once per order, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.payments.rules import match, number_tenders, read_tender
from ecom_assets.payments.store import match_payments, method_counts
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from resources.database import DatabaseResource

Place = Callable[[sa.Connection, list[tuple[int, Any]]], None]
AT = "2024-03-01T12:00:00+00:00"

numbers = st.one_of(
    st.none(),
    st.integers(-3, 5_000),
    st.sampled_from([0, 1, 2, 1.5, 2.0, 10**15, 10**15 + 1, 10**30, "5", "", True, [1]]),
)
payments = st.fixed_dictionaries(
    {},
    optional={
        "sequence": numbers,
        "method": st.sampled_from(["card", "Card", "boleto", "not_defined", "", None, 5]),
        "amount_minor": numbers,
        "installments": numbers,
        "authorised_at": st.sampled_from([None, AT]),
        "anomaly": st.sampled_from([None, "", "zero_instalments", "odd"]),
    },
)
shops = st.lists(
    st.tuples(st.integers(0, 6_000), st.lists(payments, max_size=4)), min_size=1, max_size=12
)


def step(conn: sa.Connection) -> Mapping[str, int]:
    return match_payments(conn, "run")


def rows(conn: sa.Connection, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in conn.execute(sa.text(statement))]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=shops)
def test_the_database_reads_and_matches_like_the_reference(
    conn: sa.Connection, place: Place, orders: list[tuple[int, list[dict[str, Any]]]]
) -> None:
    savepoint = conn.begin_nested()
    conn.execute(sa.text("ALTER TABLE orders.orders ALTER order_id RESTART"))
    place(conn, orders)
    claim(conn, Stage.PAYMENT)
    step(conn)
    kept = rows(
        conn,
        "SELECT order_id, sequence, method, amount_minor, installments, state = 'authorised',"
        " anomaly FROM payments.transactions ORDER BY order_id, sequence",
    )
    matched = rows(
        conn,
        "SELECT p.order_id, authorised_minor, pending_minor,"
        " (inputs ->> 'tolerance_minor')::bigint, payment_state, reasons[1]"
        " FROM payments.order_payments p JOIN decisions.ledger l USING (order_id)"
        " ORDER BY p.order_id",
    )
    savepoint.rollback()
    expected_kept, expected_matched = [], []
    for order_id, (due, documents) in enumerate(orders, start=1):
        tenders = [read_tender(document) for document in documents]
        given_numbers = number_tenders([document.get("sequence") for document in documents])
        expected_kept += sorted(
            (order_id, number, t.method, t.amount_minor, t.installments, t.is_authorised, t.anomaly)
            for number, t in zip(given_numbers, tenders, strict=True)
        )
        m = match(due, tenders)
        expected_matched.append(
            (order_id, m.authorised_minor, m.pending_minor, m.tolerance_minor, m.state, m.reason)
        )
    assert kept == expected_kept
    assert matched == expected_matched


def card(amount_minor: int, **more: object) -> dict[str, object]:
    return {
        "sequence": 1, "method": "card", "amount_minor": amount_minor, "authorised_at": AT, **more
    }  # fmt: skip


def test_orders_go_on_with_states_events_and_decisions(conn: sa.Connection, place: Place) -> None:
    place(conn, [(500, [card(500)]), (500, [card(400)]), (500, []), (500, [card(900)])])
    claim(conn, Stage.PAYMENT)
    assert step(conn) == {
        "tenders": 3, "authorised": 1, "underpaid": 1, "awaiting": 1, "overpaid": 1
    }  # fmt: skip
    assert waiting(conn) == {"score": 4}
    assert rows(
        conn, "SELECT order_id, payment_state FROM flow.order_states ORDER BY order_id"
    ) == [(1, "authorised"), (2, "underpaid"), (3, "awaiting"), (4, "overpaid")]
    assert rows(
        conn, "SELECT order_id, event, happened_at::date::text FROM decisions.timeline ORDER BY 1"
    )[0] == (1, "payment_authorised", "2024-03-02")
    assert rows(conn, "SELECT kind, outcome, version FROM decisions.ledger ORDER BY order_id")[
        1
    ] == ("payment_match", "underpaid", "payment_match/1")


@pytest.mark.parametrize("document", [None, "none", {}, 5])
def test_an_order_whose_payments_are_not_a_list_awaits_payment(
    conn: sa.Connection, place: Place, document: object
) -> None:
    place(conn, [(500, document)])
    claim(conn, Stage.PAYMENT)
    assert step(conn)["awaiting"] == 1


def test_anomalies_are_reasons(conn: sa.Connection, place: Place) -> None:
    place(conn, [(500, [card(400), {**card(-100), "sequence": 1}])])
    claim(conn, Stage.PAYMENT)
    step(conn)
    assert rows(conn, "SELECT reasons FROM decisions.ledger") == [
        (["paid_too_little", "negative_amount"],)
    ]


def test_the_details_of_a_card_are_kept(conn: sa.Connection, place: Place) -> None:
    place(conn, [(5, [card(5, card_fingerprint="c1", avs_result="Y", cvv_result="")])])
    claim(conn, Stage.PAYMENT)
    step(conn)
    assert rows(
        conn,
        "SELECT card_fingerprint, avs_result, cvv_result, currency FROM payments.transactions",
    ) == [("c1", "Y", None, "EUR")]
    assert method_counts(conn) == {"card": 1}


def test_a_second_run_changes_nothing(database: DatabaseResource, place: Place) -> None:
    with database.begin() as conn:
        place(conn, [(5, [card(5)])] * 5)
    assert drain(database.begin, Stage.PAYMENT, step, chunk=2)["orders"] == 5
    assert drain(database.begin, Stage.PAYMENT, step, chunk=2)["orders"] == 0


def test_a_killed_step_leaves_nothing_behind(database: DatabaseResource, place: Place) -> None:
    def killed(conn: sa.Connection) -> dict[str, int]:
        step(conn)
        raise KeyboardInterrupt

    with database.begin() as conn:
        place(conn, [(5, [card(5)])] * 5)
    with pytest.raises(KeyboardInterrupt):
        drain(database.begin, Stage.PAYMENT, killed, chunk=2)
    with database.begin() as conn:
        assert waiting(conn) == {"payment": 5}
        assert rows(conn, "SELECT count(*) FROM payments.transactions") == [(0,)]
