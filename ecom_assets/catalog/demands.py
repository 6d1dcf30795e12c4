"""Families and channel requirements as a document (TOML) that people write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecom_assets.catalog.reading.problem import BadFile

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Demands:
    """What a document asks for, as rows of the tables.

    Attributes:
        families: rows of `catalog.families`.
        attributes: rows of `catalog.family_attributes`.
        channels: channels the document names.
        requirements: rows of `catalog.channel_requirements`.
    """

    families: list[Row]
    attributes: list[Row]
    channels: list[str]
    requirements: list[Row]


def read_demands(document: Mapping[str, Any]) -> Demands:
    """Read the sections `families` and `channels`.

    A family has a `name`, `required` and `optional` attributes. A channel has `locales`, what is
    `required` (a product without it is held back) and `wanted`, what of that must be `localised`,
    and more of it per family in `families`.

    Raises:
        BadFile: a section or key is unknown, or a value is of the wrong kind.
    """
    _only(document, {"families", "channels"}, "the document")
    families, channels = _table(document, "families"), _table(document, "channels")
    named = [_only(_table(families, key), {"name", "required", "optional"}, f"families.{key}")
             for key in families]  # fmt: skip
    attributes = [
        {"family": family, "attribute": attribute, "is_required": kind == "required"}
        for family, body in zip(families, named, strict=True)
        for kind in ("required", "optional")
        for attribute in _texts(body, kind, f"families.{family}")
    ]
    return Demands(
        [{"family": key, "name": str(body.get("name", key))}
         for key, body in zip(families, named, strict=True)],
        attributes,
        list(channels),
        [row for channel in channels for row in _of_channel(channel, _table(channels, channel))],
    )  # fmt: skip


def _of_channel(channel: str, body: Mapping[str, Any]) -> Iterator[Row]:
    place = f"channels.{channel}"
    keys = {"locales", "required", "wanted", "localised", "families"}
    _only(body, keys, place)
    locales = _texts(body, "locales", place) or [""]
    parts = {"": body} | {
        family: _only(_table(_table(body, "families"), family), keys - {"locales", "families"},
                      f"{place}.families.{family}")
        for family in _table(body, "families")
    }  # fmt: skip
    for family, part in parts.items():
        localised = set(_texts(part, "localised", place))
        asked = dict.fromkeys(_texts(part, "wanted", place), False)
        asked |= dict.fromkeys(_texts(part, "required", place), True)
        if strange := localised - set(asked):
            raise BadFile(f"{place}: {', '.join(sorted(strange))} is localised but not asked for")
        for locale in locales:
            for attribute, is_blocking in asked.items():
                yield {
                    "channel": channel, "locale": locale, "family": family, "attribute": attribute,
                    "is_localised": attribute in localised and bool(locale),
                    "is_blocking": is_blocking,
                }  # fmt: skip


def _only(body: Mapping[str, Any], known: set[str], place: str) -> Mapping[str, Any]:
    if strange := sorted(set(body) - known):
        raise BadFile(
            f"{place}: unknown {', '.join(strange)}; known are {', '.join(sorted(known))}"
        )
    return body


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key, {})
    if not isinstance(found, dict):
        raise BadFile(f"{key} must be a table")
    return found


def _texts(body: Mapping[str, Any], key: str, place: str) -> list[str]:
    found = body.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, str) and each for each in found):
        raise BadFile(f"{place}.{key} must be a list of names")
    return list(dict.fromkeys(found))
