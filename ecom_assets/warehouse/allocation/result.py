"""The rows an allocation leaves behind: what each site ships of each line, and what was considered.

Both follow from the chosen shares alone: the units earlier orders took from a cell are the running
sum of its shares in the order of deciding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecom_assets.warehouse.allocation.arrays import Floats, Ints, Texts, running
from ecom_assets.warehouse.allocation.candidates import Candidates, find_candidates
from ecom_assets.warehouse.allocation.prices import Prices
from ecom_assets.warehouse.allocation.problem import Demand, Orders, Problem, Sites, Stock
from ecom_assets.warehouse.allocation.rounds import Shares, choose
from ecom_assets.warehouse.rules import ROUTING, Policy, Routing

BEST_RANKED = 5
"""Candidates per order that the ledger keeps beside the chosen ones."""


@dataclass(frozen=True)
class Lines:
    """Reserved units per order line, sorted by order and SKU."""

    order: Ints
    sku: Ints
    quantity: Ints

    def demand(self) -> Demand:
        """The lines with those of one order and SKU added up."""
        span = int(self.sku.max(initial=0)) + 1
        keys, demand = np.unique(self.order * span + self.sku, return_inverse=True)
        quantity = np.bincount(demand, self.quantity, minlength=len(keys)).astype(np.int64)
        return Demand(keys // span, keys % span, quantity)


@dataclass(frozen=True)
class Allocations:
    """What a site ships of a line, one row each.

    Attributes:
        line: line.
        site: site that ships.
        quantity: units.
        distance: kilometres to the customer, NaN where unknown.
        policy: how the order was divided.
        available: when the units are there, microseconds.
    """

    line: Ints
    site: Ints
    quantity: Ints
    distance: Floats
    policy: Texts
    available: Ints


@dataclass(frozen=True)
class Considered:
    """Candidates worth telling: the best ranked and the chosen ones of each order.

    Attributes:
        order: order.
        site: site.
        distance: kilometres to the customer, NaN where unknown.
        cost: handling and carriage the ranking reckoned with, minor units; may be infinite.
        covers: how many of the order's SKUs the site could have shipped whole.
    """

    order: Ints
    site: Ints
    distance: Floats
    cost: Floats
    covers: Ints


@dataclass(frozen=True)
class Allocation:
    """A problem, its candidates and the shares that were chosen."""

    problem: Problem
    candidates: Candidates
    shares: Shares

    @cached_property
    def _order(self) -> Ints:
        return self.problem.demand.order[self.shares.demand]

    @cached_property
    def _candidate(self) -> Ints:
        """Candidate of each share."""
        site_count = len(self.problem.sites.handling)
        keys = self.candidates.order * site_count + self.candidates.site
        by_key = np.argsort(keys)
        wanted = self._order * site_count + self.problem.stock.site[self.shares.cell]
        return by_key[np.searchsorted(keys[by_key], wanted)]

    @cached_property
    def _by_cell(self) -> Ints:
        return np.lexsort((self._order, self.shares.cell))

    def rows(self, lines: Lines) -> Allocations:
        """Hand the shares of each demand to its lines, first to first.

        Laid end to end, lines and shares cover the same units; where either ends, a row ends.
        """
        line_ends, share_ends = np.cumsum(lines.quantity), np.cumsum(self.shares.quantity)
        ends = np.union1d(line_ends, share_ends)
        line, share = np.searchsorted(line_ends, ends), np.searchsorted(share_ends, ends)
        return Allocations(
            line=line,
            site=self.problem.stock.site[self.shares.cell[share]],
            quantity=np.diff(ends, prepend=0),
            distance=self.candidates.distance[self._candidate[share]],
            policy=self._policies()[share],
            available=self._available()[share],
        )

    def considered(self) -> Considered:
        """The best ranked and the chosen candidates with what each could ship at its turn."""
        order = self.candidates.order
        place = np.arange(len(order)) - np.searchsorted(order, order)
        is_told = place < BEST_RANKED
        is_told[self._candidate] = True
        told = np.flatnonzero(is_told)
        return Considered(
            order[told], self.candidates.site[told], self.candidates.distance[told],
            self.candidates.cost[told], self._covers()[told],
        )  # fmt: skip

    def _policies(self) -> Texts:
        """How the order of each share was divided."""
        parcels = np.unique(self._candidate)
        parcel_count = np.bincount(self.candidates.order[parcels])[self._order]
        share_count = np.bincount(self.shares.demand)[self.shares.demand]
        split = np.where(share_count > 1, Policy.SPLIT_LINE.value, Policy.SPLIT_BY_LINE.value)
        return np.where(parcel_count == 1, Policy.SINGLE_SITE.value, split)

    def _available(self) -> Ints:
        """When the units of each share are there: the order's moment unless it waits for stock."""
        cell = self.shares.cell[self._by_cell]
        level = np.empty_like(cell)
        level[self._by_cell] = running(self.shares.quantity[self._by_cell], cell)
        due = self.problem.orders.due[self._order]
        return self.problem.stock.there_at(self.shares.cell, level, due)

    def _covers(self) -> Ints:
        """How many of its order's SKUs each candidate could have shipped whole, at its turn."""
        span = len(self.problem.orders.due)
        option = self.candidates
        demand = self.problem.demand
        taken_keys = (self.shares.cell * span + self._order)[self._by_cell]
        taken = np.append(0, np.cumsum(self.shares.quantity[self._by_cell]))
        first = np.searchsorted(taken_keys, option.option_cell * span)
        turn = np.searchsorted(
            taken_keys, option.option_cell * span + demand.order[option.option_demand]
        )
        left = option.option_free - (taken[turn] - taken[first])
        fits = left >= demand.quantity[option.option_demand]
        return np.bincount(option.option_candidate[fits], minlength=len(option.order))


def allocate(
    orders: Orders,
    sites: Sites,
    lines: Lines,
    stock: Stock,
    routing: Routing = ROUTING,
    prices: Prices | None = None,
) -> Allocation:
    """Choose the sites that ship the lines of many orders.

    Raises:
        NotCovered: the stock of all sites is less than the lines ask for.
    """
    problem = Problem(orders, sites, lines.demand(), stock, routing, prices)
    candidates = find_candidates(problem)
    return Allocation(problem, candidates, choose(problem, candidates))
