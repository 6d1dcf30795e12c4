"""Tenders at the edges: blank and odd members, every reason, money of several currencies, kills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.payments.rules import (
    MOST_MINOR,
    PaymentState,
    Reason,
    Tender,
    match,
    number_tenders,
    read_tender,
    whole,
)
from ecom_assets.payments.store import match_payments, method_counts, state_counts, sums
from ecom_assets.payments.tables import ORDER_PAYMENTS, TRANSACTIONS
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from fixtures.final_state import differences, final_state
from resources.database import DatabaseResource

Place = Callable[[sa.Connection, list[tuple[int, Any]]], None]
CARD = ("provider_reference", "card_fingerprint", "avs_result", "cvv_result")
AT = "2024-03-01T12:00:00+00:00"


def card(amount_minor: Any, **more: Any) -> dict[str, Any]:
    return {"sequence": 1, "method": "card", "amount_minor": amount_minor, **more}


def paid(amount_minor: Any, **more: Any) -> dict[str, Any]:
    return card(amount_minor, authorised_at=AT, **more)


def settle(conn: sa.Connection, place: Place, *orders: tuple[int, Any]) -> Mapping[str, int]:
    place(conn, list(orders))
    claim(conn, Stage.PAYMENT)
    return match_payments(conn, "run")


def rows(conn: sa.Connection, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in conn.execute(sa.text(statement))]


KEPT = """
    SELECT t.method, t.amount_minor, t.installments, t.state, t.anomaly
    FROM payments.transactions AS t JOIN orders.orders AS o USING (order_id)
    ORDER BY CAST(o.external_id AS integer), t.sequence
"""

ODD: list[tuple[dict[str, Any], tuple[Any, ...]]] = [
    # A blank member is a missing one, as it was for the acceptance of the order.
    (card(5, authorised_at=""), ("card", 5, 1, "pending", None)),
    (card(5, authorised_at="  "), ("card", 5, 1, "pending", None)),
    (paid(5, anomaly=" "), ("card", 5, 1, "authorised", None)),
    (paid(5, anomaly=" odd "), ("card", 5, 1, "authorised", "odd")),
    (paid(5, method="  CARD "), ("card", 5, 1, "authorised", None)),
    (paid(5, method="卡片"), ("unknown", 5, 1, "authorised", "unknown_method")),
    (paid(5, method="card" * 125), ("unknown", 5, 1, "authorised", "unknown_method")),
    (paid(MOST_MINOR), ("card", MOST_MINOR, 1, "authorised", None)),
    (paid(MOST_MINOR + 1), ("card", 0, 1, "authorised", "unreadable_amount")),
    (paid(-1), ("card", 0, 1, "authorised", "negative_amount")),
    (paid(-1.5), ("card", 0, 1, "authorised", "negative_amount")),
    (paid(0.5), ("card", 0, 1, "authorised", "unreadable_amount")),
    (paid(True), ("card", 0, 1, "authorised", "unreadable_amount")),
    (paid("-5"), ("card", 0, 1, "authorised", "unreadable_amount")),
    (paid(5, installments=1_000), ("card", 5, 1_000, "authorised", None)),
    (paid(5, installments=1_001), ("card", 5, 1, "authorised", "unreadable_instalments")),
    (paid(5, installments=0.0), ("card", 5, 1, "authorised", "zero_instalments")),
    (paid(5, installments=-1), ("card", 5, 1, "authorised", "unreadable_instalments")),
    (paid(5, installments=2.5), ("card", 5, 1, "authorised", "unreadable_instalments")),
    (paid(5, installments="3"), ("card", 5, 1, "authorised", "unreadable_instalments")),
    (
        paid(None, method=None, installments=0),
        ("unknown", 0, 1, "authorised", "unknown_method,unreadable_amount,zero_instalments"),
    ),
]


def test_odd_tenders_are_kept_alike_in_sql_and_in_the_reference(
    scratch: sa.Connection, place: Place
) -> None:
    settle(scratch, place, *((5, [document]) for document, _ in ODD))
    assert rows(scratch, KEPT) == [kept for _, kept in ODD]
    for document, kept in ODD:
        found = read_tender(document)
        state = "authorised" if found.is_authorised else "pending"
        read = (found.method, found.amount_minor, found.installments, state, found.anomaly)
        assert read == kept, document


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1), (1.0, 1), (9, 9), (0, None), (10, None), (1.5, None), (True, None), ("1", None),
     (None, None), ([1], None), ({}, None), (10**40, None), (1e300, None)],
)  # fmt: skip
def test_whole_numbers_within_bounds(value: object, expected: int | None) -> None:
    assert whole(value, 1, 9) == expected


REASONED: list[tuple[int, list[dict[str, Any]], str, str]] = [
    (500, [paid(500)], "authorised", "paid_exactly"),
    (500, [paid(501)], "authorised", "within_tolerance"),
    (500, [paid(502)], "overpaid", "paid_too_much"),
    (500, [paid(498)], "underpaid", "paid_too_little"),
    (500, [], "awaiting", "nothing_tendered"),
    (500, [paid(1), card(499)], "awaiting", "tender_unconfirmed"),
    # Nothing is due: an order for free needs no tender, and one minor unit is forgiven.
    (0, [], "authorised", "paid_exactly"),
    (1, [], "authorised", "within_tolerance"),
    (2, [], "awaiting", "nothing_tendered"),
    # The tolerance grows with the tenders, pending ones among them.
    (500, [paid(497), card(0), card(0)], "authorised", "within_tolerance"),
    (500, [paid(496), card(0), card(0)], "underpaid", "paid_too_little"),
    # A refused tender that was tried again: what is authorised counts, once.
    (500, [paid(500), card(500)], "authorised", "paid_exactly"),
    (10**13, [paid(10**13 - 1)], "authorised", "within_tolerance"),
]


def test_every_reason_reaches_the_ledger_as_the_reference_says(
    scratch: sa.Connection, place: Place
) -> None:
    settle(scratch, place, *((due, tenders) for due, tenders, _, _ in REASONED))
    found = rows(
        scratch,
        "SELECT outcome, reasons[1] FROM decisions.ledger JOIN orders.orders USING (order_id)"
        " ORDER BY CAST(external_id AS integer)",
    )
    assert found == [(state, reason) for *_, state, reason in REASONED]
    for due, tenders, state, reason in REASONED:
        judged = match(due, [read_tender(tender) for tender in tenders])
        assert (judged.state, judged.reason) == (state, reason)
    assert {reason for *_, reason in REASONED} == set(Reason)
    assert {state for *_, state, _ in REASONED} == set(PaymentState)


def test_a_state_says_the_same_in_table_ledger_timeline_and_order(
    scratch: sa.Connection, place: Place
) -> None:
    settle(scratch, place, *((due, tenders) for due, tenders, _, _ in REASONED))
    unequal = rows(
        scratch,
        """
        SELECT p.order_id FROM payments.order_payments AS p
        JOIN decisions.ledger AS l USING (order_id) JOIN decisions.timeline AS t USING (order_id)
        JOIN flow.order_states AS s USING (order_id)
        WHERE NOT (p.payment_state = l.outcome AND t.event = 'payment_' || l.outcome
            AND s.payment_state = l.outcome AND l.decided_as_of = p.decided_as_of
            AND CAST(t.detail ->> 'due_minor' AS bigint) = p.due_minor)
        """,
    )
    assert unequal == []
    assert rows(scratch, "SELECT count(*) FROM decisions.timeline") == [(len(REASONED),)]


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ([], []),
        ([7], [7]),
        ([0], [1]),
        ([1_000_000], [1_000_000]),
        ([1_000_001], [1]),
        ([2.0, 1], [2, 1]),
        ([True, 1], [2, 1]),
        ([None, None, None], [1, 2, 3]),
        ([3, 3, 1], [2, 3, 1]),
    ],
)
def test_numbers_of_tenders_in_sql_are_those_of_the_reference(
    scratch: sa.Connection, place: Place, given: list[Any], numbers: list[int]
) -> None:
    """The amount tells the tenders apart, so that each can be seen to get its own number."""
    tenders = [paid(10 + at, sequence=value) for at, value in enumerate(given)]
    settle(scratch, place, (5, tenders))
    kept = rows(scratch, "SELECT sequence, amount_minor FROM payments.transactions ORDER BY 2")
    assert kept == [(number, 10 + at) for at, number in enumerate(numbers)]
    assert number_tenders(given) == numbers


def test_a_blank_detail_of_a_card_is_none(scratch: sa.Connection, place: Place) -> None:
    columns = [TRANSACTIONS.c[name] for name in CARD]
    blank = paid(5, **dict.fromkeys(CARD, "  "))
    padded = paid(5, **dict.fromkeys(CARD, " Ж "))
    settle(scratch, place, (5, [blank]), (5, [padded]))
    found = scratch.execute(sa.select(*columns).order_by(TRANSACTIONS.c.order_id)).all()
    assert [tuple(row) for row in found] == [(None,) * 4, ("Ж",) * 4]


def test_money_is_added_up_per_currency_and_never_across(
    scratch: sa.Connection, place: Place
) -> None:
    place(scratch, [(100, [paid(100)]), (200, [paid(150)]), (300, [paid(300)])])
    scratch.execute(
        sa.text("UPDATE orders.orders SET currency = 'JPY' WHERE external_id IN ('2', '3')")
    )
    claim(scratch, Stage.PAYMENT)
    match_payments(scratch, "run")
    tendered = scratch.execute(sums(TRANSACTIONS, TRANSACTIONS.c.amount_minor)).all()
    due = scratch.execute(sums(ORDER_PAYMENTS, ORDER_PAYMENTS.c.due_minor)).all()
    assert [tuple(row) for row in tendered] == [("EUR", 100), ("JPY", 450)]
    assert [tuple(row) for row in due] == [("EUR", 100), ("JPY", 500)]
    assert state_counts(scratch) == {"authorised": 2, "underpaid": 1}


def test_methods_are_counted_most_used_first_and_ties_by_name(
    scratch: sa.Connection, place: Place
) -> None:
    given = ["wallet", "card", "boleto", "card", "shells", "gold", "wallet"]
    tenders = [paid(1, method=method, sequence=at) for at, method in enumerate(given, start=1)]
    settle(scratch, place, (7, tenders))
    assert list(method_counts(scratch).items()) == [
        ("card", 2), ("unknown", 2), ("wallet", 2), ("boleto", 1)
    ]  # fmt: skip


def test_no_claimed_order_is_no_work(scratch: sa.Connection) -> None:
    claim(scratch, Stage.PAYMENT)
    assert not any(match_payments(scratch, "run").values())
    assert rows(scratch, "SELECT count(*) FROM decisions.ledger") == [(0,)]


def test_an_order_in_the_queue_twice_is_refused_and_nothing_moves(
    database: DatabaseResource, place: Place
) -> None:
    """A fault of the queue must be seen, not turned into a second set of tenders."""
    step = partial(match_payments, run="run")
    with database.begin() as conn:
        place(conn, [(5, [])])
    drain(database.begin, Stage.PAYMENT, step)
    with database.begin() as conn:
        conn.execute(
            sa.text("INSERT INTO flow.pending SELECT 'payment', order_id, now() FROM orders.orders")
        )
        conn.execute(sa.text("DELETE FROM payments.order_payments"))
        before = final_state(conn)
    assert drain(database.begin, Stage.PAYMENT, step) == {"orders": 0, "set_aside": 1}
    with database.begin() as conn:
        [(told,)] = rows(conn, "SELECT detail FROM flow.quarantine")
        assert "payment_state cannot go from awaiting to awaiting" in told
        moved = differences(before, final_state(conn)).keys()
        assert moved <= {"flow.pending", "flow.quarantine"}


@pytest.mark.parametrize("survived", [0, 1, 2])
def test_a_run_killed_after_any_chunk_ends_like_one_that_was_not(
    database: DatabaseResource, module_database: DatabaseResource, place: Place, survived: int
) -> None:
    orders = [(due, tenders) for due, tenders, _, _ in REASONED]
    chunks = iter(range(len(orders)))

    def dies(conn: sa.Connection) -> Mapping[str, int]:
        counts = match_payments(conn, "run")
        if next(chunks) == survived:
            raise KeyboardInterrupt
        return counts

    with database.begin() as conn:
        place(conn, orders)
    with pytest.raises(KeyboardInterrupt):
        drain(database.begin, Stage.PAYMENT, dies, chunk=3)
    left = len(orders) - 3 * survived
    with database.begin() as conn:
        assert waiting(conn)["payment"] == left
    again = drain(database.begin, Stage.PAYMENT, partial(match_payments, run="again"), chunk=4)
    assert again["orders"] == left
    with module_database.engine.connect() as whole_run, database.begin() as conn:
        settle(whole_run, place, *orders)
        assert differences(final_state(whole_run), final_state(conn)) == {}
        whole_run.rollback()


def test_two_workers_take_different_orders(database: DatabaseResource, place: Place) -> None:
    with database.begin() as conn:
        place(conn, [(5, [paid(5)]), (6, [paid(6)]), (7, [paid(7)])])
    with database.begin() as first:
        assert claim(first, Stage.PAYMENT, 1) == 1
        others = drain(database.begin, Stage.PAYMENT, partial(match_payments, run="second"))
        assert others["orders"] == 2
        match_payments(first, "first")
    with database.begin() as conn:
        found = rows(conn, "SELECT due_minor, run_id FROM payments.order_payments ORDER BY 1")
        assert found == [(5, "first"), (6, "second"), (7, "second")]


def test_the_reference_adds_big_money_exactly() -> None:
    tenders = [Tender("card", MOST_MINOR, 1, True, None)] * 3
    assert match(3 * MOST_MINOR, tenders).state is PaymentState.AUTHORISED
    assert match(3 * MOST_MINOR - 4, tenders).reason is Reason.PAID_TOO_MUCH
