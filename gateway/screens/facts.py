"""Figures of the API as people read them: names in words, money in its currency, moments in UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecom_assets.shared.money import CURRENCIES, to_text
from gateway.screens.frame import moment

_MOST_ROWS = 50
_UNITS = {"_g": "g", "_km": "km", "_mm3": "mm³", "_mm": "mm", "_eur": "EUR", "_bps": "%"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what is said of it.

    Attributes:
        name: in words.
        text: the value; empty where it is a table.
        table: names of the columns and the rows, for lists of things.
        more: rows that are not shown.
    """

    name: str
    text: str = ""
    table: tuple[list[str], list[list[str]]] | None = None
    more: int = 0


def facts_of(told: Mapping[str, Any], *without: str) -> list[Fact]:
    """Every member of an answer as a fact; amounts in minor units take the answer's currency."""
    currency = str(told.get("currency", ""))
    return [_fact(name, value, currency) for name, value in told.items() if name not in without]


def _fact(name: str, value: Any, currency: str) -> Fact:
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        if all(isinstance(each, Mapping) for each in value):
            return _table(name, value, currency)
        return Fact(words(name), ", ".join(value_text(name, each, currency) for each in value))
    if isinstance(value, Mapping):
        said = (f"{words(key)}: {value_text(key, each, currency)}" for key, each in value.items())
        return Fact(words(name), "; ".join(said))
    return Fact(words(name), value_text(name, value, currency))


def _table(name: str, rows: Sequence[Mapping[str, Any]], currency: str) -> Fact:
    columns = list(dict.fromkeys(key for row in rows[:_MOST_ROWS] for key in row))
    cells = [
        [value_text(column, row.get(column), str(row.get("currency") or currency))
         for column in columns]
        for row in rows[:_MOST_ROWS]
    ]  # fmt: skip
    shown = [words(column) for column in columns]
    return Fact(words(name), table=(shown, cells), more=max(0, len(rows) - _MOST_ROWS))


def words(name: str) -> str:
    """The name of a member in words."""
    for ending in ("_minor", "_at"):
        name = name.removesuffix(ending)
    for ending, unit in _UNITS.items():
        if name.endswith(ending) and "_per_" not in name:
            return f"{words(name.removesuffix(ending))} ({unit})"
    return name.replace("_", " ").strip().capitalize() or name


def value_text(name: str, value: Any, currency: str = "") -> str:
    """A value as people read it."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_minor") and isinstance(value, int):
        return money(value, currency)
    if name.endswith("_bps") and isinstance(value, int):
        return f"{value / 100:g}"
    if name.endswith("_at") and isinstance(value, str):
        return moment(value)
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and not name.endswith("_id") else str(value)


def money(amount_minor: int | None, currency: str | None) -> str:
    """An amount in its currency."""
    if amount_minor is None:
        return "-"
    if currency not in CURRENCIES:
        return f"{amount_minor:,} (minor units)"
    return to_text(amount_minor, str(currency))
