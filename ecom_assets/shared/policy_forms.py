"""What a policy's settings are, as a JSON Schema: a form or a program can build a document of it.

Names, types and defaults are those of the dataclass, descriptions stand in its docstring, units and
bounds in `Figure`. The dataclass itself refuses what is out of bounds; a test holds both equal.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from ecom_assets.shared.policies import VERSION, plain

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Figure:
    """What a figure of a policy is counted in, and how far it may go; stands in `Annotated`.

    Attributes:
        unit: what it is counted in, such as EUR or grams.
        least: smallest value.
        most: largest value.
        above: what it must be more than.
        below: what it must be less than.
    """

    unit: str
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    @property
    def said(self) -> dict[str, Any]:
        """The unit and the bounds there are, by their names in JSON Schema."""
        named = {"minimum": self.least, "maximum": self.most, "exclusiveMinimum": self.above,
                 "exclusiveMaximum": self.below, "x-unit": self.unit}  # fmt: skip
        return {name: bound for name, bound in named.items() if bound is not None}


@dataclass(frozen=True, slots=True)
class Words:
    """Which texts a setting may be, where another module knows them; stands in `Annotated`.

    Attributes:
        known: asked when they are needed, since that module may be heavy.
    """

    known: Callable[[], Iterable[str]]

    @property
    def said(self) -> dict[str, Any]:
        """The words, by their name in JSON Schema."""
        return {"enum": list(self.known())}


def schema_of(form: type[Any], is_complete: bool = True) -> dict[str, Any]:
    """The JSON Schema of a policy's settings.

    Args:
        form: dataclass of the policies.
        is_complete: whether settings with a default must be given as well.

    Returns:
        An object; `x-unit` says what figures are counted in.
    """
    return {"$schema": DIALECT, **_object(form, is_complete)}


def _object(form: type[Any], is_complete: bool) -> dict[str, Any]:
    hints = get_type_hints(form, include_extras=True)
    said = descriptions_of(form)
    known = [item for item in fields(form) if item.name != VERSION]
    properties = {}
    for item in known:
        part = _of(hints[item.name])
        if item.name in said:
            part["description"] = said[item.name]
        if item.default is not MISSING:
            part["default"] = plain(item.default)
        properties[item.name] = part
    needed = [item.name for item in known if is_complete or item.default is MISSING]
    about = inspect.cleandoc(form.__doc__ or "").partition("\n")[0]
    return {
        "type": "object", "description": about, "properties": properties, "required": needed,
        "additionalProperties": False,
    }  # fmt: skip


def descriptions_of(form: type[Any]) -> Mapping[str, str]:
    """What the docstring of a class says of its attributes, by name."""
    doc = inspect.cleandoc(form.__doc__ or "")
    _, _, part = doc.partition("\nAttributes:\n")
    found: dict[str, list[str]] = {}
    name = ""
    for line in part.splitlines():
        if line and not line.startswith(" "):
            break
        if begun := re.fullmatch(r" {4}(\w+): (.*)", line):
            name = begun[1]
            found[name] = [begun[2]]
        elif name:
            found[name].append(line.strip())
    return {name: " ".join(lines).strip() for name, lines in found.items()}


def _of(wanted: Any) -> dict[str, Any]:
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        [told] = [each for each in inner[1:] if isinstance(each, Figure | Words)]
        return {**_of(inner[0]), **told.said}
    if origin in (Union, UnionType):
        part = _of(next(each for each in inner if each is not NoneType))
        return {**part, "type": [part["type"], "null"]}
    if origin is tuple:
        return {"type": "array", "items": _of(inner[0])}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(inner[1])}
    if is_dataclass(wanted) and isinstance(wanted, type):
        return _object(wanted, is_complete=False)
    if issubclass(wanted, StrEnum):
        return {"type": "string", "enum": [str(word) for word in wanted]}
    return dict(_SCALARS[wanted])


_SCALARS: Mapping[Any, Mapping[str, Any]] = {
    float: {"type": "number"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    str: {"type": "string", "minLength": 1},
    timedelta: {"type": "string", "pattern": r"^\d{1,5} (minutes?|hours?|days?)$",
                "x-unit": "a span such as 12 hours or 3 days"},
    datetime: {"type": "string", "format": "date-time"},
}  # fmt: skip
