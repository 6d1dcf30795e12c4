"""Files of prices: long and wide, CSV and spreadsheet, and one of a real seller."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecom.problems import Problem
from ecom.settings import ROOT
from importers.prices import Given, has_costs, read_costs, read_offers, read_prices

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SELLER = ROOT.parent / "shared" / "data" / "amazon_india_seller" / "price_list_2022-05.csv"


def write(path: Path, *rows: list[Any]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def sheet(path: Path, *rows: list[Any]) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


LONG = [
    ["SKU", "Price", "Currency", "Channel", "Customer group", "Min quantity", "Minimum", "Note"],
    ["00123", "1,234.50", "EUR", "Web shop", "", "", "900", "x"],
    ["00123", "1000", "EUR", "Web shop", "trade", "10", "", "x"],
    ["#REF!", "5", "EUR", "web", "", "", "", ""],
    ["B", "Nill", "EUR", "web", "", "", "", ""],
    ["C", "5", "ZZZ", "web", "", "", "", ""],
]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_long_file(tmp_path: Path, form: str) -> None:
    file = (write if form == "csv" else sheet)(tmp_path / f"prices.{form}", *LONG)
    contents = read_prices(file, Given(None, None, NOON))
    assert list(contents.entries) == [
        (1, "web_shop", "EUR", "all", "00123", 1, 123_450, 90_000, None, None, NOON),
        (2, "web_shop", "EUR", "trade", "00123", 10, 100_000, None, None, None, NOON),
    ]
    reasons = [(cell.row_number, cell.reason) for cell in contents.parked]
    assert reasons == [(3, "sku_is_an_error"), (4, "price_missing"), (5, "currency_unknown")]
    assert contents.unused == ("Note",)


def test_a_number_of_a_spreadsheet_keeps_its_meaning(tmp_path: Path) -> None:
    file = sheet(tmp_path / "p.xlsx", ["sku", "price"], [123.0, 19.9], [None, None], ["B", 7])
    contents = read_prices(file, Given("EUR", "web", NOON))
    assert [(row[4], row[6]) for row in contents.entries] == [("123", 1_990), ("B", 700)]


def test_a_wide_file_makes_a_list_per_channel(tmp_path: Path) -> None:
    file = write(tmp_path / "wide.csv", ["Sku", "TP", "MRP Old", "Amazon MRP", "Flip kart MRP"],
                 ["A", "538", "2000", "2295", "Nill"])  # fmt: skip
    contents = read_prices(file, Given("INR", None, NOON))
    assert [(row[1], row[6]) for row in contents.entries] == [("amazon", 229_500)]
    assert [cell.subject for cell in contents.parked] == ["flip_kart/A"]
    assert has_costs(file)
    assert list(read_costs(file, Given("INR", None, NOON)).entries) == [
        (1, "", "A", "INR", 53_800, NOON)
    ]


def test_offers_name_their_competitor_or_the_person_does(tmp_path: Path) -> None:
    rows = [["sku", "seller", "price", "date"], ["A", "rival", "9.99", "2026-04-30T08:00:00+02:00"],
            ["A", "", "9", ""]]  # fmt: skip
    contents = read_offers(write(tmp_path / "o.csv", *rows), Given("EUR", None, NOON))
    (entry,) = contents.entries
    assert entry[1:5] == ("rival", "A", "EUR", 999)
    assert entry[5] == datetime(2026, 4, 30, 6, tzinfo=UTC)
    assert [cell.reason for cell in contents.parked] == ["competitor_missing"]


def test_torn_rows_are_parked_and_the_rest_is_read(tmp_path: Path) -> None:
    file = tmp_path / "torn.csv"
    file.write_text('sku,price\nA,1\nB\nC,"2\nD,3\n')
    contents = read_prices(file, Given("EUR", "web", NOON))
    assert [row[4] for row in contents.entries] == ["A", "D"]
    assert [cell.reason for cell in contents.parked] == ["wrong_field_count", "bad_quoting"]


def test_nobody_guesses_a_currency(tmp_path: Path) -> None:
    file = write(tmp_path / "p.csv", ["sku", "price", "cost"], ["A", "1", "1"])
    for reader in (read_prices, read_costs, read_offers):
        with pytest.raises(Problem, match="--currency"):
            reader(file, Given(None, "web", NOON))


@pytest.mark.parametrize(
    ("rows", "problem"),
    [([["price"], ["1"]], "no column of SKUs"), ([["sku", "colour"], ["A", "1"]], "of prices"),
     ([[]], "no column of SKUs")],
)  # fmt: skip
def test_a_file_that_cannot_be_prices_says_so(
    tmp_path: Path, rows: list[list[str]], problem: str
) -> None:
    with pytest.raises(Problem, match=problem):
        read_prices(write(tmp_path / "x.csv", *rows), Given("EUR", "web", NOON))
    for name in ("none.csv", "none.xlsx"):
        with pytest.raises(Problem):
            read_prices(tmp_path / name, Given("EUR", "web", NOON))
    (tmp_path / "fake.xlsx").write_text("no zip")
    with pytest.raises(Problem):
        read_prices(tmp_path / "fake.xlsx", Given("EUR", "web", NOON))


def test_the_same_file_read_otherwise_is_another_feed(tmp_path: Path) -> None:
    file = write(tmp_path / "p.csv", ["sku", "price"], ["A", "1"])
    said = [read_prices(file, Given(currency, channel, NOON)).digest
            for currency, channel in (("EUR", "a"), ("EUR", "b"), ("EUR", "a"))]  # fmt: skip
    assert said[0] == said[2] != said[1]


@pytest.mark.skipif(not SELLER.exists(), reason=f"NO REAL PRICE LIST: {SELLER} is missing")
def test_the_price_list_of_a_real_seller() -> None:
    contents = read_prices(SELLER, Given("INR", None, NOON))
    entries = list(contents.entries)
    channels = Counter(row[1] for row in entries)
    assert set(channels) == {"ajio", "amazon", "amazon_fba", "flipkart", "limeroad", "myntra",
                             "paytm", "snapdeal"}  # fmt: skip
    with SELLER.open(encoding="utf-8") as stream:
        rows = len(list(csv.DictReader(stream)))
    assert len(entries) + len(contents.parked) == rows * len(channels)
    assert {cell.reason for cell in contents.parked} <= {"price_missing", "sku_is_an_error",
                                                         "sku_missing"}  # fmt: skip
    costs = read_costs(SELLER, Given("INR", None, NOON))
    assert len(list(costs.entries)) + len(costs.parked) == rows
