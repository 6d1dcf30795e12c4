"""The one shape of rows that every format becomes: texts, with lists and documents as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ecom_assets.shared.records import Unreadable, shown

FIELDS = (
    "sku", "name", "category", "brand", "gtin", "weight", "length", "width", "height", "unit_cost",
    "list_price", "currency", "supplier_key", "description", "group_key", "group_name", "family",
    "taxonomy", "status", "components", "options", "media", "attributes", "problem",
)  # fmt: skip
"""Columns of a staged row behind its number; the last four are JSON."""

PLAIN = FIELDS[:-4]
"""Those that are texts as they came."""

Staged = Sequence[str | int | None]
"""A row number and the values of `FIELDS`."""


@dataclass(slots=True)
class Item:
    """A product as a file tells it, by field; values are texts as they came.

    Attributes:
        row_no: number of the record, from 1 without the header.
        values: plain values by field; a value whose unit the column named has it behind it.
        options: what tells a variant from others, by option name.
        media: addresses of pictures.
        attributes: everything else, by attribute.
        problem: what the reader found, if anything.
    """

    row_no: int
    values: dict[str, str]
    options: dict[str, str] = field(default_factory=dict)
    media: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    problem: Mapping[str, Any] | None = None

    def staged(self) -> Staged:
        """The row as it is staged."""
        return (
            self.row_no,
            *(self.values.get(name) or None for name in PLAIN),
            as_json(self.options),
            as_json(self.media),
            as_json(self.attributes),
            as_json(self.problem),
        )


def as_json(value: Any) -> str | None:
    """A document as compact JSON; None where there is nothing in it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None


def finding(code: str, value: str, field: str = "", **more: Any) -> dict[str, Any]:
    """What a reader found of a row.

    Args:
        code: what, such as `not_utf8`.
        value: what was seen.
        field: column it was seen in; empty for the whole row.
        **more: `is_error` where it is only a note, `is_skip` where the row says nothing new.
    """
    return {"field": field, "code": code, "value": value[:200], "is_error": True, **more}


def refused(row_no: int, bad: Unreadable) -> Staged:
    """The row of a record that is no row of its file."""
    found = finding(bad.reason, f"{bad.detail}: {bad.text}")
    return (row_no, *(None for _ in FIELDS[:-1]), as_json(found))


def encode(rows: Iterable[Staged], names: Sequence[str] = FIELDS) -> bytes:
    """Rows as CSV for COPY; what PostgreSQL cannot store is replaced, and named in the row."""
    kept = list(rows)
    try:
        return _as_csv(kept)
    except ValueError:
        return _as_csv([_storable(row, names) for row in kept])


def _as_csv(rows: Iterable[Staged]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    text = buffer.getvalue()
    # JSON writes the character as an escape, which the server refuses as well.
    if "\0" in text or "\\u0000" in text:
        raise ValueError("NUL character")
    return text.encode()


def _storable(row: Staged, names: Sequence[str]) -> Staged:
    values: list[str | int | None] = []
    problem = None
    for name, value in zip(("row_no", *names), row, strict=True):
        code = _fault(value) if isinstance(value, str) else None
        if code and isinstance(value, str):
            clean = shown(value.replace("\\u0000", "\N{REPLACEMENT CHARACTER}"))
            problem = problem or finding(code, clean, name)
            value = None if name in FIELDS[-4:] else clean
        values.append(value)
    if problem:
        values[-1] = as_json(problem)
    return values


def _fault(value: str) -> str | None:
    if "\0" in value or "\\u0000" in value:
        return "nul_character"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "not_utf8"
    return None
