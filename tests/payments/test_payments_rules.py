"""Reading and matching tenders, by the plain reference."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.payments.rules import (
    PaymentState,
    Reason,
    Tender,
    match,
    number_tenders,
    read_tender,
)


def tender(amount_minor: int, is_authorised: bool = True) -> Tender:
    return Tender("card", amount_minor, 1, is_authorised, None)


@pytest.mark.parametrize(
    ("due", "tenders", "state", "reason"),
    [
        (500, [tender(500)], "authorised", Reason.PAID_EXACTLY),
        (500, [tender(499)], "authorised", Reason.WITHIN_TOLERANCE),
        (500, [tender(498)], "underpaid", Reason.PAID_TOO_LITTLE),
        (500, [tender(250), tender(248)], "authorised", Reason.WITHIN_TOLERANCE),
        (500, [tender(502)], "overpaid", Reason.PAID_TOO_MUCH),
        (500, [], "awaiting", Reason.NOTHING_TENDERED),
        (0, [], "authorised", Reason.PAID_EXACTLY),
        (500, [tender(500, False)], "awaiting", Reason.TENDER_UNCONFIRMED),
        (500, [tender(300), tender(200, False)], "awaiting", Reason.TENDER_UNCONFIRMED),
        (500, [tender(500), tender(200, False)], "authorised", Reason.PAID_EXACTLY),
        (500, [tender(0, False)], "underpaid", Reason.PAID_TOO_LITTLE),
    ],
)
def test_an_order_is_matched(due: int, tenders: list[Tender], state: str, reason: Reason) -> None:
    found = match(due, tenders)
    assert (found.state, found.reason) == (PaymentState(state), reason)


@given(st.integers(0, 10_000), st.lists(st.integers(0, 5_000), max_size=5))
def test_more_money_never_makes_an_order_underpaid(due: int, amounts: list[int]) -> None:
    order = [PaymentState.UNDERPAID, PaymentState.AUTHORISED, PaymentState.OVERPAID]
    before = match(due, [tender(0), *map(tender, amounts)]).state
    after = match(due, [tender(1_000), *map(tender, amounts)]).state
    assert order.index(after) >= order.index(before)


@pytest.mark.parametrize(
    ("document", "kept"),
    [
        ({"method": "card", "amount_minor": 5, "installments": 3}, ("card", 5, 3, None)),
        ({"method": "CARD", "amount_minor": 5}, ("card", 5, 1, None)),
        ({"method": "shells", "amount_minor": 5}, ("unknown", 5, 1, "unknown_method")),
        (
            {"method": "card", "amount_minor": 5, "installments": 0},
            ("card", 5, 1, "zero_instalments"),
        ),
        (
            {"method": "card", "amount_minor": 5, "installments": 0, "anomaly": "zero_instalments"},
            ("card", 5, 1, "zero_instalments"),
        ),
        ({"method": "card", "amount_minor": -5}, ("card", 0, 1, "negative_amount")),
        ({"method": "card", "amount_minor": "5"}, ("card", 0, 1, "unreadable_amount")),
        ({"anomaly": "odd"}, ("unknown", 0, 1, "odd,unknown_method,unreadable_amount")),
    ],
)
def test_odd_tenders_are_kept_and_named(document: dict[str, Any], kept: tuple[Any, ...]) -> None:
    found = read_tender(document)
    assert (found.method, found.amount_minor, found.installments, found.anomaly) == kept


def test_a_tender_is_authorised_from_the_moment_the_provider_says() -> None:
    assert read_tender({"authorised_at": "2024-03-01T10:00:00Z"}).is_authorised
    assert not read_tender({"authorised_at": None}).is_authorised


def test_usable_numbers_are_kept() -> None:
    assert number_tenders([3, 1]) == [3, 1]


@pytest.mark.parametrize(
    ("values", "numbers"),
    [([1, 1, 2], [1, 2, 3]), ([2, None, 1], [2, 3, 1]), (["x", 5, 0], [2, 1, 3])],
)
def test_tenders_are_numbered_anew_where_a_number_cannot_be_used(
    values: list[object], numbers: list[int]
) -> None:
    assert number_tenders(values) == numbers


@given(st.lists(st.none() | st.integers(-1, 4) | st.text(max_size=1), max_size=6))
def test_numbers_are_positive_and_different(values: list[object]) -> None:
    numbers = number_tenders(values)
    assert len(set(numbers)) == len(values)
    assert all(number >= 1 for number in numbers)
