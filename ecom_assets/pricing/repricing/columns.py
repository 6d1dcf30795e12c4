"""Products and plan lines as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ecom_assets.pricing.model import Item, Limit, Outcome, Reason

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

NONE = -1
"""Stands for an unknown amount, share or count: all of them are positive or zero."""

OUTCOMES = tuple(Outcome)
"""An outcome's code is its place here."""

REASON_BIT = {reason: 1 << place for place, reason in enumerate(Reason)}
LIMIT_BIT = {limit: 1 << place for place, limit in enumerate(Limit)}

NUMBERS = tuple(item.name for item in fields(Item) if item.name not in ("sku", "category"))
"""Columns of whole numbers, named as in `Item`."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What is known of n products, column by column.

    Attributes:
        sku: object array of n texts.
        category: n codes, places in `categories`.
        categories: names of the categories.
        numbers: the columns `NUMBERS`, n whole numbers each, `NONE` where unknown.
    """

    sku: npt.NDArray[np.object_]
    category: npt.NDArray[np.int32]
    categories: Sequence[str]
    numbers: dict[str, Ints]

    def __len__(self) -> int:
        return len(self.sku)

    def __getitem__(self, name: str) -> Ints:
        return self.numbers[name]


@dataclass(frozen=True, slots=True)
class Lines:
    """Plan lines of n products.

    Attributes:
        outcome: places in `OUTCOMES`.
        proposed: price the rules proposed, `NONE` where they said nothing.
        new: price after the limits, `NONE` where there is none.
        regular: price before markdowns and promotions.
        reference: price to be shown beside a reduction, `NONE` where none is.
        rule: places in `labels`.
        labels: labels of rules, several joined by +.
        bound: bits of `LIMIT_BIT`.
        reasons: bits of `REASON_BIT`.
        asks: whether a person must look.
    """

    outcome: npt.NDArray[np.int8]
    proposed: Ints
    new: Ints
    regular: Ints
    reference: Ints
    rule: npt.NDArray[np.int32]
    labels: Sequence[str]
    bound: Ints
    reasons: Ints
    asks: Flags


def columns_of(items: Sequence[Item]) -> Columns:
    """Columns of single products, for tests and short lists."""
    categories = sorted({item.category for item in items})
    places = {name: place for place, name in enumerate(categories)}
    numbers = {
        name: np.array([_known(getattr(item, name)) for item in items], dtype=np.int64)
        for name in NUMBERS
    }
    skus = np.array([item.sku for item in items], dtype=object)
    codes = np.array([places[item.category] for item in items], dtype=np.int32)
    return Columns(skus, codes, categories, numbers)


def _known(value: int | None) -> int:
    return NONE if value is None else value


def names_of(bits: int, table: dict[Reason, int] | dict[Limit, int]) -> tuple[str, ...]:
    """The names whose bits are set, in the order of their declaration."""
    return tuple(str(name) for name, bit in table.items() if bits & bit)
