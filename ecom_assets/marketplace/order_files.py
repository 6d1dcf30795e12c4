"""Files of a file feed: orders as a table come in, prices and stock go out.

A table of orders has a line of an order in each row; rows of one order stand together. Columns are
named in the first row; * marks those that must be there:

    external_id* placed_at* currency* customer_key* ship_country* sku* quantity* unit_price*
    customer_name customer_email customer_phone ship_name ship_line1 ship_city ship_region
    ship_postal_code discount tax shipping total payment_method paid_at received_at

Amounts are in major units with a dot, such as 12.50; `discount` and `tax` are of the row,
`shipping` and `total` of the order, read from its first row. Moments are ISO 8601 with an offset.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import IO, Any

from ecom_assets.shared.money import exponent, to_minor

REQUIRED = ("external_id", "placed_at", "currency", "customer_key", "ship_country", "sku",
            "quantity", "unit_price")  # fmt: skip
OPTIONAL = ("customer_name", "customer_email", "customer_phone", "ship_name", "ship_line1",
            "ship_city", "ship_region", "ship_postal_code", "discount", "tax", "shipping", "total",
            "payment_method", "paid_at", "received_at")  # fmt: skip
OFFERS = "offers.csv"
OFFER_COLUMNS = ("listing_id", "sku", "price", "currency", "stock")

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_MOST_ROWS_OF_AN_ORDER = 5_000


@dataclass(frozen=True, slots=True)
class FileRow:
    """An order of a table, or why there is none.

    Attributes:
        number: line of the file, from 1.
        envelope: external_id, received_at and payload; None where it cannot be read.
        fault: what is wrong.
        row: the row as it came.
    """

    number: int
    envelope: Mapping[str, Any] | None
    fault: str = ""
    row: object = None


def read_orders(file: IO[bytes]) -> Iterator[FileRow]:
    """The orders of a table in UTF-8, with commas or semicolons."""
    text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")
    first = text.readline(100_000)
    separator = ";" if first.count(";") > first.count(",") else ","
    try:
        header = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
        if wrong := _header_fault(header):
            yield FileRow(1, None, wrong, first.rstrip("\r\n")[:2_000])
            return
        yield from _orders(csv.reader(text, delimiter=separator), header)
    except csv.Error as error:
        yield FileRow(0, None, f"the file is no table from here on: {error}")
    finally:
        # The file is the caller's, and stays open.
        text.detach()


def _header_fault(header: Sequence[str]) -> str:
    missing = [name for name in REQUIRED if name not in header]
    strange = [name for name in header if name not in REQUIRED + OPTIONAL]
    if missing:
        return f"column {missing[0]} must be there"
    if strange or len(set(header)) < len(header):
        return f"column {strange[0]} is unknown" if strange else "a column is there twice"
    return ""


def _orders(reader: Any, header: Sequence[str]) -> Iterator[FileRow]:
    rows = ((reader.line_num + 1, cells) for cells in reader if any(cells))
    place = header.index("external_id")
    together = groupby(rows, lambda row: row[1][place] if len(row[1]) > place else None)
    for _, found in together:
        numbered = list(found)
        number = numbered[0][0]
        raw = [cells for _, cells in numbered]
        if any(len(cells) != len(header) for cells in raw):
            yield FileRow(number, None, "a row must have a cell for each column", raw)
        elif len(raw) > _MOST_ROWS_OF_AN_ORDER:
            said = f"an order has at most {_MOST_ROWS_OF_AN_ORDER:,} rows"
            yield FileRow(number, None, said, raw[:10])
        else:
            yield _order(number, [_named(header, cells) for cells in raw])


def _named(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    return {name: _plain(cell) for name, cell in zip(header, cells, strict=True)}


def _plain(cell: str) -> str:
    text = cell.strip()
    # The mark by which tables say that a cell is text and no formula.
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA_STARTS else text


def _order(number: int, rows: Sequence[Mapping[str, str]]) -> FileRow:
    head = rows[0]
    try:
        envelope = {"external_id": head["external_id"], "payload": _document(head, rows)}
    except ValueError as error:
        return FileRow(number, None, str(error), list(map(dict, rows)))
    if head.get("received_at"):
        envelope["received_at"] = head["received_at"]
    return FileRow(number, envelope, row=list(map(dict, rows)))


def _document(head: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    currency = head["currency"]
    made: dict[str, Any] = {
        "placed_at": head["placed_at"],
        "currency": currency,
        "customer": _part(head, "customer_", ("key", "name", "email", "phone")),
        "ship_to": _part(head, "ship_", ("name", "line1", "city", "region", "postal_code",
                                         "country")),
        "lines": [_line(row, number, currency) for number, row in enumerate(rows, start=1)],
        "shipping_minor": _minor(head.get("shipping") or "0", currency, "shipping"),
    }  # fmt: skip
    if head.get("total"):
        made["total_minor"] = _minor(head["total"], currency, "total")
    if head.get("payment_method"):
        payment: dict[str, Any] = {"sequence": 1, "method": head["payment_method"]}
        payment["amount_minor"] = made.get("total_minor", _due(made))
        if head.get("paid_at"):
            payment["authorised_at"] = head["paid_at"]
        made["payments"] = [payment]
    return made


def _part(head: Mapping[str, str], prefix: str, names: Iterable[str]) -> dict[str, str]:
    return {name: head[prefix + name] for name in names if head.get(prefix + name)}


def _line(row: Mapping[str, str], number: int, currency: str) -> dict[str, Any]:
    quantity = row["quantity"]
    if not (quantity.isascii() and quantity.isdecimal()) or len(quantity) > 7:
        raise ValueError(f"quantity must be a whole number, and is {quantity[:50]!r}")
    return {
        "line_no": number, "sku": row["sku"], "quantity": int(quantity),
        "unit_price_minor": _minor(row["unit_price"], currency, "unit_price"),
        "discount_minor": _minor(row.get("discount") or "0", currency, "discount"),
        "tax_minor": _minor(row.get("tax") or "0", currency, "tax"),
    }  # fmt: skip


def _due(document: Mapping[str, Any]) -> int:
    lines = document["lines"]
    goods = sum(line["quantity"] * line["unit_price_minor"] - line["discount_minor"]
                for line in lines)  # fmt: skip
    return int(goods + document["shipping_minor"])


def _minor(cell: str, currency: str, name: str) -> int:
    try:
        amount = Decimal(cell) if len(cell) < 30 and cell.isascii() else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or abs(amount) > 10**10:
        raise ValueError(f"{name} must be an amount such as 12.50, and is {cell[:50]!r}")
    return to_minor(amount, currency)


def offer_row(
    listing_id: str | None, sku: str, price_minor: int, currency: str, units: int
) -> list[str]:
    """A row of the file that goes out; no cell is one a spreadsheet would run."""
    places = exponent(currency)
    whole, rest = divmod(price_minor, 10**places)
    price = f"{whole}.{rest:0{places}}" if places else str(whole)
    return [_escaped(listing_id or ""), _escaped(sku), price, currency, str(units)]


def _escaped(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
