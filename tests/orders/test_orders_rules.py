"""The faults of a document, in Python and in SQL: both say the same of anything JSON can hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.orders.model import Message
from ecom_assets.orders.rules import amounts, decided_as_of, find_fault
from ecom_assets.orders.store import claims, receive
from ecom_assets.orders.store.validation import MESSAGES, read_claimed

SKUS = ("SKU-1", "SKU-2")
Builder = Callable[..., dict[str, Any]]
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def line(**members: Any) -> dict[str, Any]:
    return {"line_no": 1, "sku": "SKU-1", "quantity": 1, "unit_price_minor": 100, **members}


def payment(**members: Any) -> dict[str, Any]:
    return {"sequence": 1, "method": "card", "amount_minor": 100, **members}


CASES: list[tuple[dict[str, Any], str]] = [
    ({"placed_at": "2024-05-01 12:00"}, "malformed_document: placed_at must be a moment"),
    ({"placed_at": "2023-02-29T12:00:00Z"}, "malformed_document: placed_at must be a moment"),
    ({"customer": "c-1"}, "malformed_document: customer.key must be a text"),
    ({"customer": {"key": "k" * 501}}, "malformed_document: customer.key must be a text"),
    ({"shipping_minor": 1.5}, "malformed_document: shipping_minor must be a whole number"),
    ({"shipping_minor": -1}, "malformed_document: shipping_minor must be a whole number"),
    ({"payments": {}}, "malformed_document: payments must be a list"),
    ({"payments": [payment(), 3]}, "malformed_document: payment 2: sequence must be"),
    ({"currency": "EURO"}, "unknown_currency: unknown currency EURO"),
    ({"ship_to": {"country": "Belgium"}}, "missing_address: ship_to.country must be"),
    ({"lines": []}, "order_without_lines: lines must be a list"),
    ({"lines": "none"}, "order_without_lines: lines must be a list"),
    ({"lines": [line(), "x"]}, "bad_line: line 2: line_no must be"),
    ({"lines": [line(quantity=0)]}, "bad_line: line 1: quantity must be a whole number from 1"),
    ({"lines": [line(), line()]}, "bad_line: line 1: line_no is used twice"),
    ({"lines": [line(discount_minor=101)]}, "bad_line: line 1: discount_minor must not exceed"),
    (
        {"lines": [line(quantity=10**6, unit_price_minor=10**12)]},
        "bad_line: line 1: quantity * unit_price_minor must not exceed",
    ),
    ({"lines": [line(sku="X", line_no=7)]}, "unknown_sku: unknown SKU X in line 7"),
    ({"total_minor": 1448}, "total_differs_from_lines: total_minor is 1448, the lines add up to"),
]


@pytest.mark.parametrize(("members", "expected"), CASES)
def test_fault_names_the_problem_the_line_and_the_field(
    document: Builder, members: dict[str, Any], expected: str
) -> None:
    found = find_fault(document(**members), SKUS)
    assert found is not None
    assert found.startswith(expected)


@pytest.mark.parametrize("total", [1449, 1450, 1451, None])
def test_stated_total_may_be_off_by_one_minor_unit(document: Builder, total: int | None) -> None:
    assert find_fault(document(total_minor=total), SKUS) is None


def test_order_is_worth_its_lines_whatever_it_states(document: Builder) -> None:
    worth = amounts(document(total_minor=1451))
    assert (worth.items_minor, worth.discount_minor, worth.tax_minor) == (1300, 100, 150)
    assert worth.total_minor == 1450


def test_order_is_decided_as_of_its_last_authorisation(document: Builder) -> None:
    late = [payment(), payment(authorised_at="2024-05-02T08:00:00+02:00")]
    assert decided_as_of(document()) == NOON + timedelta(minutes=5)
    assert decided_as_of(document(payments=late)).isoformat() == "2024-05-02T08:00:00+02:00"
    assert decided_as_of(document(payments=[payment()])) == NOON


def read_in_sql(conn: sa.Connection, documents: list[Any]) -> list[sa.Row[Any]]:
    receive(conn, [Message("web", f"{i:02}", NOON, one) for i, one in enumerate(documents)])
    claims.claim_pending(conn, len(documents))
    read_claimed(conn)
    return list(conn.execute(sa.select(MESSAGES).order_by(MESSAGES.c.inbox_id)).all())


def test_sql_finds_the_same_faults(catalog: sa.Connection, document: Builder) -> None:
    documents = [document(**members) for members, _ in CASES]
    found = [row.fault for row in read_in_sql(catalog, documents)]
    assert found == [find_fault(each, SKUS) for each in documents]


@pytest.mark.parametrize(
    ("place", "number", "expected"),
    [
        ("{ship_to,latitude}", "1e-400", None),
        ("{ship_to,latitude}", "1e400", "malformed_document: ship_to.latitude must be"),
        ("{shipping_minor}", "1e400", "malformed_document: shipping_minor must be"),
    ],
)
def test_number_that_no_double_holds_stops_nothing(
    catalog: sa.Connection, document: Builder, place: str, number: str, expected: str | None
) -> None:
    """Python cannot make such a number, but JSON and the inbox can hold it."""
    receive(catalog, [Message("web", "A-1", NOON, document())])
    change = """
        UPDATE orders.inbox
        SET payload = jsonb_set(payload, CAST(:place AS text[]), CAST(:number AS jsonb))
    """
    catalog.execute(sa.text(change), {"place": place, "number": number})
    claims.claim_pending(catalog, 1)
    read_claimed(catalog)
    found = catalog.execute(sa.select(MESSAGES.c.fault)).scalar_one()
    assert (found or "").startswith(expected or "")
    assert (found is None) == (expected is None)


_MOMENTS = st.one_of(
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.from_regex(r"\A(19|20)\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(Z|[+-]1\d:00)\Z"),
    st.sampled_from(["2024-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-05-01T12:00:00"]),
)
_NUMBERS = st.one_of(
    st.integers(-2, 3),
    st.sampled_from([10**6, 10**6 + 1, 10**12, 10**12 + 1, 10**30, 0.5, 2.0, -0.0, 1e-300, 90.5]),
    st.floats(allow_nan=False, allow_infinity=False),
)
_TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=4),
    st.sampled_from([" ", " SKU-2 ", "SKU-9", "EUR", "JPY", "XXX", "be", "DE", "x" * 501, "1"]),
)
_SCALARS = st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS, _MOMENTS)
_VALUES = st.one_of(
    _SCALARS, st.just([]), st.just({}), st.lists(_SCALARS, max_size=2),
    st.just([line(), line(line_no=2)]), st.just([payment()]),
)  # fmt: skip
_PATHS = st.sampled_from(
    [
        ("placed_at",), ("promised_at",), ("currency",), ("shipping_minor",), ("total_minor",),
        ("customer",), ("customer", "key"), ("customer", "email"), ("ship_to",),
        ("ship_to", "country"), ("ship_to", "latitude"), ("ship_to", "name"), ("context",),
        ("context", "device_id"), ("lines",), ("lines", 0), ("lines", 1, "line_no"),
        ("lines", 0, "sku"), ("lines", 0, "quantity"), ("lines", 0, "unit_price_minor"),
        ("lines", 1, "discount_minor"), ("lines", 1, "tax_minor"), ("lines", 0, "seller"),
        ("payments",), ("payments", 0), ("payments", 0, "sequence"), ("payments", 0, "method"),
        ("payments", 0, "amount_minor"), ("payments", 0, "installments"),
        ("payments", 0, "authorised_at"), ("payments", 0, "anomaly"),
    ]
)  # fmt: skip
_CHANGES = st.lists(st.tuples(_PATHS, _VALUES), max_size=3)


def changed(document: Any, changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
    """A document with some places set; a change whose place is gone is left out."""
    for (*parents, last), value in changes:
        place = document
        try:
            for name in parents:
                place = place[name]
            place[last] = value
        except (TypeError, KeyError, IndexError):
            continue
    return document


@given(
    changes=st.lists(_CHANGES, min_size=1, max_size=8),
    odd=st.lists(_VALUES, max_size=1),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sql_and_python_find_the_same_in_any_document(
    catalog: sa.Connection, document: Builder, changes: list[Any], odd: list[Any]
) -> None:
    documents = [changed(document(), some) for some in changes] + odd
    with catalog.begin_nested() as attempt:
        rows = read_in_sql(catalog, documents)
        attempt.rollback()
    for given_document, row in zip(documents, rows, strict=True):
        assert find_fault(given_document, SKUS) == row.fault
        if row.fault is None:
            worth = amounts(given_document)
            sums = (row.items_minor, row.discount_minor, row.shipping_minor or 0, row.tax_minor)
            assert sums == (
                worth.items_minor, worth.discount_minor, worth.shipping_minor, worth.tax_minor
            )  # fmt: skip
            last = row.last_authorised_at or row.placed_at
            assert max(row.placed_at, last) == decided_as_of(given_document)
