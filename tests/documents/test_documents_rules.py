"""Shares add up exactly; numbers are written and read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.documents.rules import (
    apportion,
    number_text,
    parse_number,
    series_of,
    shipped_line,
)

AMOUNTS = st.integers(0, 10**12)


@given(AMOUNTS, st.lists(st.integers(0, 10_000), min_size=1, max_size=9).filter(any))
def test_parts_add_up_and_are_within_one_unit_of_their_share(
    amount: int, weights: list[int]
) -> None:
    parts = apportion(amount, weights)
    assert sum(parts) == amount
    total = sum(weights)
    assert all(
        abs(part * total - amount * weight) < total
        for part, weight in zip(parts, weights, strict=True)
    )


@pytest.mark.parametrize(("amount", "weights"), [(-1, [1]), (1, []), (1, [0]), (1, [2, -1])])
def test_what_has_no_proportion_is_refused(amount: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot divide"):
        apportion(amount, weights)


@given(ordered=st.integers(1, 500), price=st.integers(0, 10_000), tax=AMOUNTS, data=st.data())
def test_shipped_and_unshipped_parts_make_the_whole_line(
    ordered: int, price: int, tax: int, data: st.DataObject
) -> None:
    shipped = data.draw(st.integers(1, ordered))
    discount = data.draw(st.integers(0, ordered * price))
    line = shipped_line(1, "sku", "thing", ordered, shipped, price, discount, tax)
    whole = shipped_line(1, "sku", "thing", ordered, ordered, price, discount, tax)
    assert whole.total_minor == ordered * price - discount
    assert whole.tax_minor == tax
    assert 0 <= line.total_minor <= whole.total_minor
    rest = (ordered - shipped) * price - (discount - line.discount_minor)
    assert rest >= 0
    assert line.total_minor + rest == whole.total_minor


def test_the_series_is_the_year_of_issue_in_utc() -> None:
    eastern = timezone(timedelta(hours=9))
    assert series_of(datetime(2019, 1, 1, 5, tzinfo=eastern)) == "INV-2018"
    assert series_of(datetime(2019, 1, 1, tzinfo=UTC)) == "INV-2019"


def test_numbers_are_written_and_read() -> None:
    assert number_text("INV-2018", 42) == "INV-2018-000042"
    assert parse_number("INV-2018-000042") == ("INV-2018", 42)
    assert parse_number(number_text("INV-2018", 12_345_678)) == ("INV-2018", 12_345_678)


@pytest.mark.parametrize("text", ["", "42", "INV-2018-", "INV-2018-x", "INV-2018-²"])
def test_other_texts_are_not_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="not an invoice number"):
        parse_number(text)
