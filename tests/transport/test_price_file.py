"""Price lists as they come: every dialect gives the same rates, every bad cell its own words."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.transport import price_file
from ecom_assets.transport.price_file import Assumed, BadPriceList, number_of, read_price_list

START = datetime(2027, 1, 1, tzinfo=UTC)
ASSUMED = Assumed(START, "EUR")
HEADER = ["service", "zone", "from_kg", "to_kg", "price", "currency", "transit_days", "valid_from"]
ROWS = [
    ["NLN-STD", "NEAR", "0", "5", "4,90", "EUR", "1,5", "2027-01-01"],
    ["NLN-STD", "NEAR", "5", "31,5", "1.007,20", "EUR", "1,5", "2027-01-01"],
]
SAID = {
    "service_code": "NLN-STD", "zone_code": "NEAR", "from_g": 0, "to_g": 5_000,
    "price_minor": 490, "currency": "EUR", "transit_days": 1.5, "transit_spread_days": None,
    "valid_from_at": START, "valid_to_at": None,
}  # fmt: skip


def joined(mark: str, rows: list[list[str]] | None = None) -> bytes:
    return "\n".join(mark.join(row) for row in [HEADER, *(rows or ROWS)]).encode()


def workbook(rows: list[list[Any]]) -> bytes:
    from openpyxl import Workbook

    book, stream = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(stream)
    return stream.getvalue()


QUOTED = joined(";").replace(b";", b'";"').replace(b"\n", b'"\n"')
SHEET: list[list[Any]] = [
    HEADER, ["NLN-STD", "NEAR", 0, 5, 4.9, "EUR", 1.5, date(2027, 1, 1)], [None] * 8,
    ["NLN-STD", "NEAR", 5, 31.5, 1007.2, "EUR", 1.5, datetime(2027, 1, 1)],  # noqa: DTZ001
]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        joined(";"), joined("\t"), joined("   "), b'"' + QUOTED + b'"',
        b"\xef\xbb\xbf" + joined(";").replace(b"\n", b"\r\n"),
        joined(";").decode().encode("utf-16"),
        joined(";").replace(b"from_kg", b"From (kg)"),
        joined(",", [[cell.replace(".", "").replace(",", ".") for cell in row] for row in ROWS]),
        b"\n\n" + joined("  ").replace(b"valid_from", b"valid_from\n-----  -----  ----") + b"\n\n",
        workbook(SHEET),
    ],
    ids=["semicolon", "tab", "aligned", "quoted", "bom", "utf16", "names", "comma", "rules",
         "xlsx"],
)  # fmt: skip
def test_every_dialect_says_the_same(content: bytes) -> None:
    rows = read_price_list(content, ASSUMED)
    assert [row.message for row in rows] == ["", ""]
    assert rows[0].values == SAID
    assert rows[1].values["to_g"] == 31_500
    assert rows[1].values["price_minor"] == 100_720


def test_columns_aligned_by_single_blanks_are_told_by_their_names() -> None:
    content = b"service zone from_g to_g price_minor\nS Z 0 500 90\n"
    (row,) = read_price_list(content, ASSUMED)
    assert (row.number, row.values["price_minor"]) == (2, 90)


@pytest.mark.parametrize(
    ("column", "text", "problem"),
    [
        ("price", "1,234", "not_a_number"),
        ("price", "4.905", "too_many_decimals"),
        ("price", "free", "not_a_number"),
        ("price", "", "missing"),
        ("price", "9" * 30, "not_a_number"),
        ("price", "99999999999999", "too_large"),
        ("price", "NaN", "not_a_number"),
        ("to_kg", "9999999", "too_large"),
        ("from_kg", "0.0001", "too_many_decimals"),
        ("service", "", "missing"),
        ("currency", "XXX", "bad_currency"),
        ("transit_days", "soon", "not_a_number"),
        ("valid_from", "01.01.2027", "bad_moment"),
        ("valid_from", "0001-01-01T00:00:00+09:00", "bad_moment"),
    ],
)
def test_a_bad_cell_is_named_and_the_others_are_read(column: str, text: str, problem: str) -> None:
    row = list(ROWS[0])
    row[HEADER.index(column)] = text
    bad, good = read_price_list(joined(";", [row, ROWS[1]]), ASSUMED)
    assert (bad.number, bad.problem, bad.values) == (2, problem, {})
    assert bad.column.startswith(column)
    assert bad.message
    assert good.values


def test_what_a_list_does_not_say_is_assumed() -> None:
    content = b"service;zone;from_g;to_g;price\nS;Z;0;500;7\nS;Z;500;900;8;x\n"
    first, second = read_price_list(content, Assumed(START, "JPY"))
    assert first.values["price_minor"] == 7
    assert first.values["valid_from_at"] == START
    assert first.values["transit_days"] is None
    assert (second.column, second.problem) == ("row", "too_many_cells")
    (unsaid, _) = read_price_list(content, Assumed(START))
    assert unsaid.problem == "bad_currency"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "names no column service_code"),
        (b"\n \n", "names no column"),
        (b"hello", "names no column"),
        (joined(";").split(b"\n")[0], "no rows"),
        (b"service;service_code;zone;from_g;to_g;price\n", "two columns"),
        (b"\xff\xfe\x00", "neither"),
        (b"\x80abc", "neither"),
        (b"a;\x00", "neither"),
        (b"PK\x03\x04 no archive", "no readable XLSX"),
        (b'service;zone;from_g;to_g;price\n"' + b"x" * 200_000, "line"),
    ],
)
def test_a_file_nothing_can_be_made_of_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(BadPriceList, match=words):
        read_price_list(content, ASSUMED)


def test_a_workbook_that_is_a_trap_or_damaged_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    good = workbook(SHEET)
    monkeypatch.setattr(price_file, "MOST_UNPACKED_BYTES", 100)
    with pytest.raises(BadPriceList, match="unpacks to"):
        read_price_list(good, ASSUMED)
    monkeypatch.undo()
    damaged = io.BytesIO()
    with zipfile.ZipFile(damaged, "w") as archive:
        archive.writestr("xl/workbook.xml", "<broken")
    with pytest.raises(BadPriceList, match="no readable XLSX"):
        read_price_list(damaged.getvalue(), ASSUMED)


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_file, "MOST_ROWS", 1)
    with pytest.raises(BadPriceList, match="at most 1 rows"):
        read_price_list(joined(";"), ASSUMED)


@given(st.decimals(0, 10**9, places=2))
def test_a_number_is_the_same_in_every_writing(value: Decimal) -> None:
    assert number_of(f"{value:.2f}") == value
    assert number_of(f"{value:.2f}".replace(".", ",")) == value
    assert number_of(f"{value:,.2f}") == value
    assert number_of(f"{value:,.2f}".translate(str.maketrans(",.", ".,"))) == value


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
def test_nothing_breaks_the_reader(content: bytes) -> None:
    try:
        rows = read_price_list(b"service;zone;from_g;to_g;price\n" + content, ASSUMED)
    except BadPriceList:
        return
    assert all(bool(row.values) != bool(row.problem) for row in rows)
