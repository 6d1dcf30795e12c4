"""What cells of spreadsheets mean: numbers, measures, and texts that would run as formulas.

The reference of the functions in `store.parsing`; a property test holds both equal.
"""

from __future__ import annotations

import re
from decimal import Decimal

FORMULA_STARTS = "=+-@"
"""A spreadsheet runs a cell that begins so (OWASP, CSV injection)."""

SPREADSHEET_ERRORS = ("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!")
"""What a formula that failed leaves behind."""

UNITS = {
    "g": Decimal(1), "kg": Decimal(1000), "lb": Decimal("453.59237"),
    "oz": Decimal("28.349523125"), "mm": Decimal(1), "cm": Decimal(10), "m": Decimal(1000),
    "in": Decimal("25.4"),
}  # fmt: skip
"""Grams or millimetres of one unit."""

_NUMBERS = (
    (re.compile(r"-?[0-9]+(\.[0-9]+)?"), ""),
    (re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?"), ","),
    (re.compile(r"-?[0-9]+,[0-9]{1,2}"), None),
    (re.compile(r"-?[0-9]{1,3}(\.[0-9]{3})+,[0-9]{1,2}"), "."),
)
_SIGNED = re.compile(r"[+-]?[0-9][0-9.,]*")


def number(cell: str) -> Decimal | None:
    """The number a cell holds: `1299`, `1,299.50`, `12,5` or `1.299,50`; None for anything else.

    Three digits behind a lone comma are thousands.
    """
    for pattern, thousands in _NUMBERS:
        if len(cell) <= 30 and pattern.fullmatch(cell):
            plain = cell.replace(thousands, "") if thousands else cell
            return Decimal(plain.replace(",", "."))
    return None


def clean(cell: str) -> str | None:
    """The text of a cell without blanks around it and without the mark of escaped text.

    An apostrophe before a formula's first character says that the cell is text.
    """
    text = cell.strip(" \t\r\n")
    if text[:1] == "'" and text[1:2] and text[1] in FORMULA_STARTS:
        text = text[1:]
    return text or None


def fault(cell: str) -> str | None:
    """`formula` or `spreadsheet_error` for a text that a spreadsheet would run or has broken."""
    text = cell.strip(" \t\r\n")
    if text.upper() in SPREADSHEET_ERRORS:
        return "spreadsheet_error"
    if text[:1] and text[0] in FORMULA_STARTS and not _SIGNED.fullmatch(text):
        return "formula"
    return None


def escaped(text: str) -> str:
    """A text as it is exported: one a spreadsheet would run is marked as text."""
    return f"'{text}" if text[:1] and text[0] in FORMULA_STARTS + "\t\r" else text
