"""Price lists as carriers send them: CSV, XLSX or plain text, read into rates row by row.

A row that cannot be read names its column and what is wrong; the others are read all the same.
What a rate means beside the rate card is judged elsewhere.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from ecom_assets.shared.money import CURRENCIES, exponent
from ecom_assets.shared.workbooks import UnusableWorkbook, first_sheet

MOST_ROWS = 20_000
"""Rows of a price list."""

MOST_UNPACKED_BYTES = 100_000_000
"""Unpacked size a workbook may have; a larger one is taken for a trap."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "service_code": ("service_code", "service"),
    "zone_code": ("zone_code", "zone"),
    "from_g": ("from_g",),
    "to_g": ("to_g",),
    "from_kg": ("from_kg",),
    "to_kg": ("to_kg",),
    "price_minor": ("price_minor",),
    "price": ("price",),
    "currency": ("currency",),
    "transit_days": ("transit_days",),
    "transit_spread_days": ("transit_spread_days",),
    "valid_from_at": ("valid_from_at", "valid_from"),
    "valid_to_at": ("valid_to_at", "valid_to"),
}
"""Columns of a price list by what they mean; names may be written in capitals and with blanks."""

_EITHER = (("service_code",), ("zone_code",), ("from_g", "from_kg"), ("to_g", "to_kg"),
           ("price_minor", "price"))  # fmt: skip
_MOST_G, _MOST_MINOR = 2_147_483_647, 10**12
_GAP = re.compile(r"\t+| {2,}")
_RULE = re.compile(r"[-=+| \t]*")
_GROUPED = re.compile(r"[1-9]\d{0,2}(,\d{3})+")
_SPACES = re.compile(r"[\s'\u00a0\u202f\u2019]")


class BadPriceList(Exception):
    """A file nothing can be made of; the message says why, in one line."""


class _BadCell(Exception):
    def __init__(self, column: str, problem: str, message: str) -> None:
        super().__init__(message)
        self.column, self.problem = column, problem


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row of a price list.

    Attributes:
        number: line of the file or row of the sheet; the header is 1.
        values: columns of a rate; empty where the row cannot be read.
        column: what is wrong.
        problem: code of what is wrong.
        message: the same in words.
    """

    number: int
    values: Mapping[str, Any] = field(default_factory=dict)
    column: str = ""
    problem: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Assumed:
    """What holds where a price list does not say it.

    Attributes:
        valid_from_at: when its prices begin.
        currency: ISO 4217 code; None where the list must say it.
    """

    valid_from_at: datetime
    currency: str | None = None


def read_price_list(content: bytes, assumed: Assumed) -> list[ReadRow]:
    """The rows of a file, whose kind is seen from what it holds.

    Raises:
        BadPriceList: it is empty, no text and no workbook, lacks a column, or is too long.
    """
    lines = _lines(content)
    _, header = next(lines, (0, []))
    places = _places(header)
    rows: list[ReadRow] = []
    for number, cells in lines:
        if not any(cells):
            continue
        if len(rows) == MOST_ROWS:
            raise BadPriceList(f"a price list has at most {MOST_ROWS:,} rows")
        rows.append(_read(number, cells, places, len(header), assumed))
    if not rows:
        raise BadPriceList("it has no rows behind its header")
    return rows


def _lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Cells of each line with its number, from the header on."""
    if content.startswith(b"PK\x03\x04"):
        numbered: Iterable[tuple[int, list[str]]] = enumerate(_sheet(content), start=1)
    else:
        numbered = _text(content)
    return ((number, cells) for number, cells in numbered if any(cells))


def _sheet(content: bytes) -> Iterator[list[str]]:
    rows = first_sheet(io.BytesIO(content), most_bytes=MOST_UNPACKED_BYTES)
    try:
        for row in islice(rows, 5 * MOST_ROWS):
            yield [_cell(value) for value in row]
    except UnusableWorkbook as error:
        raise BadPriceList(str(error)) from error


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value).strip()


def _text(content: bytes) -> Iterator[tuple[int, list[str]]]:
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadPriceList("it is neither UTF-8 text nor an XLSX workbook") from error
    if "\x00" in text:
        raise BadPriceList("it is neither UTF-8 text nor an XLSX workbook")
    head = next((line for line in text.splitlines() if line.strip()), "")
    mark = max(";,\t", key=head.count)
    if head.count(mark):
        reader = csv.reader(io.StringIO(text), delimiter=mark)
        try:
            for row in reader:
                yield reader.line_num, [cell.strip() for cell in row]
        except csv.Error as error:
            raise BadPriceList(f"line {reader.line_num}: {error}") from error
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not _RULE.fullmatch(line):
            cells = _GAP.split(line.strip())
            # Names of columns hold no blanks, so a list with single ones can be told by them.
            yield number, cells if len(_GAP.split(head.strip())) > 1 else line.split()


def _places(header: Sequence[str]) -> dict[str, int]:
    names = [re.sub(r"\W+", "_", name.strip().lower()).strip("_") for name in header]
    places: dict[str, int] = {}
    for meaning, known in COLUMNS.items():
        found = [at for at, name in enumerate(names) if name in known]
        if len(found) > 1:
            raise BadPriceList(f"two columns say {meaning}")
        if found:
            places[meaning] = found[0]
    for either in _EITHER:
        if not any(name in places for name in either):
            needed = " or ".join(either)
            raise BadPriceList(f"the first line names no column {needed}")
    return places


def _read(
    number: int, cells: Sequence[str], places: Mapping[str, int], width: int, assumed: Assumed
) -> ReadRow:
    if len(cells) > width and any(cells[width:]):
        return ReadRow(number, {}, "row", "too_many_cells", "has more cells than the header")
    given = {name: cells[at] if at < len(cells) else "" for name, at in places.items()}
    try:
        return ReadRow(number, _values(given, assumed))
    except _BadCell as bad:
        return ReadRow(number, {}, bad.column, bad.problem, str(bad))


def _values(given: Mapping[str, str], assumed: Assumed) -> dict[str, Any]:
    currency = (given.get("currency") or assumed.currency or "").upper()
    if currency not in CURRENCIES:
        raise _BadCell("currency", "bad_currency", f"{currency!r} is no ISO 4217 code")
    start = _moment(given, "valid_from_at")
    return {
        "service_code": _name(given, "service_code"), "zone_code": _name(given, "zone_code"),
        "from_g": _whole(given, "from_g", "from_kg", 3, _MOST_G),
        "to_g": _whole(given, "to_g", "to_kg", 3, _MOST_G),
        "price_minor": _whole(given, "price_minor", "price", exponent(currency), _MOST_MINOR),
        "currency": currency,
        "transit_days": _days(given, "transit_days"),
        "transit_spread_days": _days(given, "transit_spread_days"),
        "valid_from_at": start or assumed.valid_from_at,
        "valid_to_at": _moment(given, "valid_to_at"),
    }  # fmt: skip


def _name(given: Mapping[str, str], column: str) -> str:
    if not given[column]:
        raise _BadCell(column, "missing", "is empty")
    return given[column][:200]


def _whole(given: Mapping[str, str], minor: str, major: str, places: int, most: int) -> int:
    """A whole number of the small unit, given in it or in the large one."""
    column = minor if given.get(minor) else major
    text = given.get(column, "")
    if not text:
        raise _BadCell(minor if minor in given else major, "missing", "is empty")
    value = number_of(text)
    if value is None:
        raise _BadCell(column, "not_a_number", f"{text[:40]!r} is no number")
    scaled = value.scaleb(0 if column == minor else places)
    if scaled != scaled.to_integral_value():
        raise _BadCell(column, "too_many_decimals", f"{text[:40]!r} has too many decimal places")
    if abs(scaled) > most:
        raise _BadCell(column, "too_large", f"{text[:40]!r} is too large")
    return int(scaled)


def number_of(text: str) -> Decimal | None:
    """A number with a decimal point or comma; None where it is none, or could be two.

    `1,234` could be either, so it is none; `1,234.50`, `1.234,50`, `0,500` and `12,5` are clear.
    """
    plain = _SPACES.sub("", text)
    if "," in plain and "." in plain:
        group = "," if plain.rindex(",") < plain.rindex(".") else "."
        plain = plain.replace(group, "")
    elif _GROUPED.fullmatch(plain.lstrip("+-")):
        return None
    try:
        value = Decimal(plain.replace(",", "."))
    except InvalidOperation:
        return None
    return value if value.is_finite() and value.adjusted() < 18 else None


def _days(given: Mapping[str, str], column: str) -> float | None:
    text = given.get(column, "")
    if not text:
        return None
    value = number_of(text)
    if value is None:
        raise _BadCell(column, "not_a_number", f"{text[:40]!r} is no number")
    return float(value)


def _moment(given: Mapping[str, str], column: str) -> datetime | None:
    """A moment, or a day, which stands for its midnight in UTC."""
    text = given.get(column, "")
    if not text:
        return None
    try:
        day = datetime.combine(date.fromisoformat(text), datetime.min.time())
    except ValueError:
        try:
            day = datetime.fromisoformat(text)
        except ValueError:
            words = f"{text[:40]!r} is no day such as 2026-05-01"
            raise _BadCell(column, "bad_moment", words) from None
    try:
        return day.replace(tzinfo=UTC) if day.tzinfo is None else day.astimezone(UTC)
    except OverflowError:
        raise _BadCell(column, "bad_moment", f"{text[:40]!r} is out of range") from None
