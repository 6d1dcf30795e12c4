"""Read files of prices, costs and competitors' offers: CSV or XLSX, long or one column per channel.

Columns are known by many names. Every amount of the file ends as an entry or, with its reason, as
a parked cell; nothing here knows the database.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from ecom.problems import Problem
from ecom_assets.pricing.cells import (
    Refusal,
    amount_of,
    currency_of,
    moment_of,
    quantity_of,
    sku_of,
)
from ecom_assets.shared.workbooks import UnusableWorkbook, first_sheet
from importers.price_columns import columns_of, wide_columns
from importers.reading import read


@dataclass(frozen=True, slots=True)
class Parked:
    """A cell or row that cannot be used: a row of the quarantine."""

    row_number: int
    subject: str
    reason: str
    detail: str
    row: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """What the person says where the file is silent.

    Attributes:
        currency: currency of the amounts.
        channel: channel of the prices, competitor of the offers.
        at: when prices and costs begin, when offers were seen.
    """

    currency: str | None
    channel: str | None
    at: datetime


@dataclass(slots=True)
class Contents:
    """The entries of a file; parked cells are filled in while the entries are read."""

    digest: str
    entries: Iterator[tuple[Any, ...]]
    unused: tuple[str, ...] = ()
    parked: list[Parked] = field(default_factory=list)


def read_prices(path: Path, given: Given) -> Contents:
    """Prices of a file, as `pricing.store.take_prices` wants them.

    Raises:
        Problem: the file cannot be read or has no column of SKUs or prices.
    """
    header = _header(path)
    columns = columns_of(path.name, header)
    wide = {} if "price" in columns else wide_columns(header)
    if not wide and "price" not in columns:
        raise Problem(f"{path.name}: no column of prices; found {', '.join(header)[:200]}")
    used = {*columns.values(), *wide.values()}
    _require_currency(path, columns, given)
    parked: list[Parked] = []
    entries = _each(path, header, parked, lambda no, row: _prices(no, row, columns, wide, given,
                                                                 parked))  # fmt: skip
    unused = tuple(name for name in header if name not in used)
    return Contents(_digest(path, given), entries, unused, parked)


def has_costs(path: Path) -> bool:
    """Whether a file has a column of costs."""
    return "cost" in columns_of(path.name, _header(path))


def read_costs(path: Path, given: Given) -> Contents:
    """Costs of a file, as `pricing.store.take_costs` wants them.

    Raises:
        Problem: the file cannot be read or lacks a column.
    """
    return _amounts(path, given, "cost", ("valid_from",), lambda row, columns: "")


def read_offers(path: Path, given: Given) -> Contents:
    """Offers of a file, as `pricing.store.take_offers` wants them.

    Raises:
        Problem: the file cannot be read or lacks a column.
    """

    def competitor(row: Mapping[str, str], columns: Mapping[str, str]) -> str:
        name = row[columns["competitor"]].strip() if "competitor" in columns else given.channel
        if not name:
            raise Refusal("competitor_missing", "the row names no competitor")
        return name

    return _amounts(path, given, "price", ("observed_at", "valid_from"), competitor)


def _amounts(
    path: Path, given: Given, what: str, dates: Sequence[str],
    source: Callable[[Mapping[str, str], Mapping[str, str]], str],
) -> Contents:  # fmt: skip
    header = _header(path)
    columns = columns_of(path.name, header)
    if what not in columns:
        raise Problem(f"{path.name}: no column of {what}s; found {', '.join(header)[:200]}")
    _require_currency(path, columns, given)
    dated = next((columns[name] for name in dates if name in columns), None)
    parked: list[Parked] = []

    def entry(no: int, row: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
        try:
            sku, currency = sku_of(row[columns["sku"]]), _currency(row, columns, given)
            amount = amount_of(row[columns[what]], currency, what)
            if amount is None:
                raise Refusal(f"{what}_missing", f"the {what} is empty")
            at = (moment_of(row[dated]) if dated else None) or given.at
            yield no, source(row, columns), sku, currency, amount, at
        except Refusal as refusal:
            parked.append(_parked(no, row, columns, refusal))

    return Contents(_digest(path, given), _each(path, header, parked, entry), (), parked)


def _prices(
    no: int, row: Mapping[str, str], columns: Mapping[str, str], wide: Mapping[str, str],
    given: Given, parked: list[Parked],
) -> Iterator[tuple[Any, ...]]:  # fmt: skip
    """The prices of a row: one, or one per channel that has a column."""
    cells = wide or {_channel(row, columns, given): columns["price"]}
    for channel, column in cells.items():
        try:
            if not channel:
                raise Refusal("channel_missing", "neither the row nor --channel names a channel")
            yield _price(no, row, columns, given, channel, row[column])
        except Refusal as refusal:
            parked.append(_parked(no, row, columns, refusal, channel))


def _price(
    no: int, row: Mapping[str, str], columns: Mapping[str, str], given: Given, channel: str,
    cell: str,
) -> tuple[Any, ...]:  # fmt: skip
    sku, currency = sku_of(row[columns["sku"]]), _currency(row, columns, given)
    amount = amount_of(cell, currency)
    if amount is None:
        raise Refusal("price_missing", f"no price for {channel}: {cell[:20]!r}")

    def limit(name: str) -> int | None:
        return amount_of(row[columns[name]], currency, name) if name in columns else None

    group = row[columns["customer_group"]].strip() if "customer_group" in columns else ""
    quantity = quantity_of(row[columns["min_quantity"]]) if "min_quantity" in columns else 1
    begins = moment_of(row[columns["valid_from"]]) if "valid_from" in columns else None
    return (no, channel, currency, group or "all", sku, quantity, amount, limit("minimum"),
            limit("ceiling"), limit("map"), begins or given.at)  # fmt: skip


def _channel(row: Mapping[str, str], columns: Mapping[str, str], given: Given) -> str:
    name = row[columns["channel"]].strip() if "channel" in columns else ""
    return name.lower().replace(" ", "_") or given.channel or ""


def _require_currency(path: Path, columns: Mapping[str, str], given: Given) -> None:
    if "currency" not in columns and not given.currency:
        raise Problem(f"{path.name} has no column of currencies: name it with --currency")


def _currency(row: Mapping[str, str], columns: Mapping[str, str], given: Given) -> str:
    said = row[columns["currency"]].strip() if "currency" in columns else ""
    return currency_of(said or given.currency or "")


def _parked(
    no: int, row: Mapping[str, str], columns: Mapping[str, str], refusal: Refusal, channel: str = ""
) -> Parked:
    subject = f"{channel}/{row[columns['sku']].strip()}" if channel else row[columns["sku"]].strip()
    return Parked(no, subject, refusal.reason, str(refusal), row)


def _header(path: Path) -> list[str]:
    try:
        if path.suffix.lower() == ".xlsx":
            return next(_sheet(path), [])
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as stream:
            return [name.strip() for name in next(csv.reader(stream), [])]
    except (OSError, EOFError) as error:
        raise Problem(f"{path}: {error}") from error


def _each(
    path: Path, header: Sequence[str], parked: list[Parked],
    entries: Callable[[int, Mapping[str, str]], Iterator[tuple[Any, ...]]],
) -> Iterator[tuple[Any, ...]]:  # fmt: skip
    for no, row in _rows(path, header, parked):
        yield from entries(no, row)


def _rows(
    path: Path, header: Sequence[str], parked: list[Parked]
) -> Iterator[tuple[int, dict[str, str]]]:
    if path.suffix.lower() == ".xlsx":
        for no, cells in enumerate(_sheet(path, skip=1), 1):
            if any(cells):
                padded = [*cells, *[""] * (len(header) - len(cells))]
                yield no, dict(zip(header, padded, strict=False))
        return
    for batch in read(path, header):
        for bad in batch.unreadable:
            parked.append(Parked(bad.row_no, "", bad.reason, bad.detail, {"text": bad.text}))
        # The batch is CSV for COPY, a row number in front.
        for number, *cells in csv.reader(io.StringIO(batch.data.decode(), newline="")):
            yield int(number), dict(zip(header, cells, strict=True))


def _sheet(path: Path, skip: int = 0) -> Iterator[list[str]]:
    """Rows of the first sheet as texts, as a person sees them."""
    try:
        for row in islice(first_sheet(path), skip, None):
            yield [_text(value) for value in row]
    except UnusableWorkbook as error:
        raise Problem(f"{path}: {error}") from error


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime) else str(value).strip()


def _digest(path: Path, given: Given) -> str:
    """SHA-256 of the file and of how it is read: for another channel it is another feed."""
    digest = hashlib.sha256(f"{given.currency}|{given.channel}".encode())
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
