"""What may be promised, and for when.

At once it is the stock that no order was promised, that is not kept back as safety stock and has
not expired. Later, receipts come and lots expire. What comes serves the orders that wait already,
and then the safety stock; only what is left of it may be promised, and only for its own date or a
later one: a receipt never covers what is due before it. Receipts that are late count only when they
have come, since nobody knows when that will be.

A kit is worth as many as its scarcest component allows, beside the kits that lie ready.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor


@dataclass(frozen=True, slots=True)
class Supply:
    """What a SKU has, owes and expects.

    Attributes:
        on_hand: units over all sites.
        reserved: units promised and not shipped.
        safety: units kept back.
        waiting: units that orders wait for.
        receipts: open units by the moment they are due.
        lots: units left by the moment they expire.
    """

    on_hand: int = 0
    reserved: int = 0
    safety: int = 0
    waiting: int = 0
    receipts: tuple[tuple[datetime, int], ...] = ()
    lots: tuple[tuple[datetime, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Units that may be promised from a moment on; at once, if it has none."""

    available_at: datetime | None
    units: int


@dataclass(frozen=True, slots=True)
class Buffer:
    """How much of what is available a channel is told.

    Attributes:
        most_listed: units shown at most; no limit, if `None`.
        stop_units: nothing is shown at or below so many units.
        share_percent: share of the units shown.
    """

    most_listed: int | None = None
    stop_units: int = 0
    share_percent: float = 100


def steps(supply: Supply, as_of: datetime) -> list[Step]:
    """Units to promise at `as_of`, and from every later moment at which something comes or goes."""
    at_once = supply.on_hand - supply.reserved - supply.safety
    coming = [(at, units) for at, units in supply.receipts if at > as_of]
    moments = {at for at, _ in coming} | {at for at, _ in supply.lots if at > as_of}
    found = [Step(None, max(0, at_once - _until(supply.lots, as_of)))]
    for at in sorted(moments):
        gained = max(0, _until(coming, at) - supply.waiting)
        found.append(Step(at, max(0, at_once - _until(supply.lots, at) + gained)))
    return found


def _until(dated: Sequence[tuple[datetime, int]], at: datetime) -> int:
    return sum(units for moment, units in dated if moment <= at)


def units_at(found: Sequence[Step], when: datetime | None) -> int:
    """Units to promise for a moment, or at once if `when` is `None`."""
    reached = [
        step
        for step in found
        if step.available_at is None or (when is not None and step.available_at <= when)
    ]
    return reached[-1].units


def kit_steps(own: Sequence[Step], components: Sequence[tuple[Sequence[Step], int]]) -> list[Step]:
    """Steps of a kit.

    Args:
        own: steps of the kits that lie ready.
        components: each component's steps, and the units of it that one kit takes.
    """
    parts = [found for found, _ in components]
    moments = {step.available_at for found in [own, *parts] for step in found}
    later = sorted(moment for moment in moments if moment is not None)
    return [
        Step(
            at,
            units_at(own, at) + min(units_at(found, at) // takes for found, takes in components),
        )
        for at in [None, *later]
    ]


def explode(wishes: Mapping[str, int], kits: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Units of the SKUs that kits are made of; what is no kit stays as it is.

    Args:
        wishes: units by SKU.
        kits: components of each kit with the units one kit takes; kits may hold kits.

    Raises:
        ValueError: a kit holds itself.
    """
    total: dict[str, int] = {}
    for sku, units in wishes.items():
        for part, each in _parts(sku, kits, ()).items():
            total[part] = total.get(part, 0) + units * each
    return total


def _parts(
    sku: str, kits: Mapping[str, Mapping[str, int]], above: tuple[str, ...]
) -> dict[str, int]:
    if sku in above:
        raise ValueError(f"kit {sku} holds itself")
    if sku not in kits:
        return {sku: 1}
    total: dict[str, int] = {}
    for component, takes in kits[sku].items():
        for part, each in _parts(component, kits, (*above, sku)).items():
            total[part] = total.get(part, 0) + takes * each
    return total


def listed(units: int, buffer: Buffer) -> int:
    """Units that a channel is told of `units` available ones."""
    if units <= buffer.stop_units:
        return 0
    shown = floor(units * buffer.share_percent / 100)
    return shown if buffer.most_listed is None else min(shown, buffer.most_listed)
