"""Gates of sanity: what a feed must look like before it is believed.

A competitor's file that is a hundred times too dear, or in another currency, moves no price: a
single entry far from what is known is flagged, and a feed that is off as a whole is held back. The
plain reference of the SQL in `pricing.store.feeds`; a property test holds both equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecom_assets.pricing.model import BPS

JUMP_BPS = 30_000
"""An entry more than three times what is known of it, or less than a third, is flagged."""

SHIFT_BPS = 15_000
"""A feed whose median entry is half as much again, or less than two thirds, is held back."""

SHIFT_ENTRIES = 5
"""So many entries must be comparable before the feed is judged as a whole."""

FLAGGED_BPS = 3_000
"""A feed of whose comparable entries more than this share is flagged is held back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An amount of a feed with what it is compared with, in minor units of one currency.

    Attributes:
        amount: what the feed says.
        known: the last accepted amount of the same source, else our own price or cost.
        known_currency: currency the same source used last for this product, if it did.
        currency: currency of the entry.
    """

    amount: int
    known: int | None
    currency: str
    known_currency: str | None = None


def flag(entry: Entry) -> str | None:
    """Why an entry is not believed, or None."""
    if entry.known_currency not in (None, entry.currency):
        return "currency_switched"
    if entry.known is None:
        return None
    return (
        "far_above_known"
        if entry.amount * BPS > entry.known * JUMP_BPS
        else ("far_below_known" if entry.known * BPS > entry.amount * JUMP_BPS else None)
    )


def hold(entries: Sequence[Entry]) -> str | None:
    """Why a feed is held back as a whole, or None."""
    judged = [(entry, flag(entry)) for entry in entries
              if entry.known is not None or entry.known_currency is not None]  # fmt: skip
    if len(judged) < SHIFT_ENTRIES:
        return None
    if sum(reason is not None for _, reason in judged) * BPS > len(judged) * FLAGGED_BPS:
        return "too_many_flagged"
    ratios = sorted(
        entry.amount * BPS // max(entry.known, 1) for entry, _ in judged if entry.known is not None
    )
    if len(ratios) < SHIFT_ENTRIES:
        return None
    # The lower of two middle ones, as percentile_disc does.
    median = ratios[(len(ratios) - 1) // 2]
    return "shifted_as_a_whole" if median > SHIFT_BPS or median * SHIFT_BPS < BPS * BPS else None
