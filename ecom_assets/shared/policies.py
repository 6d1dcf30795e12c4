"""Settings as data: a document becomes a policy of its kind, or an error that names kind and field.

A policy is a frozen dataclass that refuses figures no shop can mean. Its fields are numbers, words
of an enumeration, texts, durations such as `12 hours` or `3 days`, moments, and tuples or further
dataclasses of these. A field called `version` is not a setting: it gets the label of the version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

P = TypeVar("P")

VERSION = "version"
"""Name of the field that is no setting."""

_SPAN = re.compile(r"(\d{1,5}) (minutes?|hours?|days?)")


class InvalidPolicy(ValueError):
    """Settings that make no policy; the message names kind and field, and says what is wrong."""

    @property
    def field(self) -> str:
        """The setting that is wrong, such as `rules[2].points`; empty for all of them."""
        named = re.match(r"[^\s:]+", str(self))
        return named[0].partition(".")[2] if named else ""


def policy_of(
    kind: str, form: type[P], settings: object, label: str = "", is_complete: bool = True
) -> P:
    """The policy that a document of settings says.

    Args:
        kind: what messages begin with.
        form: dataclass of the kind.
        settings: the document.
        label: goes into the field `version`, where there is one.
        is_complete: whether fields with a default must be given as well.

    Raises:
        InvalidPolicy: an unknown, missing, ill-typed or impossible setting.
    """
    if not isinstance(settings, Mapping):
        raise InvalidPolicy(f"{kind} must be a table of settings, not {settings!r}")
    known = {item.name: item for item in fields(form) if item.name != VERSION}  # type: ignore[arg-type]
    if strange := [name for name in settings if name not in known]:
        raise InvalidPolicy(f"{kind}.{strange[0]} is not a setting; known are {', '.join(known)}")
    for name, item in known.items():
        if name not in settings and (is_complete or _is_needed(item)):
            raise InvalidPolicy(f"{kind}.{name} is missing")
    hints = _hints(form)  # type: ignore[arg-type]
    given = {name: _read(f"{kind}.{name}", hints[name], value) for name, value in settings.items()}
    if label and VERSION in hints:
        given[VERSION] = label
    try:
        return form(**given)
    except InvalidPolicy:
        raise
    except ValueError as error:
        raise InvalidPolicy(f"{kind}.{error}") from error


def settings_of(policy: object) -> dict[str, Any]:
    """The document of a policy, as `policy_of` reads it back."""
    return {
        item.name: plain(getattr(policy, item.name))
        for item in fields(policy)  # type: ignore[arg-type]
        if item.name != VERSION
    }


def plain(value: object) -> object:
    """A setting's value as a document has it."""
    if is_dataclass(value):
        return settings_of(value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, timedelta):
        return f"{value // timedelta(minutes=1)} minutes"
    return value.isoformat() if isinstance(value, datetime) else value


def _is_needed(item: Field[Any]) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


@cache
def _hints(form: type[Any]) -> dict[str, Any]:
    return get_type_hints(form)


def _read(path: str, wanted: Any, value: object) -> object:
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in (Union, UnionType):
        if value is None and NoneType in inner:
            return None
        return _read(path, next(each for each in inner if each is not NoneType), value)
    if origin is tuple:
        return tuple(_each(path, inner[0], value))
    if origin is not None and issubclass(origin, Mapping):
        return _mapped(path, inner[1], value)
    if is_dataclass(wanted) and isinstance(wanted, type):
        return policy_of(path, wanted, value, is_complete=False)
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return _word(path, wanted, value)
    return _SCALARS[wanted](path, value)


def _each(path: str, wanted: Any, value: object) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidPolicy(f"{path} must be a list, not {value!r}")
    return [_read(f"{path}[{place}]", wanted, item) for place, item in enumerate(value, 1)]


def _mapped(path: str, wanted: Any, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidPolicy(f"{path} must be a table, not {value!r}")
    return {str(name): _read(f"{path}.{name}", wanted, item) for name, item in value.items()}


def _word(path: str, wanted: type[StrEnum], value: object) -> StrEnum:
    words = [str(word) for word in wanted]
    if value not in words:
        raise InvalidPolicy(f"{path}: {value!r} is not known; known are {', '.join(words)}")
    return wanted(str(value))


def _refuse(path: str, wanted: str, value: object) -> InvalidPolicy:
    return InvalidPolicy(f"{path} must be {wanted}, not {value!r}")


def _float(path: str, value: object) -> float:
    # True is an integer to Python, and never what a figure was meant to be.
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise _refuse(path, "a number", value)
    return float(value)


def _integer(path: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refuse(path, "a whole number", value)
    return value


def _flag(path: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _refuse(path, "true or false", value)
    return value


def _text(path: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _refuse(path, "a text", value)
    return value


def _span(path: str, value: object) -> timedelta:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise _refuse(path, "a span such as '12 hours' or '3 days'", value)
    return timedelta(**{found[2].rstrip("s") + "s": int(found[1])})


def _moment(path: str, value: object) -> datetime:
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise _refuse(path, "a moment such as 2026-01-31T12:00Z", value) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_SCALARS: Mapping[Any, Callable[[str, object], object]] = {
    float: _float, int: _integer, bool: _flag, str: _text, timedelta: _span, datetime: _moment,
}  # fmt: skip
