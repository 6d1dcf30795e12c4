"""Trade item numbers: what spreadsheets do to them, and the check digit, in Python and in SQL."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.catalog.gtin import is_gtin_14, read_gtin
from ecom_assets.catalog.store.functions import open_functions

READ = [
    ("4006381333931", "04006381333931", None),
    ("96385074", "00000096385074", None),
    ("036000291452", "00036000291452", None),
    ("10614141000415", "10614141000415", None),
    ("400-6381 333931", "04006381333931", None),
    ("'4006381333931", "04006381333931", None),
    ("36000291452", "00036000291452", "gtin_zero_restored"),
    ("4006381333931.0", "04006381333931", "gtin_was_float"),
    ("4006381333931.", "04006381333931", "gtin_was_float"),
    ("4.006381333931E+12", "04006381333931", "gtin_was_float"),
    ("4.006381e+12", None, "gtin_digits_lost"),
    ("4.00638E12", None, "gtin_digits_lost"),
    ("123456", None, "gtin_wrong_length"),
    ("123456789012345", None, "gtin_wrong_length"),
    ("4006381333931.5", None, "gtin_not_digits"),
    ("n/a", None, "gtin_not_digits"),
    ("-", None, "gtin_not_digits"),
    ("٤٠٠٦٣٨١٣٣٣٩٣١", None, "gtin_not_digits"),
]


@pytest.mark.parametrize(("cell", "value", "code"), READ)
def test_a_cell_is_read_as_what_it_was(cell: str, value: str | None, code: str | None) -> None:
    read = read_gtin(cell)
    assert (read.value, read.code) == (value, code)


@pytest.mark.parametrize("gtin", ["04006381333931", "00000096385074", "10614141000415"])
def test_a_check_digit_is_right_alone(gtin: str) -> None:
    assert is_gtin_14(gtin)
    wrong = [gtin[:-1] + digit for digit in "0123456789" if digit != gtin[-1]]
    assert not any(map(is_gtin_14, wrong))


@pytest.mark.parametrize("gtin", ["", "0" * 14, "4006381333931", "0400638133393x", "\u0660" * 14])
def test_what_is_no_number_of_14_digits_is_none(gtin: str) -> None:
    assert not is_gtin_14(gtin)


_CELLS = (
    st.sampled_from([cell for cell, _, _ in READ])
    | st.from_regex(r"[0-9]{5,16}(\.0?)?", fullmatch=True)
    | st.from_regex(r"[0-9](\.[0-9]{1,14})?[eE]\+?[0-9]{1,2}", fullmatch=True)
    | st.text(alphabet="0123456789.eE+-' \t", max_size=20)
)


@given(cells=st.lists(_CELLS, min_size=1, max_size=40))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sql_and_python_read_and_check_the_same(scratch: sa.Connection, cells: list[str]) -> None:
    open_functions(scratch)
    numbers = [read_gtin(cell).value or cell[:14].rjust(14, "0") for cell in cells]
    query = sa.text("""
        SELECT pg_temp.read_gtin(cell), catalog.is_gtin_14(number)
        FROM unnest(CAST(:cells AS text[]), CAST(:numbers AS text[])) AS t (cell, number)
    """)
    rows = scratch.execute(query, {"cells": cells, "numbers": numbers}).tuples()
    expected = [
        ([read_gtin(cell).value, read_gtin(cell).code], is_gtin_14(number))
        for cell, number in zip(cells, numbers, strict=True)
    ]
    assert [tuple(row) for row in rows] == expected
