"""The rule that picks the sites which ship an order, in its plain form.

Orders are served one after the other, in the order of deciding, on the stock that is at a site at
the order's own moment and that no later write-down takes away. Sites are tried by how many of the
order's SKUs they can ship whole, most first, so one site ships all wherever one can; sites alike in
that are tried by preference: nearest first. A SKU that no site can ship whole is put together from
several; units that are nowhere yet come from the site that gets them first.

`warehouse.allocation` does the same over arrays, for thousands of orders at once; a test holds both
equal, choice by choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt

ALLOCATION_VERSION = "allocation-1"
"""Version of the rule; raise it when the rule changes."""

EARTH_KM = 6371.0088
"""Mean radius of the Earth, R1 of the IUGG."""


class Policy(StrEnum):
    """How an order was divided; the first that is possible is taken."""

    SINGLE_SITE = "single_site"
    SPLIT_BY_LINE = "split_by_line"
    SPLIT_LINE = "split_line"


class NotCovered(Exception):
    """Reserved units that the stock of all sites together does not cover: a broken invariant."""


def great_circle_km(
    latitude: float, longitude: float, other_latitude: float, other_longitude: float
) -> float:
    """Distance over the Earth's surface between two places in degrees (haversine formula)."""
    here, there = radians(latitude), radians(other_latitude)
    # Haversine and not the cosine formula, which loses all digits for places close together.
    across = sin((there - here) / 2) ** 2
    across += cos(here) * cos(there) * sin(radians(other_longitude - longitude) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, across)))


@dataclass(frozen=True, slots=True)
class Demand:
    """What an order needs, and from where it would like it.

    Attributes:
        as_of: the order's own moment.
        units: reserved units by SKU.
        preference: sites, most preferred first.
    """

    as_of: int
    units: Mapping[str, int]
    preference: Sequence[str]


Moves = Mapping[tuple[str, str], Sequence[tuple[int, int]]]
"""Stock moves `(moment, quantity)`, sales apart, by `(sku, site)`."""

Shares = dict[tuple[str, str], int]
"""Units by `(sku, site)`."""


def units_at(moves: Sequence[tuple[int, int]], as_of: int) -> int:
    """Units there at `as_of` that no later move takes away."""
    moments = [as_of, *(at for at, _ in moves if at > as_of)]
    return min(sum(units for at, units in moves if at <= moment) for moment in moments)


def available_at(moves: Sequence[tuple[int, int]], level: int, as_of: int) -> int:
    """First moment from `as_of` on at which `level` units are there for good."""
    moments = [as_of, *sorted(at for at, _ in moves if at > as_of)]
    return next(moment for moment in moments if units_at(moves, moment) >= level)


def allocate_in_turn(
    demands: Sequence[Demand], moves: Moves, loads: Mapping[tuple[str, str], int]
) -> list[Shares]:
    """Choose the sites of each order, in turn.

    Args:
        demands: orders, in the order of deciding.
        moves: all stock moves.
        loads: units allocated before, by `(sku, site)`.

    Returns:
        Units each order gets, by `(sku, site)`.

    Raises:
        NotCovered: the stock of all sites is less than the demand.
    """
    taken = dict(loads)
    results = []
    for demand in demands:
        shares = _serve(demand, moves, taken)
        for key, units in shares.items():
            taken[key] = taken.get(key, 0) + units
        results.append(shares)
    return results


def _serve(demand: Demand, moves: Moves, taken: Mapping[tuple[str, str], int]) -> Shares:
    free = {
        (sku, site): max(
            0, units_at(moves.get((sku, site), ()), demand.as_of) - taken.get((sku, site), 0)
        )
        for sku in demand.units
        for site in demand.preference
    }
    covers = {
        site: sum(free[sku, site] >= units for sku, units in demand.units.items())
        for site in demand.preference
    }
    # sorted() is stable: sites that cover as many SKUs stay in the order of preference.
    ranked = sorted(demand.preference, key=lambda site: -covers[site])
    shares: Shares = {}
    for sku, units in demand.units.items():
        whole = [site for site in ranked if free[sku, site] >= units]
        left = units
        for site in whole[:1] or ranked:
            shares[sku, site] = min(left, free[sku, site])
            left -= shares[sku, site]
        if left:
            _wait_for(sku, left, demand.as_of, ranked, moves, taken, shares)
    return {key: units for key, units in shares.items() if units}


def _wait_for(
    sku: str,
    left: int,
    as_of: int,
    ranked: Sequence[str],
    moves: Moves,
    taken: Mapping[tuple[str, str], int],
    shares: Shares,
) -> None:
    """Take units that come later, from the sites that get their next unit first."""
    spare, level = {}, {}
    for site in ranked:
        level[site] = taken.get((sku, site), 0) + shares.get((sku, site), 0)
        spare[site] = sum(units for _, units in moves.get((sku, site), ())) - level[site]
    # From the site that gets its next unit first; one parcel more may leave early that way.
    coming = [site for site in ranked if spare[site] > 0]
    coming.sort(key=lambda site: available_at(moves[sku, site], level[site] + 1, as_of))
    for site in coming:
        units = min(left, spare[site])
        shares[sku, site] = shares.get((sku, site), 0) + units
        left -= units
    if left:
        raise NotCovered(f"{sku}: {left} reserved units are at no site")
