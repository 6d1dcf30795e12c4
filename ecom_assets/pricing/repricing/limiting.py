"""Limits of many prices at once; see `pricing.limits`, its plain reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecom_assets.pricing.model import BPS, MOST_MINOR, Limit, Policy
from ecom_assets.pricing.repricing.columns import LIMIT_BIT, NONE, Columns, Flags, Ints


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what the prices must lie; `floor_bit` is the bit of the limit that is the floor."""

    floor: Ints
    floor_bit: Ints
    ceiling: Ints
    step_low: Ints
    step_high: Ints


def floors_for_margin(cost: Ints, margin_bps: Ints, tax_bps: int) -> Ints:
    """The lowest prices whose net part leaves a margin, rounded up."""
    return -(-cost * (BPS + tax_bps) // (BPS - margin_bps))


def bounds_of(items: Columns, policy: Policy) -> Bounds:
    """The limits of products; meaningless where the cost is unknown."""
    cost, margin = items["cost"], items["margin_bps"]
    floor = np.maximum(floors_for_margin(cost, np.zeros_like(cost), policy.tax_bps), 1)
    bit = np.full_like(floor, LIMIT_BIT[Limit.COST])
    of_margin = floors_for_margin(cost, np.maximum(margin, 0), policy.tax_bps)
    for limit, amount in (
        (Limit.MINIMUM, items["minimum"]),
        (Limit.MARGIN, np.where(margin == NONE, NONE, of_margin)),
        (Limit.MAP, items["map_price"]),
    ):
        # Only what is higher: of equal floors the strongest limit is named.
        higher = amount > floor
        floor, bit = np.where(higher, amount, floor), np.where(higher, LIMIT_BIT[limit], bit)
    ceiling = np.where(items["ceiling"] == NONE, MOST_MINOR, items["ceiling"])
    return Bounds(floor, bit, ceiling, *_steps(items["anchor"], items["step_bps"]))


def _steps(anchor: Ints, step: Ints) -> tuple[Ints, Ints]:
    is_free = (anchor == NONE) | (step == NONE)
    low = np.maximum(np.where(is_free, 1, -(-anchor * (BPS - step) // BPS)), 1)
    return low, np.where(is_free, MOST_MINOR, anchor * (BPS + step) // BPS)


def clamp(proposed: Ints, limits: Bounds) -> tuple[Ints, Ints]:
    """Prices within the limits, and the bits of those that moved them."""
    stepped = np.minimum(np.maximum(proposed, limits.step_low), limits.step_high)
    bound = np.where(stepped != proposed, LIMIT_BIT[Limit.STEP], 0)
    too_low, too_high = stepped < limits.floor, stepped > limits.ceiling
    bound |= np.where(too_low, limits.floor_bit, 0)
    bound |= np.where(too_high & ~too_low, LIMIT_BIT[Limit.CEILING], 0)
    price = np.where(too_low, limits.floor, np.where(too_high, limits.ceiling, stepped))
    return price, bound


def charmed(price: Ints, modulus: Ints, ending: Ints, limits: Bounds) -> tuple[Ints, Flags]:
    """The nearest prices with the wanted endings within all limits, and where there is one."""
    low = np.maximum(limits.floor, limits.step_low)
    high = np.minimum(limits.ceiling, limits.step_high)
    # Products without an ending get one that every price has, so that nothing divides by -1.
    wants = modulus != NONE
    modulus, ending = np.where(wants, modulus, 1), np.where(wants, ending, 0)
    below = price - (price - ending) % modulus
    above = np.where(below == price, below, below + modulus)
    below_fits = (low <= below) & (below <= high)
    above_fits = (low <= above) & (above <= high)
    takes_above = above_fits & (~below_fits | (above - price < price - below))
    return np.where(takes_above, above, below), below_fits | above_fits
