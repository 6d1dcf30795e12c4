"""Documents at the edge of what is allowed: both readers accept or refuse them, for one reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.orders import document as spec
from ecom_assets.orders.model import Message, Problem
from ecom_assets.orders.rules import amounts, decided_as_of, find_fault
from ecom_assets.orders.store import claims, receive
from ecom_assets.orders.store.validation import MESSAGES, read_claimed
from ecom_assets.shared.money import CURRENCIES, exponent

SKUS = ("SKU-1", "SKU-2")
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
Builder = Callable[..., dict[str, Any]]
Case = tuple[dict[str, Any], str | None]


def line(**members: Any) -> dict[str, Any]:
    return {"line_no": 1, "sku": "SKU-1", "quantity": 1, "unit_price_minor": 100, **members}


def lines(**members: Any) -> dict[str, Any]:
    return {"lines": [line(**members)], "total_minor": None}


def paid(**members: Any) -> dict[str, Any]:
    return {"payments": [{"sequence": 1, "method": "card", "amount_minor": 1, **members}]}


def sent_to(**members: Any) -> dict[str, Any]:
    return {"ship_to": {"country": "BE", **members}}


def read(conn: sa.Connection, documents: list[Any]) -> list[sa.Row[Any]]:
    receive(conn, [Message("web", f"{i:03}", NOON, one) for i, one in enumerate(documents)])
    claims.claim_pending(conn, len(documents))
    read_claimed(conn)
    return list(conn.execute(sa.select(MESSAGES).order_by(MESSAGES.c.inbox_id)).all())


def hold_equal(scratch_catalog: sa.Connection, document: Builder, cases: list[Case]) -> None:
    """Each case is a change to a good document and how its fault begins, None for no fault."""
    documents = [document(**members) for members, _ in cases]
    found = [row.fault for row in read(scratch_catalog, documents)]
    assert found == [find_fault(each, SKUS) for each in documents]
    for fault, (members, expected) in zip(found, cases, strict=True):
        assert (fault or "").startswith(expected or ""), members
        assert (fault is None) == (expected is None), (members, fault)


LATE = "malformed_document: placed_at must be a moment"
DAYS: list[Case] = [
    ({"placed_at": moment, "payments": []}, expected)
    for moment, expected in [
        ("2024-02-29T23:59:59Z", None),
        ("2023-02-29T00:00:00Z", LATE),
        ("2000-02-29T00:00:00Z", None),
        ("2100-02-29T00:00:00Z", LATE),
        ("2024-02-30T00:00:00Z", LATE),
        ("2024-04-30T00:00:00Z", None),
        ("2024-04-31T00:00:00Z", LATE),
        ("2024-12-31T23:59:59.999999-14:59", None),
        ("2024-01-01T00:00:00.1234567Z", LATE),
        ("2024-01-01T00:00:00+15:00", LATE),
        ("2024-01-01T24:00:00Z", LATE),
        ("2024-01-01T23:59:60Z", LATE),
        ("2024-01-01T00:00:00", LATE),
        ("2024-01-01", LATE),
        ("2024-1-1T00:00:00Z", LATE),
        ("2024-01-01t00:00:00z", LATE),
        ("2024-01-01T00:00:00Z\n", LATE),
        (" 2024-01-01T00:00:00Z", LATE),
        ("٢٠٢٤-01-01T00:00:00Z", LATE),
        ("0999-01-01T00:00:00Z", LATE),
        ("1000-01-01T00:00:00Z", None),
        ("now", LATE),
        (1_714_564_800, LATE),
    ]
]


def test_only_days_that_exist_with_an_offset_are_moments(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    hold_equal(scratch_catalog, document, DAYS)


NUMBERS: list[Case] = [
    ({"shipping_minor": 0, "total_minor": 1200}, None),
    ({"shipping_minor": spec.MOST_MINOR, "total_minor": None}, None),
    ({"shipping_minor": spec.MOST_MINOR + 1}, "malformed_document: shipping_minor"),
    ({"shipping_minor": 250.0}, None),
    ({"shipping_minor": "250"}, "malformed_document: shipping_minor"),
    ({"shipping_minor": True}, "malformed_document: shipping_minor"),
    ({"shipping_minor": " "}, "total_differs_from_lines"),
    ({"total_minor": ""}, None),
    ({"total_minor": 10**19}, "malformed_document: total_minor"),
    (lines(quantity=10**6, unit_price_minor=10**6), None),
    (lines(quantity=10**6, unit_price_minor=10**6 + 1), "bad_line: line 1: quantity * unit_price"),
    (lines(quantity=10**6 + 1), "bad_line: line 1: quantity"),
    (lines(quantity=0.5), "bad_line: line 1: quantity"),
    (lines(quantity=-1), "bad_line: line 1: quantity"),
    (lines(line_no=0), "bad_line: line 1: line_no"),
    (lines(line_no=10**6), None),
    (lines(unit_price_minor=0, discount_minor=0), None),
    (lines(discount_minor=100), None),
    (lines(discount_minor=101), "bad_line: line 1: discount_minor must not exceed"),
    (lines(tax_minor=-1), "bad_line: line 1: tax_minor"),
    (sent_to(latitude=90, longitude=-180), None),
    (sent_to(latitude=90.000001), "malformed_document: ship_to.latitude"),
    (sent_to(longitude=180.5), "malformed_document: ship_to.longitude"),
    (sent_to(latitude="51"), "malformed_document: ship_to.latitude"),
    (paid(installments=1_000), None),
    (paid(installments=1_001), "malformed_document: payment 1: installments"),
    (paid(sequence=0), None),
    (paid(amount_minor=None), "malformed_document: payment 1: amount_minor"),
    (paid(authorised_at=" "), None),
    (paid(authorised_at="soon"), "malformed_document: payment 1: authorised_at"),
]


def test_numbers_are_whole_and_within_bounds(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    hold_equal(scratch_catalog, document, NUMBERS)


LONG = "客" * spec.MOST_CHARACTERS
TEXTS: list[Case] = [
    ({"customer": {"key": LONG}}, None),
    ({"customer": {"key": LONG + "客"}}, "malformed_document: customer.key"),
    ({"customer": {"key": "👩‍👩‍👧" * 100}}, None),
    ({"customer": {"key": " "}}, "malformed_document: customer.key"),
    ({"customer": {"key": 7}}, "malformed_document: customer.key"),
    ({"customer": None}, "malformed_document: customer.key"),
    ({"customer": [{"key": "c"}]}, "malformed_document: customer.key"),
    ({"customer": {"key": "c", "email": ["a@x"]}}, "malformed_document: customer.email"),
    ({"context": {"device_id": "d" * 501}}, "malformed_document: context.device_id"),
    ({"context": "none"}, None),
    ({"currency": " EUR "}, None),
    ({"currency": "eur"}, "unknown_currency: unknown currency eur"),
    ({"currency": "EU R"}, "unknown_currency: unknown currency EU R"),
    (sent_to(country="be"), "missing_address: ship_to.country"),
    (sent_to(country=" BE"), "missing_address: ship_to.country"),
    (sent_to(country="ЖЯ"), "missing_address: ship_to.country"),
    ({"ship_to": None}, "missing_address: ship_to.country"),
    (lines(sku=" SKU-2 "), None),
    (lines(sku="sku-1"), "unknown_sku: unknown SKU sku-1 in line 1"),
    (lines(sku="Ж' OR 1=1 --"), "unknown_sku: unknown SKU Ж' OR 1=1 -- in line 1"),
    (lines(sku="%(x)s :y {z}"), "unknown_sku: unknown SKU %(x)s :y {z} in line 1"),
    (lines(seller="s" * 501), "bad_line: line 1: seller"),
]


def test_texts_are_limited_and_taken_as_they_are(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    hold_equal(scratch_catalog, document, TEXTS)


PRECEDENCE: list[Case] = [
    # Each of these has the fault that is named and every later one.
    ({"placed_at": None, "currency": "?", "ship_to": None, "lines": []}, "malformed_document"),
    ({"payments": 1, "currency": "?", "ship_to": None, "lines": []}, "malformed_document"),
    ({"currency": "?", "ship_to": None, "lines": []}, "unknown_currency"),
    ({"ship_to": None, "lines": []}, "missing_address"),
    ({"lines": [], "total_minor": 1}, "order_without_lines"),
    ({"lines": [line(sku="?"), line(quantity=0)], "total_minor": 1}, "bad_line: line 1: line_no"),
    ({"lines": [line(sku="?")], "total_minor": 1}, "unknown_sku"),
    ({"lines": [line()], "total_minor": 1}, "total_differs_from_lines"),
]


def test_the_first_problem_in_order_is_named(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    hold_equal(scratch_catalog, document, PRECEDENCE)
    named = list(dict.fromkeys((expected or "").split(":")[0] for _, expected in PRECEDENCE))
    assert named == list(Problem)


def test_every_currency_is_accepted_whatever_its_minor_unit(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    chosen = sorted(CURRENCIES)
    assert {exponent(code) for code in chosen} == {0, 2, 3}
    hold_equal(scratch_catalog, document, [({"currency": code}, None) for code in chosen])


@pytest.mark.parametrize("odd", [None, [], {}, 0, "", "{}", [[]], True])
def test_a_payload_that_is_no_document_is_a_fault_not_an_error(
    scratch_catalog: sa.Connection, document: Builder, odd: Any
) -> None:
    found, good = (row.fault for row in read(scratch_catalog, [odd, document()]))
    assert found == find_fault(odd, SKUS)
    assert str(found).startswith("malformed_document: placed_at")
    assert good is None


def test_sums_of_very_large_orders_are_exact(
    scratch_catalog: sa.Connection, document: Builder
) -> None:
    """A thousand lines of the largest amount are beyond what a double holds to the unit."""
    big = [
        line(line_no=number, unit_price_minor=spec.MOST_MINOR - number, tax_minor=number)
        for number in range(1, 1_001)
    ]
    order = document(lines=big, total_minor=None, shipping_minor=1)
    (row,) = read(scratch_catalog, [order])
    worth = amounts(order)
    assert (row.lines, row.fault) == (1_000, None)
    assert row.items_minor == worth.items_minor == 1_000 * spec.MOST_MINOR - 500_500
    assert (row.tax_minor, worth.total_minor) == (500_500, row.items_minor + 1)


@pytest.mark.parametrize(
    ("authorised", "expected"),
    [
        ([], "2024-05-01T12:00:00+00:00"),
        ([None, " "], "2024-05-01T12:00:00+00:00"),
        (["2024-05-01T11:59:59Z"], "2024-05-01T12:00:00+00:00"),
        (["2024-05-01T14:00:00+02:00"], "2024-05-01T12:00:00+00:00"),
        (["2024-05-01T13:00:01+01:00", "2024-05-01T09:00:00-05:00"], "2024-05-01T14:00:00+00:00"),
        (["2024-12-31T23:00:00-01:30"], "2025-01-01T00:30:00+00:00"),
    ],
)
def test_an_order_is_decided_at_the_latest_moment_whatever_the_zones(
    scratch_catalog: sa.Connection, document: Builder, authorised: list[str | None], expected: str
) -> None:
    payments = [
        {"sequence": at, "method": "card", "amount_minor": 1, "authorised_at": moment}
        for at, moment in enumerate(authorised)
    ]
    order = document(payments=payments)
    (row,) = read(scratch_catalog, [order])
    assert row.fault is None
    decided = max(row.placed_at, row.last_authorised_at or row.placed_at)
    assert decided == decided_as_of(order) == datetime.fromisoformat(expected)
