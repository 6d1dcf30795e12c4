"""Limits of one price: the plain reference of `pricing.repricing.limiting`.

Strongest first: never below cost, the minimum, the least margin, MAP, the ceiling, the step of a
day, charm. A weaker limit gives way to a stronger one and the line says so; only where the floor
lies above the ceiling is there no price, and the product is held.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecom_assets.pricing.model import BPS, MOST_MINOR, Item, Limit, Policy


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what a price must lie, in minor units.

    Attributes:
        floor: lowest price by the hard limits.
        floor_name: which of them it is, the strongest where several agree.
        ceiling: highest price.
        step_low: lowest price by the step of the day.
        step_high: highest price by the step of the day.
    """

    floor: int
    floor_name: Limit
    ceiling: int
    step_low: int
    step_high: int


def floor_for_margin(cost: int, margin_bps: int, tax_bps: int) -> int:
    """The lowest price whose net part leaves a margin: cost with tax / (1 - margin), rounded up."""
    return -(-cost * (BPS + tax_bps) // (BPS - margin_bps))


def bounds_of(item: Item, policy: Policy) -> Bounds:
    """The limits of a product whose cost is known."""
    cost = item.cost or 0
    floors = [(max(floor_for_margin(cost, 0, policy.tax_bps), 1), Limit.COST)]
    if item.minimum is not None:
        floors.append((item.minimum, Limit.MINIMUM))
    if item.margin_bps is not None:
        floors.append((floor_for_margin(cost, item.margin_bps, policy.tax_bps), Limit.MARGIN))
    if item.map_price is not None:
        floors.append((item.map_price, Limit.MAP))
    floor = max(amount for amount, _ in floors)
    name = next(name for amount, name in floors if amount == floor)
    low, high = 1, MOST_MINOR
    if item.anchor is not None and item.step_bps is not None:
        low = -(-item.anchor * (BPS - item.step_bps) // BPS)
        high = item.anchor * (BPS + item.step_bps) // BPS
    ceiling = MOST_MINOR if item.ceiling is None else item.ceiling
    return Bounds(floor, name, ceiling, max(low, 1), high)


def clamp(proposed: int, limits: Bounds) -> tuple[int, tuple[Limit, ...]]:
    """Bring a proposal within the limits; floor and ceiling hold where the step excludes them.

    Returns:
        The price and the limits that moved it, in the order they did.
    """
    price, bound = proposed, []
    stepped = min(max(price, limits.step_low), limits.step_high)
    if stepped != price:
        price, bound = stepped, [Limit.STEP]
    if price < limits.floor:
        price, bound = limits.floor, [*bound, limits.floor_name]
    elif price > limits.ceiling:
        price, bound = limits.ceiling, [*bound, Limit.CEILING]
    return price, tuple(bound)


def charmed(price: int, modulus: int, ending: int, limits: Bounds) -> int | None:
    """The nearest price with the wanted ending within all limits, the lower of two, if any."""
    low = max(limits.floor, limits.step_low)
    high = min(limits.ceiling, limits.step_high)
    below = price - (price - ending) % modulus
    above = below if below == price else below + modulus
    fits = [amount for amount in (below, above) if low <= amount <= high]
    return min(fits, key=lambda amount: (abs(amount - price), amount), default=None)
