"""Cells of spreadsheets, in Python and in SQL: numbers, formulas, marks of escaped text."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.catalog.cells import clean, escaped, fault, number
from ecom_assets.catalog.store.functions import open_functions


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1299", "1299"), ("1,299.50", "1299.50"), ("1,299", "1299"), ("12,5", "12.5"),
        ("1.299,50", "1299.50"), ("-3", "-3"), ("0", "0"),
    ],
)  # fmt: skip
def test_numbers_of_both_ways_of_writing_are_read(cell: str, value: str) -> None:
    assert number(cell) == Decimal(value)


@pytest.mark.parametrize("cell", ["Nill", "", "1,2,3", "1.2.3", "12,3456", "1e5", "٣", "9" * 31])
def test_what_is_no_number_is_none(cell: str) -> None:
    assert number(cell) is None


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =A1", "\t=A1", "-", "=", "--5"]
)
def test_what_a_spreadsheet_would_run_is_a_formula(cell: str) -> None:
    assert fault(cell) == "formula"


@pytest.mark.parametrize("cell", ["-5", "+49 30", "a=b", "'=1+1", "x@y.example", "5-7 kg", ""])
def test_numbers_and_marked_texts_are_none(cell: str) -> None:
    assert fault(cell) == (None if cell != "+49 30" else "formula")


@pytest.mark.parametrize("cell", ["#REF!", " #n/a ", "#DIV/0!"])
def test_what_a_broken_formula_left_is_named(cell: str) -> None:
    assert fault(cell) == "spreadsheet_error"


@given(st.text(alphabet="=+-@'a1 \t", max_size=6))
def test_what_is_exported_runs_nowhere_and_comes_back_as_it_was(text: str) -> None:
    written = escaped(text)
    assert written[:1] not in {"=", "+", "-", "@", "\t", "\r"} or not written
    stored = clean(text)
    # A text that begins with a marked formula is the one thing that looks like an escape itself.
    if stored and not stored.startswith("'"):
        assert clean(escaped(stored)) == stored


_CELLS = st.text(alphabet="=+-@'#REF!N/A0123456789.,e \t\r\nä玩", max_size=14)


@given(cells=st.lists(_CELLS, min_size=1, max_size=40))
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sql_and_python_understand_the_same(scratch: sa.Connection, cells: list[str]) -> None:
    open_functions(scratch)
    query = sa.text("""
        SELECT pg_temp.clean(cell), pg_temp.fault_of(cell), pg_temp.number_of(cell)
        FROM unnest(CAST(:cells AS text[])) AS t (cell)
    """)
    rows = [tuple(row) for row in scratch.execute(query, {"cells": cells})]
    assert rows == [(clean(cell), fault(cell), number(cell)) for cell in cells]
