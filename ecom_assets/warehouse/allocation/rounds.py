"""Choosing the sites of all orders in a few rounds, each over whole arrays.

The outcome is that of serving the orders one after the other. In a round every open order proposes
to the best site that can ship it whole on what is left, unless a site of a better tier can ship a
part of it. A proposal stands if the cell's running
demand, in the order of deciding, fits the stock of the order's own moment. An order whose proposal
does not stand, or that has nothing to propose, is *in question*; it and every later order that
shares a SKU with it, directly or through others, must not be settled by this round's proposals.
All others are settled: whatever earlier orders could have taken from them is known. Of the orders
in question, those that wait for no earlier one share no SKU with each other, so they are decided at
once on exactly the stock that is theirs to choose from. The first open order is always settled, so
the rounds end.

Where stock is scarce, much waits; a round therefore looks at the first open orders only, at twice
as many as before if the last round settled most of them and at half as many if it did not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecom_assets.warehouse.allocation.arrays import Flags, Ints, ranges, running
from ecom_assets.warehouse.allocation.candidates import Candidates
from ecom_assets.warehouse.allocation.problem import Problem
from ecom_assets.warehouse.rules import NotCovered

_LEAST_WIDTH = 16
"""Fewer orders than this cost as much as so many."""


@dataclass(frozen=True)
class Shares:
    """Units of a demand that a cell gives, sorted by demand; a demand and a cell occur once."""

    demand: Ints
    cell: Ints
    quantity: Ints


def choose(problem: Problem, candidates: Candidates) -> Shares:
    """Choose the sites of every order.

    Raises:
        NotCovered: the stock of all sites is less than the demand.
    """
    rounds = _Rounds(problem, candidates)
    while len(rounds.open):
        rounds.play()
    demand, cell, quantity = rounds.shares
    sorting = np.lexsort((cell, demand))
    shares = Shares(demand[sorting], cell[sorting], quantity[sorting])
    given = np.bincount(demand, quantity, minlength=len(problem.demand.sku))
    if missing := np.count_nonzero(given != problem.demand.quantity):
        raise NotCovered(f"the sites cannot ship what is reserved for {missing} orders and SKUs")
    return shares


class _Rounds:
    """The state between rounds: open orders, their proposals, and what is taken."""

    def __init__(self, problem: Problem, candidates: Candidates) -> None:
        """Every order of the problem is open."""
        self.problem, self.candidates = problem, candidates
        order_count = len(problem.orders.due)
        self.open: Ints = np.arange(order_count)
        self.width = order_count
        self.proposal: Ints = np.full(order_count, -1)
        self.taken: Ints = np.zeros(len(problem.stock.free), np.int64)
        self._taken_parts: list[tuple[Ints, Ints, Ints]] = [(self.taken[:0],) * 3]
        self.demand_counts: Ints = np.bincount(problem.demand.order, minlength=order_count)
        self.demand_starts: Ints = np.cumsum(self.demand_counts) - self.demand_counts
        self._propose(self.open)

    @property
    def shares(self) -> tuple[Ints, Ints, Ints]:
        """Demand, cell and quantity of everything taken so far."""
        demand, cell, quantity = zip(*self._taken_parts, strict=True)
        return np.concatenate(demand), np.concatenate(cell), np.concatenate(quantity)

    def play(self) -> None:
        """Play one round."""
        front, rest = self.open[: self.width], self.open[self.width :]
        self._propose(self._stale(front))
        proposed = front[self.proposal[front] >= 0]
        rows = self.candidates.options(self.proposal[proposed])
        rows_order = self.problem.demand.order[self.candidates.option_demand[rows]]
        in_question = np.zeros(len(self.proposal), np.bool_)
        in_question[front] = self.proposal[front] < 0
        in_question[rows_order[~self._stands(rows)]] = True
        waits = self._waiting(front, in_question)
        settled = ~(in_question | waits)
        self._take_whole(rows[settled[rows_order]])
        self._decide(front[in_question[front] & ~waits[front]])
        waiting = front[waits[front]]
        self.open = np.concatenate([waiting, rest])
        is_smooth = len(waiting) < len(front) / 2
        # Twice and half, so a bad guess costs at most a few rounds and a good one soon pays.
        self.width = self.width * 2 if is_smooth else max(_LEAST_WIDTH, self.width // 2)

    def _left(self, options: Ints) -> Ints:
        """Units left to an order at its own moment, by option."""
        cell = self.candidates.option_cell[options]
        left: Ints = np.maximum(0, self.candidates.option_free[options] - self.taken[cell])
        return left

    def _fits(self, options: Ints) -> Flags:
        """Whether the option can ship its demand whole."""
        demanded = self.problem.demand.quantity[self.candidates.option_demand[options]]
        return self._left(options) >= demanded

    def _propose(self, orders: Ints) -> None:
        """Let orders propose to the first candidate that can ship every demand whole.

        An order whose better tier can ship some demand whole is left to be decided by itself.
        """
        found, covers = self._covers(orders)
        order, tier = self.candidates.order, self.candidates.tier
        able = found[covers == self.demand_counts[order[found]]]
        helpful = found[covers > 0]
        ordering, first = np.unique(order[able], return_index=True)
        helped, first_helpful = np.unique(order[helpful], return_index=True)
        # Who can ship all can ship some, so every order of the one list is in the other.
        best = helpful[first_helpful[np.searchsorted(helped, ordering)]]
        is_best = tier[able[first]] == tier[best]
        self.proposal[orders] = -1
        self.proposal[ordering[is_best]] = able[first][is_best]

    def _covers(self, orders: Ints) -> tuple[Ints, Ints]:
        """Candidates of the orders, and how many demands each can ship whole."""
        found = self.candidates.of_orders(orders)
        counts = self.candidates.counts[found]
        fits = self._fits(self.candidates.options(found))
        row = np.repeat(np.arange(len(found)), counts)
        return found, np.bincount(row[fits], minlength=len(found))

    def _stale(self, orders: Ints) -> Ints:
        """Those of the orders whose proposal can no longer ship them whole.

        An order that had nothing to propose is left out: it is decided by itself.
        """
        held = orders[self.proposal[orders] >= 0]
        proposed = self.proposal[held]
        row = np.repeat(np.arange(len(held)), self.candidates.counts[proposed])
        fits = self._fits(self.candidates.options(proposed))
        return np.unique(held[row[~fits]])

    def _stands(self, rows: Ints) -> Flags:
        """Whether the running demand of a row's cell up to its order fits the cell's stock."""
        cell = self.candidates.option_cell[rows]
        by_cell = np.argsort(cell, kind="stable")
        quantity = self.problem.demand.quantity[self.candidates.option_demand[rows]]
        stands = np.empty(len(rows), np.bool_)
        wanted = running(quantity[by_cell], cell[by_cell])
        stands[by_cell] = wanted <= self._left(rows)[by_cell]
        return stands

    def _waiting(self, front: Ints, in_question: Flags) -> Flags:
        """Orders of the front that share a SKU with an earlier one in question or waiting."""
        rows = ranges(self.demand_starts[front], self.demand_counts[front])
        order, sku = self.problem.demand.order[rows], self.problem.demand.sku[rows]
        waits = np.zeros_like(in_question)
        while True:
            unsettled = (in_question | waits)[order]
            first = np.full(int(sku.max(initial=0)) + 1, len(in_question))
            np.minimum.at(first, sku[unsettled], order[unsettled])
            more = order[(first[sku] < order) & ~waits[order]]
            if not len(more):
                return waits
            waits[more] = True

    def _take(self, demand: Ints, cell: Ints, quantity: Ints) -> None:
        self._taken_parts.append((demand, cell, quantity))
        # add.at, since a cell may occur more than once and plain indexing would count it once.
        np.add.at(self.taken, cell, quantity)

    def _take_whole(self, options: Ints) -> None:
        demand = self.candidates.option_demand[options]
        self._take(
            demand, self.candidates.option_cell[options], self.problem.demand.quantity[demand]
        )

    def _decide(self, orders: Ints) -> None:
        """Serve orders that share no SKU with each other, on what is left."""
        found, covers = self._covers(orders)
        options = self.candidates.options(found)
        demand = self.candidates.option_demand[options]
        cover = np.repeat(covers, self.candidates.counts[found])
        # Options are sorted by candidate already, that is by rank.
        ranked = np.lexsort(
            (-cover, self.candidates.tier[self.candidates.option_candidate[options]], demand)
        )
        options, demand = options[ranked], demand[ranked]
        now = self._units_now(options, demand)
        later = self._units_later(options, demand, now)
        used = now + later > 0
        self._take(demand[used], self.candidates.option_cell[options][used], (now + later)[used])

    def _units_now(self, options: Ints, demand: Ints) -> Ints:
        """Units by option: all from the first that has all, else what each has, in turn."""
        wanted, left = self.problem.demand.quantity[demand], self._left(options)
        whole = np.flatnonzero(left >= wanted)
        served, first = np.unique(demand[whole], return_index=True)
        offered = np.where(np.isin(demand, served), 0, left)
        offered[whole[first]] = wanted[whole[first]]
        return _in_turn(offered, wanted, demand)

    def _units_later(self, options: Ints, demand: Ints, now: Ints) -> Ints:
        """Units by option that are still missing, from the cell that gets its next unit first."""
        given = np.bincount(demand, now, minlength=len(self.problem.demand.sku)).astype(np.int64)
        missing = self.problem.demand.quantity[demand] - given[demand]
        cell = self.candidates.option_cell[options]
        level = self.taken[cell] + now
        spare = np.where(missing > 0, self.problem.stock.free[cell] - level, 0)
        due = self.problem.orders.due[self.problem.demand.order[demand]]
        moment = self.problem.stock.there_at(cell, level + 1, due)
        sorting = np.lexsort((moment, demand))
        later = np.empty_like(now)
        later[sorting] = _in_turn(spare[sorting], missing[sorting], demand[sorting])
        return later


def _in_turn(offered: Ints, wanted: Ints, demand: Ints) -> Ints:
    """What each row gives if rows of a demand give all they have until it is served."""
    before = running(offered, demand) - offered
    return np.clip(wanted - before, 0, offered)
