"""Files of tax rates: all rows are taken or none, and every row that makes no sense is named."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa

from ecom_assets.backoffice.store.tax_rates import TaxRefused, add_rate
from ecom_assets.backoffice.taxation import STANDARD, Rate

COLUMNS = ("country", "region", "tax_category", "rate_percent", "valid_from_date", "valid_to_date")
"""Columns of a file of rates; region and the end may be blank."""

MOST_ROWS = 20_000
"""Rows of a file; all of the world's rates by region are fewer."""


@dataclass(frozen=True, slots=True)
class RowTaken:
    """What becomes of a row.

    Attributes:
        line: line of the file, from 1.
        outcome: `entered`, `known` or `refused`.
        rate: what it says; None where that makes no sense.
        field: column that is wrong; empty where none is, or the whole row.
        message: what is wrong.
    """

    line: int
    outcome: str
    rate: Rate | None = None
    field: str = ""
    message: str = ""


def take_rates(conn: sa.Connection, lines: Iterable[str], source: str, by: str) -> tuple[int, int]:
    """Take a CSV of rates, all or none of it.

    Returns:
        Rates that were entered, and rates that were there already.

    Raises:
        TaxRefused: a column is missing, or a row makes no sense; the message names its line.
    """
    rows = check_rates(conn, lines, source, by)
    wrong = next((row for row in rows if row.outcome == "refused"), None)
    if wrong:
        raise TaxRefused(f"line {wrong.line}: {wrong.message}", wrong.field)
    made = sum(row.outcome == "entered" for row in rows)
    return made, len(rows) - made


def check_rates(
    conn: sa.Connection, lines: Iterable[str], source: str, by: str, is_preview: bool = False
) -> list[RowTaken]:
    """Take a CSV of rates if every row makes sense, and tell what becomes of each.

    Args:
        conn: connection inside a transaction.
        lines: the file, headed by the names of its columns.
        source: where it is from.
        by: who brings it.
        is_preview: tell only, and leave the rates as they are.

    Raises:
        TaxRefused: a column is missing or there are too many rows.
    """
    rows = _rows(lines)
    point = conn.begin_nested()
    found = [_entered(conn, row, source, by) for row in rows]
    if is_preview or any(row.outcome == "refused" for row in found):
        point.rollback()
    else:
        point.commit()
    return found


def _rows(lines: Iterable[str]) -> list[RowTaken]:
    reader = csv.DictReader(lines, strict=True)
    try:
        if missing := [name for name in COLUMNS[:5] if name not in (reader.fieldnames or ())]:
            said = f"the file has no column {missing[0]}; needed are {', '.join(COLUMNS)}"
            raise TaxRefused(said)
        found = [_row(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise TaxRefused(f"line {reader.line_num}: {error}") from error
    if len(found) > MOST_ROWS:
        raise TaxRefused(f"the file has {len(found):,} rows; at most {MOST_ROWS:,} are taken")
    return found


def _row(line: int, row: Mapping[str, Any]) -> RowTaken:
    try:
        return RowTaken(line, "entered", read_rate(row))
    except TaxRefused as error:
        return RowTaken(line, "refused", None, error.field, str(error))


def _entered(conn: sa.Connection, row: RowTaken, source: str, by: str) -> RowTaken:
    if row.rate is None:
        return row
    try:
        made = add_rate(conn, row.rate, source, by)
    except TaxRefused as error:
        return replace(row, outcome="refused", field=error.field, message=str(error))
    return row if made is not None else replace(row, outcome="known")


def read_rate(row: Mapping[str, Any]) -> Rate:
    """The rate of a row of text.

    Raises:
        TaxRefused: names the column that makes no sense.
    """
    given = {name: (row.get(name) or "").strip() for name in COLUMNS}
    country = given["country"].upper()
    if len(country) != 2 or not (country.isascii() and country.isalpha()):
        raise TaxRefused(f"country {given['country']!r} is not of ISO 3166-1", "country")
    for name in ("region", "tax_category"):
        if len(given[name]) > 200 or "\x00" in given[name]:
            raise TaxRefused(f"{name} must have at most 200 characters", name)
    start, end = (_day(name, given[name]) for name in COLUMNS[4:])
    if start is None:
        raise TaxRefused("valid_from_date must say the first day", "valid_from_date")
    if end is not None and end <= start:
        raise TaxRefused("valid_to_date must come after the first day", "valid_to_date")
    category = given["tax_category"] or STANDARD
    return Rate(country, given["region"], category, _bps(given["rate_percent"]), start, end)


def _bps(text: str) -> int:
    said = "rate_percent must be a number from 0 to 100 with two digits at most"
    try:
        bps = Decimal(text) * 100
    except InvalidOperation as error:
        raise TaxRefused(said, "rate_percent") from error
    if not bps.is_finite() or not 0 <= bps <= 10_000 or bps != int(bps):
        raise TaxRefused(said, "rate_percent")
    return int(bps)


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise TaxRefused(f"{name} must be a date as 2026-01-31", name) from error


def refused(rows: Sequence[RowTaken]) -> list[RowTaken]:
    """The rows that make no sense."""
    return [row for row in rows if row.outcome == "refused"]
