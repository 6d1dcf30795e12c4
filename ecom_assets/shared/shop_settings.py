"""What a shop sets for itself: the one list of settings, and how a step reads them.

A setting is for the shop's people; what the server needs to start is in its environment. Rules that
decide about orders are no settings: they have versions, tests and approvals. A step reads what it
needs in the transaction it works in, so a change is effective with the next step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

Value = int | float | str | None

WHOLE, NUMBER, TEXT = "whole number", "number", "text"

_READ = sa.text("""
    SELECT name, value FROM backoffice.settings WHERE name = ANY(:names)
""")
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class InvalidSetting(ValueError):
    """A value that a setting cannot have; the message says why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Something a shop sets.

    Attributes:
        name: `<area>.<name>`.
        kind: whole number, number or text.
        default: what holds where nothing is set; None where the environment or nobody says it.
        about: what it does, for people.
        unit: what a figure is counted in.
        least: smallest figure, or fewest characters.
        most: largest figure, or most characters.
        most_lines: lines of a text.
        pattern: what a text must look like.
        environment: variable of the server that holds where nothing is set.
        is_admins: whether only admins may change it.
    """

    name: str
    kind: str
    default: Value
    about: str
    unit: str = ""
    least: float = 0
    most: float = 0
    most_lines: int = 1
    pattern: str | None = None
    environment: str | None = None
    is_admins: bool = False

    @property
    def area(self) -> str:
        """The area whose steps read it."""
        return self.name.partition(".")[0]

    @property
    def schema(self) -> dict[str, Any]:
        """Its values, as JSON Schema."""
        if self.kind == TEXT:
            said = {"type": "string", "minLength": int(self.least), "maxLength": int(self.most)}
            return {**said, "pattern": f"^(?:{self.pattern})$"} if self.pattern else said
        kind = "integer" if self.kind == WHOLE else "number"
        return {"type": kind, "minimum": self.least, "maximum": self.most}

    def checked(self, value: object) -> int | float | str:
        """The value, as it is kept.

        Raises:
            InvalidSetting: the setting cannot have it.
        """
        if self.kind == TEXT:
            return self._text(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidSetting(f"must be a {self.kind}")
        if self.kind == WHOLE and value != int(min(max(value, self.least), self.most)):
            raise InvalidSetting(f"must be a whole number from {self.least:g} to {self.most:g}")
        if not self.least <= value <= self.most:
            raise InvalidSetting(
                f"must be from {self.least:g} to {self.most:g} {self.unit}".strip()
            )
        return int(value) if self.kind == WHOLE else float(value)

    def _text(self, value: object) -> str:
        if not isinstance(value, str) or value != value.strip():
            raise InvalidSetting("must be a text without blanks around it")
        if not self.least <= len(value) <= self.most:
            raise InvalidSetting(f"must have {self.least:g} to {self.most:g} characters")
        if value.count("\n") >= self.most_lines or _UNPRINTABLE.search(value):
            raise InvalidSetting(f"must be {self.most_lines} printable line(s) at most")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise InvalidSetting("does not look like one")
        return value


HISTORY_DAYS = Setting(
    "backoffice.history_days", WHOLE, None,
    "How long ended runs are kept in Dagster's history; what the shop has on record stays.",
    "days", 1, 3_650, environment="ECOM_HISTORY_DAYS", is_admins=True,
)  # fmt: skip
HISTORY_RUNS = Setting(
    "backoffice.history_runs", WHOLE, None,
    "How many runs of each job and ending are kept in Dagster's history, however young.",
    "runs", 10, 1_000_000, environment="ECOM_HISTORY_RUNS", is_admins=True,
)  # fmt: skip
VAT_ANSWER_DAYS = Setting(
    "backoffice.vat_answer_days", WHOLE, 30,
    "How long the register's answer about a VAT id counts before it is asked again.",
    "days", 1, 365,
)  # fmt: skip
EXCHANGE_RATE_DAYS = Setting(
    "backoffice.exchange_rate_days", WHOLE, 7,
    "How old an exchange rate may be that converts a sale for the threshold of the one-stop shop.",
    "days", 1, 31,
)  # fmt: skip
SELLER_NAME = Setting(
    "documents.seller_name", TEXT, "",
    "Name of the seller as invoices print it; nothing about the seller is printed without it.",
    least=1, most=120,
)  # fmt: skip
SELLER_ADDRESS = Setting(
    "documents.seller_address", TEXT, "", "Address of the seller as invoices print it.",
    least=1, most=240, most_lines=4,
)  # fmt: skip
SELLER_VAT_ID = Setting(
    "documents.seller_vat_id", TEXT, "", "VAT id of the seller as invoices print it.",
    least=4, most=20, pattern=r"[A-Z]{2}[0-9A-Z+*]{2,18}",
)  # fmt: skip
SELLER_NOTE = Setting(
    "documents.seller_note", TEXT, "",
    "What else invoices print of the seller: register, bank, telephone.", least=1, most=200,
)  # fmt: skip
COUNT_UNITS = Setting(
    "inventory.count_tolerance_units", WHOLE, 1,
    "A count that differs by so many units at most is posted without an approval.",
    "units", 0, 10_000,
)  # fmt: skip
COUNT_SHARE = Setting(
    "inventory.count_tolerance_percent", NUMBER, 2.0,
    "A count that differs by so much of what was expected at most is posted without an approval;"
    " the larger tolerance applies.", "percent", 0, 100,
)  # fmt: skip
LEAD_DAYS = Setting(
    "inventory.usual_lead_days", NUMBER, 14.0,
    "Lead time of suppliers that say none, from the order to the goods on the shelf.",
    "days", 0, 365,
)  # fmt: skip
SERVICE_LEVEL = Setting(
    "inventory.usual_service_level", NUMBER, 0.95,
    "Share of cycles without a stock-out that is planned for products without a level of their"
    " own; safety stock grows with it.", "share", 0.5, 0.999,
)  # fmt: skip

SETTINGS: Mapping[str, Setting] = {
    each.name: each
    for each in (
        HISTORY_DAYS, HISTORY_RUNS, VAT_ANSWER_DAYS, EXCHANGE_RATE_DAYS, SELLER_NAME,
        SELLER_ADDRESS, SELLER_VAT_ID, SELLER_NOTE, COUNT_UNITS, COUNT_SHARE, LEAD_DAYS,
        SERVICE_LEVEL,
    )
}  # fmt: skip
"""Every setting by its name."""


def read(conn: sa.Connection, *settings: Setting) -> list[Any]:
    """The values that hold now, in the order asked for.

    Raises:
        InvalidSetting: a value that is kept is none of its setting.
    """
    rows = conn.execute(_READ, {"names": [setting.name for setting in settings]})
    kept = dict(rows.tuples().all())
    return [_held(setting, kept) for setting in settings]


def _held(setting: Setting, kept: Mapping[str, Any]) -> Value:
    if setting.name not in kept:
        return setting.default
    try:
        return setting.checked(kept[setting.name])
    except InvalidSetting as error:
        raise InvalidSetting(f"{setting.name} {error}, not {kept[setting.name]!r}") from error
