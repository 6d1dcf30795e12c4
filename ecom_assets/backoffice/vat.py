"""VAT ids: their form, and when the register is asked again."""

from __future__ import annotations

import re
from datetime import timedelta

from ecom_assets.backoffice.taxation import EU

_PREFIXES = (EU - {"GR"}) | {"EL", "XI"}
_FORM = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,12}")

_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240))
"""How long to wait after each question without an answer; the last one from then on."""


def normal(vat_id: str) -> str:
    """An id as the register wants it: capitals, without blanks, dots and dashes."""
    return re.sub(r"[\s.\-]", "", vat_id).upper()


def problem_of(vat_id: str) -> str | None:
    """Why an id cannot be one, whatever the register says; None if it may be."""
    if vat_id[:2] not in _PREFIXES:
        return f"{vat_id[:2] or 'nothing'} is no country of the EU's register"
    if not _FORM.fullmatch(vat_id):
        return "an id has 2 to 12 letters and digits after its country"
    return None


def pause(attempts: int) -> timedelta:
    """How long to wait after so many questions without an answer."""
    return _PAUSES[min(attempts, len(_PAUSES)) - 1]
