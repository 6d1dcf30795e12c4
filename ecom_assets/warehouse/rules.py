"""The rule that picks the sites which ship an order, in its plain form.

Orders are served one after the other, in the order of deciding, on the stock that is at a site at
the order's own moment and that no later write-down takes away. Sites are tried in the order of a
ranking, a list of named rules of which a later one speaks only where all before it see no
difference. Each SKU comes from the first site that can ship it whole; one that no site can ship
whole is put together from several; units that are nowhere yet come from the site that gets them
first.

`warehouse.allocation` does the same over arrays, for thousands of orders at once; a test holds both
equal, choice by choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt

EARTH_KM = 6371.0088
"""Mean radius of the Earth, R1 of the IUGG."""


class RankingRule(StrEnum):
    """What may decide between two sites; the better one is tried first.

    FEWEST_SPLITS: ships more of the order's SKUs whole, so one site ships all wherever one can.
    SAME_MARKET: lies in the customer's country.
    LOWEST_COST: handling plus the cheapest rate that carries the whole order over the distance.
    NEAREST: is closer to the customer; without a distance, lies in the customer's country.
    """

    FEWEST_SPLITS = "fewest_splits"
    SAME_MARKET = "same_market"
    LOWEST_COST = "lowest_cost"
    NEAREST = "nearest"


KIND = "routing"
"""Kind of the rules as data."""


@dataclass(frozen=True, slots=True)
class Routing:
    """How sites are ranked.

    Sites that no rule tells apart are tried by cheaper handling, then by site code.

    Attributes:
        version: recorded with every allocation.
        ranking: the rules, the weightiest first; one that is left out has no say.
    """

    version: str = "allocation-2"
    ranking: tuple[RankingRule, ...] = tuple(RankingRule)

    def __post_init__(self) -> None:
        """Refuse a ranking that ranks nothing or says a thing twice.

        Raises:
            ValueError: the message starts with the name of the field.
        """
        if not self.ranking or len(set(self.ranking)) < len(self.ranking):
            raise ValueError("ranking must name at least one rule, and each only once")


ROUTING = Routing()
"""What the first version says."""


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
class Standing:
    """How a site stands to an order.

    Attributes:
        is_abroad: not in the customer's country.
        cost_minor: handling and carriage, see `RankingRule.LOWEST_COST`.
        far: kilometres to the customer; 1 abroad and 0 at home where unknown.
        handling_minor: cost of handling one parcel.
    """

    is_abroad: bool = False
    cost_minor: float = 0.0
    far: float = 0.0
    handling_minor: int = 0

    def rank(self, covers: int, ranking: Sequence[RankingRule]) -> tuple[float, ...]:
        """Sorts sites, best first; `covers` is how many SKUs the site can ship whole."""
        figures = {
            RankingRule.FEWEST_SPLITS: -covers,
            RankingRule.SAME_MARKET: self.is_abroad,
            RankingRule.LOWEST_COST: self.cost_minor,
            RankingRule.NEAREST: self.far,
        }
        return (*(figures[rule] for rule in ranking), self.handling_minor)


@dataclass(frozen=True, slots=True)
class Demand:
    """What an order needs, and how the sites stand to it.

    Attributes:
        as_of: the order's own moment.
        units: reserved units by SKU.
        sites: standing by site code.
    """

    as_of: int
    units: Mapping[str, int]
    sites: Mapping[str, Standing]


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
    demands: Sequence[Demand],
    moves: Moves,
    loads: Mapping[tuple[str, str], int],
    ranking: Sequence[RankingRule] = ROUTING.ranking,
) -> list[Shares]:
    """Choose the sites of each order, in turn.

    Args:
        demands: orders, in the order of deciding.
        moves: all stock moves.
        loads: units allocated before, by `(sku, site)`.
        ranking: what decides between sites.

    Returns:
        Units each order gets, by `(sku, site)`.

    Raises:
        NotCovered: the stock of all sites is less than the demand.
    """
    taken = dict(loads)
    results = []
    for demand in demands:
        shares = _serve(demand, moves, taken, ranking)
        for key, units in shares.items():
            taken[key] = taken.get(key, 0) + units
        results.append(shares)
    return results


def _serve(
    demand: Demand,
    moves: Moves,
    taken: Mapping[tuple[str, str], int],
    ranking: Sequence[RankingRule],
) -> Shares:
    free = {
        (sku, site): max(
            0, units_at(moves.get((sku, site), ()), demand.as_of) - taken.get((sku, site), 0)
        )
        for sku in demand.units
        for site in demand.sites
    }
    covers = {
        site: sum(free[sku, site] >= units for sku, units in demand.units.items())
        for site in demand.sites
    }
    ranked = sorted(
        demand.sites, key=lambda site: (demand.sites[site].rank(covers[site], ranking), site)
    )
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
