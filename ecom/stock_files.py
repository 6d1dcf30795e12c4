"""Files about stock whose columns are those of the area's functions: CSV with a header."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from ecom.problems import Problem

Columns = Mapping[str, tuple[Callable[[str], Any], sa.types.TypeEngine[Any]]]


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]


_TEXT = (str, sa.Text())
_WHOLE = (int, sa.BigInteger())
_REAL: tuple[Callable[[str], Any], sa.types.TypeEngine[Any]] = (float, sa.Double())
_MOMENT = (_moment, sa.DateTime(timezone=True))


@dataclass(frozen=True)
class Form:
    """What a file of one kind holds.

    Attributes:
        columns: reader and type of each column.
        optional: of them, those that a file may leave out or empty.
    """

    columns: Columns
    optional: frozenset[str] = frozenset()


_PLACE: Columns = {"reference": _TEXT, "sku": _TEXT, "site_code": _TEXT}
_WAY: Columns = {"reference": _TEXT, "sku": _TEXT, "from_site": _TEXT, "to_site": _TEXT}

FORMS: Mapping[str, Form] = {
    "receipts": Form(
        {
            **_PLACE, "quantity": _WHOLE, "received_at": _MOMENT, "unit_cost_minor": _WHOLE,
            "currency": _TEXT, "lot_code": _TEXT, "expires_at": _MOMENT,
            "serials": (_parts, ARRAY(sa.Text)),
        },
        frozenset({"unit_cost_minor", "currency", "lot_code", "expires_at", "serials"}),
    ),
    "counts": Form({**_PLACE, "counted_at": _MOMENT, "counted": _WHOLE}),
    "transfers": Form(
        {**_WAY, "quantity": _WHOLE, "sent_at": _MOMENT, "due_at": _MOMENT}, frozenset({"due_at"})
    ),
    "arrivals": Form({**_WAY, "arrived": _WHOLE, "arrived_at": _MOMENT}),
    "expected": Form({**_PLACE, "due_at": _MOMENT, "quantity": _WHOLE}),
    "units": Form({"sku": _TEXT, "unit": _TEXT, "pieces": _WHOLE}),
    "safety": Form(
        {"sku": _TEXT, "site_code": _TEXT, "units": _WHOLE, "service_level": _REAL,
         "source": _TEXT},
        frozenset({"service_level"}),
    ),
    "buffers": Form(
        {"channel": _TEXT, "sku": _TEXT, "most_listed": _WHOLE, "stop_units": _WHOLE,
         "share_percent": _REAL},
        frozenset({"sku", "most_listed"}),
    ),
}  # fmt: skip
"""Kinds of files."""

KEPT_EMPTY = {("buffers", "sku")}
"""Columns in which nothing means something: a buffer without a SKU is of all SKUs."""


def read(kind: str, file: Path) -> list[dict[str, Any]]:
    """The rows of a file.

    Raises:
        Problem: a column is missing, or a cell cannot be read; names row and column.
    """
    form = FORMS[kind]
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text)
        _require(kind, reader.fieldnames or ())
        return [
            {name: _cell(kind, form, number, name, row.get(name)) for name in form.columns}
            for number, row in enumerate(reader, start=1)
        ]


def _require(kind: str, found: Sequence[str]) -> None:
    form = FORMS[kind]
    missing = [name for name in form.columns if name not in form.optional and name not in found]
    if missing:
        raise Problem(f"no column {', '.join(missing)}; {kind} have {', '.join(form.columns)}")
    if unknown := [name for name in found if name not in form.columns]:
        raise Problem(f"unknown column {unknown[0]!r}; {kind} have {', '.join(form.columns)}")


def _cell(kind: str, form: Form, number: int, name: str, value: str | None) -> Any:
    text = (value or "").strip()
    if not text:
        if name not in form.optional:
            raise Problem(f"row {number}: {name} is empty")
        return "" if (kind, name) in KEPT_EMPTY else None
    try:
        return form.columns[name][0](text)
    except ValueError as error:
        raise Problem(f"row {number}: {name} cannot be {text!r}") from error


def stage(conn: sa.Connection, kind: str, rows: Sequence[Mapping[str, Any]]) -> sa.Select[Any]:
    """Put rows into a temporary table of their transaction; returns a select of it."""
    table = sa.Table(
        "stock_file",
        sa.MetaData(),
        *(sa.Column(name, column[1]) for name, column in FORMS[kind].columns.items()),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    table.create(conn, checkfirst=False)
    if rows:
        conn.execute(sa.insert(table), list(rows))
    return sa.select(table)
