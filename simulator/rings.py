"""Fraud with known truth: rings that share devices, cards and drop addresses and strike in bursts.

A ring opens accounts shortly before, then places its orders within a few days. The plan of all
rings is small (about one order in ninety belongs to one) and is made before the first order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.draws import Draws, Ints
from simulator.spec import ShopSpec

_SHARE, _MEAN_SIZE = 0.0125, 7.0
_SMALLEST, _SIZES = 3, 9

TAKEOVER = 0.0042
"""Chance that any other order is placed by someone who stole the account."""


@dataclass(frozen=True, slots=True)
class Rings:
    """The plan of the fraud rings.

    Attributes:
        order: orders that belong to rings, ascending and all different.
        ring: the ring of each of these orders.
        member: which account of the ring places it, from 0.
        first_account: per ring, the number of its first account among all rings'.
        opening: per ring, the number of its first order.
        accounts: accounts of all rings.
    """

    order: Ints
    ring: Ints
    member: Ints
    first_account: Ints
    opening: Ints
    accounts: int

    @classmethod
    def plan(cls, spec: ShopSpec, draws: Draws) -> Rings:
        """Plan the rings of a shop; a shop of very few orders has a single one."""
        rings = np.arange(max(1, round(spec.orders * _SHARE / _MEAN_SIZE)))
        size = _SMALLEST + draws.below("ring/size", rings, _SIZES)
        start = (draws.uniform("ring/start", rings) * 0.97 * spec.orders).astype(np.int64)
        # A burst takes up to two days, but never all orders of its time.
        width = np.maximum(2 * spec.orders // spec.days, 6 * size)
        owner = np.repeat(rings, size)
        each = np.arange(len(owner))
        order = start[owner] + draws.below("ring/moment", each, width[owner])
        order = np.minimum(order, spec.orders - 1)
        turn = np.argsort(order, kind="stable")
        # Where two rings meet in one order, the first of them has it.
        kept = turn[np.diff(order[turn], prepend=-1) > 0]
        ring = owner[kept]
        members = (size + 1) // 2
        return cls(
            order=order[kept],
            ring=ring,
            member=draws.below("ring/member", kept, members[ring]),
            first_account=np.cumsum(members) - members,
            opening=np.minimum(start, spec.orders - 1),
            accounts=int(members.sum()),
        )

    def at(self, order: Ints) -> Ints:
        """Position in this plan of each order, -1 for orders that belong to no ring."""
        place = np.minimum(np.searchsorted(self.order, order), len(self.order) - 1)
        return np.where(self.order[place] == order, place, -1)

    def ring_of_account(self, account: Ints) -> Ints:
        """The ring that opened an account; ring 0 for numbers below zero, which are no account."""
        found = np.searchsorted(self.first_account, account, side="right") - 1
        return np.maximum(found, 0)

    def first_order(self, account: Ints) -> Ints:
        """Number of the order a ring starts with, by account."""
        return self.opening[self.ring_of_account(account)]
