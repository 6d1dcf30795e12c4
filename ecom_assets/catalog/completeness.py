"""How complete a product is for a channel, and how well it is described at all.

The reference of the SQL in `store.completeness`; a property test holds both equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

IMAGE = "image"
"""What a channel asks for as `image` is a picture among the product's media."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A value that a channel asks for.

    Attributes:
        attribute: attribute, column of the products, or `image`.
        is_localised: whether only a value in the locale itself counts.
        is_blocking: whether a product without it is held back.
    """

    attribute: str
    is_localised: bool = False
    is_blocking: bool = True


@dataclass(frozen=True, slots=True)
class Described:
    """A product as the rules see it.

    Attributes:
        columns: its columns that are not empty, with their values.
        values: attribute, channel and locale of its attribute values.
        pictures: how many media it has.
    """

    columns: Mapping[str, str]
    values: frozenset[tuple[str, str, str]] = frozenset()
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class Completeness:
    """What a product lacks for a channel and locale; both lists in order of their names."""

    required: int
    missing: tuple[str, ...] = ()
    blocking: tuple[str, ...] = field(default=())

    @property
    def is_ready(self) -> bool:
        """Whether it may go there."""
        return not self.blocking


def merged(asked: Iterable[Asked]) -> dict[str, Asked]:
    """What is asked for, once each: of two demands for one attribute the stricter holds."""
    found: dict[str, Asked] = {}
    for one in asked:
        known = found.get(one.attribute, one)
        found[one.attribute] = Asked(
            one.attribute,
            one.is_localised or known.is_localised,
            one.is_blocking or known.is_blocking,
        )
    return found


def completeness(
    product: Described, asked: Iterable[Asked], channel: str, locale: str
) -> Completeness:
    """What a product lacks of what a channel asks for in a locale."""
    needed = merged(asked)
    missing = sorted(
        name for name, one in needed.items() if not _has(product, one, channel, locale)
    )
    blocking = [name for name in missing if needed[name].is_blocking]
    return Completeness(len(needed), tuple(missing), tuple(blocking))


def _has(product: Described, asked: Asked, channel: str, locale: str) -> bool:
    told = any(
        attribute == asked.attribute
        and of in {"", channel}
        and (not asked.is_localised or spoken == locale)
        for attribute, of, spoken in product.values
    )
    if told or asked.is_localised:
        return told
    if asked.attribute == IMAGE:
        return product.pictures > 0
    return bool(product.columns.get(asked.attribute))


@dataclass(frozen=True, slots=True)
class Score:
    """Points of 100, and what would bring more, the most points first."""

    points: int
    lacking: tuple[str, ...]


def score(product: Described) -> Score:
    """How well a product is described: the sum of points of what it has."""
    has = product.columns
    name, description = len(has.get("name", "")), len(has.get("description", ""))
    is_placed = bool(has.get("category_id")) or has.get("category", "") != "uncategorised"
    sides = all(has.get(side) for side in ("length_mm", "width_mm", "height_mm"))
    got = {
        "description": (20, 20 if description >= 200 else 10 if description >= 50 else 0),
        "images": (20, 20 if product.pictures >= 3 else 10 if product.pictures else 0),
        "gtin": (15, 15 if has.get("gtin") else 0),
        "name": (15, 15 if 20 <= name <= 150 else 0),
        "brand": (10, 10 if has.get("brand") else 0),
        "category": (10, 10 if is_placed else 0),
        "sides": (5, 5 if sides else 0),
        "weight": (5, 5 if has.get("weight_g") else 0),
    }
    lost = sorted((got_of - most, what) for what, (most, got_of) in got.items() if got_of < most)
    return Score(sum(got_of for _, got_of in got.values()), tuple(what for _, what in lost))
