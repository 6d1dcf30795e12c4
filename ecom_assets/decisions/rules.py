"""Reading a document of rules: settings that replace those of the policies in force.

A policy is a frozen dataclass that refuses contradicting figures itself; here it is made sure that
a document says only what a policy knows, in the right type, and that whoever wrote it learns which
line is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from enum import StrEnum
from typing import Any

from ecom_assets.decisions.model import BadRequest

VERSION = "version"
"""Field of a policy that names it; it follows from the other settings and is not one itself."""


def changed(policies: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The policies with the settings of a document.

    Args:
        policies: policy in force, by section.
        document: sections, each with settings by name; what it leaves out stays in force.

    Raises:
        BadRequest: names the section or setting that is wrong, and what is known instead.
    """
    for section in document:
        if section not in policies:
            raise BadRequest(f"{section} is not a section; known are {_listed(policies)}")
    return {
        section: _changed(section, policy, document.get(section, {}))
        for section, policy in policies.items()
    }


def _changed(section: str, policy: Any, settings: object) -> Any:
    if not isinstance(settings, Mapping):
        raise BadRequest(f"{section} must be a table of settings, not {settings!r}")
    known = {item.name: getattr(policy, item.name) for item in fields(policy)}
    known.pop(VERSION, None)
    given = {
        name: _setting(f"{section}.{name}", known, name, value) for name, value in settings.items()
    }
    try:
        return replace(policy, **given)
    except ValueError as error:
        raise BadRequest(f"{section}.{error}") from error


def _setting(path: str, known: Mapping[str, Any], name: str, value: object) -> object:
    if name not in known:
        raise BadRequest(f"{path} is not a setting; known are {_listed(known)}")
    present = known[name]
    if isinstance(present, tuple):
        return _words(path, type(present[0]), value)
    # True is an integer to Python, and never what a figure was meant to be.
    if isinstance(value, bool):
        pass
    elif isinstance(present, float) and isinstance(value, int | float):
        return float(value)
    elif isinstance(present, int) and isinstance(value, int):
        return value
    wanted = "a number" if isinstance(present, float) else "a whole number"
    raise BadRequest(f"{path} must be {wanted}, not {value!r}")


def _words(path: str, kind: type[StrEnum], value: object) -> tuple[StrEnum, ...]:
    words = [str(word) for word in kind]
    if not isinstance(value, list | tuple):
        raise BadRequest(f"{path} must be a list of {_listed(words)}, not {value!r}")
    for word in value:
        if word not in words:
            raise BadRequest(f"{path}: {word!r} is not a rule; known are {_listed(words)}")
    return tuple(kind(word) for word in value)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
