"""Where an order may ship from: the sites that hold something of it, best ranked first.

Only sites that hold one of the order's SKUs are looked at, so the work grows with the stock an
order can use and not with the number of sites.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecom_assets.warehouse.allocation.arrays import Floats, Ints, ranges
from ecom_assets.warehouse.allocation.problem import Problem
from ecom_assets.warehouse.rules import EARTH_KM, RankingRule


@dataclass(frozen=True)
class Candidates:
    """Candidates and what they offer.

    A candidate is an order and a site; candidates are sorted by order and rank. An option is
    a candidate and one of the order's demands that the site holds stock of; options are sorted by
    candidate and demand.

    Attributes:
        order: order of each candidate.
        site: site of each candidate.
        distance: kilometres from site to customer, NaN where unknown.
        cost: handling and carriage in minor units, infinite where nothing carries the order.
        tier: rises along an order's candidates. Within a tier those that can ship more of the
            order's SKUs whole come first, whatever their place; tiers are never mixed.
        option_candidate: candidate of each option.
        option_demand: demand of each option.
        option_cell: cell of each option.
        option_free: units of the cell that are free at the order's moment, if no order of this
            problem took any; may be negative.
    """

    order: Ints
    site: Ints
    distance: Floats
    cost: Floats
    tier: Ints
    option_candidate: Ints
    option_demand: Ints
    option_cell: Ints
    option_free: Ints

    @cached_property
    def starts(self) -> Ints:
        """First option of each candidate."""
        return np.searchsorted(self.option_candidate, np.arange(len(self.order)))

    @cached_property
    def counts(self) -> Ints:
        """Options of each candidate."""
        return np.bincount(self.option_candidate, minlength=len(self.order))

    def of_orders(self, orders: Ints) -> Ints:
        """Candidates of the given orders, ascending if the orders are."""
        first = np.searchsorted(self.order, orders)
        return ranges(first, np.searchsorted(self.order, orders, side="right") - first)

    def options(self, candidates: Ints) -> Ints:
        """Options of the given candidates."""
        return ranges(self.starts[candidates], self.counts[candidates])


def find_candidates(problem: Problem) -> Candidates:
    """Find the candidates of every order of a problem and what they offer."""
    demand, stock, site_count = problem.demand, problem.stock, len(problem.sites.handling)
    first = np.searchsorted(stock.sku, demand.sku)
    counts = np.searchsorted(stock.sku, demand.sku, side="right") - first
    of_demand = np.repeat(np.arange(len(demand.sku)), counts)
    cell = ranges(first, counts)
    keys, candidate = np.unique(
        demand.order[of_demand] * site_count + stock.site[cell], return_inverse=True
    )
    order, site = np.divmod(keys, site_count)
    distance = _distances(problem, order, site)
    figures = _figures(problem, order, site, distance)
    ranked, tier = _ranked(problem, order, site, figures)
    place = np.empty(len(ranked), np.int64)
    place[ranked] = np.arange(len(ranked))
    candidate = place[candidate]
    sorting = np.lexsort((of_demand, candidate))
    of_demand, cell = of_demand[sorting], cell[sorting]
    return Candidates(
        order=order[ranked],
        site=site[ranked],
        distance=distance[ranked],
        cost=figures[RankingRule.LOWEST_COST][ranked],
        tier=tier,
        option_candidate=candidate[sorting],
        option_demand=of_demand,
        option_cell=cell,
        option_free=stock.free_at(cell, problem.orders.due[demand.order[of_demand]]),
    )


def _ranked(
    problem: Problem, order: Ints, site: Ints, figures: Mapping[RankingRule, Floats]
) -> tuple[Ints, Ints]:
    """Sorting of candidates by order and rank, and the tier of each in that sorting."""
    ranking = problem.routing.ranking
    # How many SKUs a site ships whole changes with every order served; the rest is fixed.
    fixed = [figures[rule] for rule in ranking if rule in figures]
    ties = [problem.sites.handling[site].astype(np.float64), site.astype(np.float64)]
    ranked = np.lexsort((*reversed([*fixed, *ties]), order))
    splits = RankingRule.FEWEST_SPLITS
    before = fixed[: ranking.index(splits)] if splits in ranking else [*fixed, *ties]
    is_new = np.zeros(len(ranked), np.bool_)
    for figure in (order, *before):
        is_new[1:] |= figure[ranked][1:] != figure[ranked][:-1]
    return ranked, np.cumsum(is_new)


def _figures(
    problem: Problem, order: Ints, site: Ints, distance: Floats
) -> dict[RankingRule, Floats]:
    """What each rule sees of a candidate; less is better."""
    is_abroad = (problem.orders.country[order] != problem.sites.country[site]).astype(np.float64)
    cost = problem.sites.handling[site].astype(np.float64)
    if problem.prices is not None:
        cost = cost + problem.prices.carriage(order, site, distance)
    # To the metre: the last digits of a distance differ between processors, a choice must not.
    far = np.where(np.isnan(distance), is_abroad, np.round(distance, 3))
    return {
        RankingRule.SAME_MARKET: is_abroad,
        RankingRule.LOWEST_COST: cost,
        RankingRule.NEAREST: far,
    }


def _distances(problem: Problem, order: Ints, site: Ints) -> Floats:
    """Great-circle distances in kilometres, as `rules.great_circle_km`."""
    orders, sites = problem.orders, problem.sites
    here, there = np.radians(sites.latitude[site]), np.radians(orders.latitude[order])
    turned = np.radians(orders.longitude[order] - sites.longitude[site])
    across = np.sin((there - here) / 2) ** 2
    across += np.cos(here) * np.cos(there) * np.sin(turned / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(1.0, across))), np.float64)
