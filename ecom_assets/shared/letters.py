"""Letters to people, written from versioned templates.

A template is named `<area>/<letter>/<version>` and is three files in the area's folder
`notifications/<letter>/<version>`: `subject.txt`, `body.txt`, `body.html`. A version that was used
is never changed: a letter can be written again as it was. Facts are JSON; in HTML all of them are
escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecom_assets.shared.money import to_text

if TYPE_CHECKING:
    from jinja2 import Environment

AREAS_FOLDER = Path(__file__).resolve().parents[1]

_NAME = re.compile(r"([a-z_]+)/([a-z_]+)/([1-9][0-9]*)")
# Line ends of any alphabet, and all else that is not printed.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter; the subject is one line."""

    subject: str
    text: str
    html: str


class UnwritableLetter(Exception):
    """The template is not there, or asks for a fact that is not given."""


def write(template: str, facts: Mapping[str, Any]) -> Letter:
    """Write a letter.

    Args:
        template: `<area>/<letter>/<version>`.
        facts: what the template shows; moments as ISO 8601, money in minor units.

    Raises:
        UnwritableLetter: it cannot be written; says why.
    """
    from jinja2 import TemplateError

    name = _NAME.fullmatch(template)
    if name is None:
        raise UnwritableLetter(f"{template!r} is not the name of a template")
    folder = f"{name[1]}/notifications/{name[2]}/{name[3]}"
    try:
        parts = [
            _templates().get_template(f"{folder}/{part}").render(facts)
            for part in ("subject.txt", "body.txt", "body.html")
        ]
    except (TemplateError, TypeError, ValueError) as error:
        raise UnwritableLetter(f"{template}: {type(error).__name__}: {error}") from error
    return Letter(one_line(parts[0]), parts[1], parts[2])


def one_line(given: str) -> str:
    """A text on one line: what would end a line, or is not printed, becomes a blank."""
    return _UNPRINTABLE.sub(" ", given).strip()


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    found = Environment(
        loader=FileSystemLoader(AREAS_FOLDER),
        autoescape=select_autoescape(["html"]),
        # A fact that is missing must not leave a gap that only the customer sees.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters.update(money=to_text, day=_day, line=one_line)
    return found


def _day(moment: str) -> str:
    """The UTC day of a moment in ISO 8601, such as `1 May 2024`."""
    at = datetime.fromisoformat(moment)
    return f"{at.day} {at:%B %Y}"
