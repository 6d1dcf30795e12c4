"""Global trade item numbers: what a cell with one means, and the check digit.

GTIN-8, -12, -13 and -14 are one number with zeros in front (GS1 General Specifications, section
3.3), so all are kept with 14 digits. The reference of `store.parsing` and `catalog.is_gtin_14`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLAIN = re.compile(r"[0-9]+")
_FLOAT = re.compile(r"[0-9]+\.0*")
_SCIENTIFIC = re.compile(r"([0-9])(?:\.([0-9]+))?[eE]\+?([0-9]{1,2})")
_DIGITS = 14


@dataclass(frozen=True, slots=True)
class Gtin:
    """What a cell says.

    Attributes:
        value: 14 digits, or None where they cannot be known; its check digit may still be wrong.
        code: what was found, if anything: `gtin_was_float` and `gtin_zero_restored` are notes,
            `gtin_not_digits`, `gtin_digits_lost` and `gtin_wrong_length` are errors.
    """

    value: str | None
    code: str | None


def read_gtin(cell: str) -> Gtin:
    """Read a cell that spreadsheets may have gone through.

    A spreadsheet turns a GTIN into a number: zeros in front get lost, which is mended, and written
    as 4.00638E+12 so do digits, which cannot be.
    """
    text = re.sub(r"[ \t-]", "", cell).removeprefix("'")
    if _PLAIN.fullmatch(text):
        return _padded(text, None)
    if _FLOAT.fullmatch(text):
        return _padded(text.partition(".")[0], "gtin_was_float")
    if found := _SCIENTIFIC.fullmatch(text):
        digits, places = found[1] + (found[2] or ""), int(found[3]) + 1
        if len(digits) < places:
            return Gtin(None, "gtin_digits_lost")
        if len(digits) == places:
            return _padded(digits, "gtin_was_float")
    return Gtin(None, "gtin_not_digits")


def _padded(digits: str, note: str | None) -> Gtin:
    if not 7 <= len(digits) <= _DIGITS:
        return Gtin(None, "gtin_wrong_length")
    is_short = len(digits) in {7, 9, 10, 11}
    return Gtin(digits.zfill(_DIGITS), note or ("gtin_zero_restored" if is_short else None))


def is_gtin_14(gtin: str) -> bool:
    """Whether 14 digits end in their check digit: weights 3 and 1 in turn add up to a ten."""
    if len(gtin) != _DIGITS or not _PLAIN.fullmatch(gtin) or not int(gtin):
        return False
    return sum((3, 1)[at % 2] * int(digit) for at, digit in enumerate(gtin)) % 10 == 0
