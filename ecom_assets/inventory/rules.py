"""The rule that promises stock to order lines, one SKU at a time.

An order may use only stock that was there at its own moment, and never stock that a later
write-down takes away again. `reserve_in_turn` is the plain form; `inventory.store` computes the
same in SQL with window functions, and a test holds both equal.

The closed form. For one SKU let S(u) be the units moved in or out (sales apart) up to moment u. An
order of moment t may use what stays for good, S'(t) = min of S(u) over u >= t, which never falls
as t grows. With R0 units promised before, F(t) = max(0, S'(t) - R0) is free to the lines at hand.
Serving lines in turn, each as far as what is left allows, is a queue's "lost sales" process: with
D(i) the units asked for by the first i lines, the units lost among them are

    L(i) = max(0, D(1) - F(t1), ..., D(i) - F(ti))

and line i gets its quantity less L(i) - L(i-1). (This is the reflection map of queueing theory;
see Harrison, Brownian Motion and Stochastic Flow Systems, 1985, chapter 2.) Two running sums and
one running maximum thus serve a whole chunk, and a chunk served in two parts gets the same.

F(t) needs no history: what is on hand and not promised now, less the most that came later on
balance. With M(t) the largest sum of moves over any stretch from a moment after t until now,
F(t) = max(0, on hand - reserved - max(0, M(t))).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

KIND = "reservation"
"""Kind of the rules as data."""

RESERVATION_VERSION = "reservation-1"
"""Label of the first version, whose settings are `POLICY`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a shop decides about its promises.

    Attributes:
        promise_stands: how long stock stays promised to an order that no site was chosen for, from
            the moment of the promise; `None` means for ever.
    """

    promise_stands: timedelta | None = None

    def __post_init__(self) -> None:
        """Refuse a promise that ends before anybody could keep it.

        Raises:
            ValueError: the message starts with the name of the field.
        """
        if self.promise_stands is not None and self.promise_stands <= timedelta(0):
            raise ValueError("promise_stands must be longer than nothing")


POLICY = Policy()
"""A promise to an accepted order stands for ever, unless the shop says otherwise."""


class Outcome(StrEnum):
    """How far the stock covers an order; also the fulfilment state it moves to."""

    RESERVED = "reserved"
    PARTLY_RESERVED = "partly_reserved"
    BACKORDERED = "backordered"


@dataclass(frozen=True, slots=True)
class StockMove:
    """A move of one SKU that is not a sale.

    Attributes:
        moved_at: business moment.
        quantity: units, positive into the stock.
    """

    moved_at: datetime
    quantity: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A line that asks for one SKU.

    Attributes:
        as_of: the order's own moment.
        quantity: units.
    """

    as_of: datetime
    quantity: int


def stays_for_good(moves: Iterable[StockMove], as_of: datetime) -> int:
    """Units that are there at `as_of` and that no later move takes away, S'(t)."""
    ordered = sorted(moves, key=lambda move: move.moved_at)
    levels = [sum(m.quantity for m in ordered if m.moved_at <= as_of)]
    for later in sorted({m.moved_at for m in ordered if m.moved_at > as_of}):
        levels.append(sum(m.quantity for m in ordered if m.moved_at <= later))
    return min(levels)


def reserve_in_turn(asks: Sequence[Ask], moves: Sequence[StockMove], promised: int) -> list[int]:
    """Promise stock of one SKU to lines, in their order.

    Args:
        asks: lines, in the order of deciding.
        moves: every move of the SKU that is not a sale.
        promised: units promised before, shipped or not.

    Returns:
        Units promised to each line.
    """
    given = []
    for ask in asks:
        units = max(0, min(ask.quantity, stays_for_good(moves, ask.as_of) - promised))
        promised += units
        given.append(units)
    return given


def outcome(requested: int, reserved: int) -> Outcome:
    """How far `reserved` of `requested` units cover an order."""
    if reserved == requested:
        return Outcome.RESERVED
    return Outcome.PARTLY_RESERVED if reserved else Outcome.BACKORDERED


@dataclass(frozen=True, slots=True)
class Promise:
    """What a line was promised.

    Attributes:
        requested: units the line asks for.
        reserved: units promised, shipped ones included.
        shipped: units that left, or that a parcel under way will take.
        expires_at: when the promise ends if no site was chosen by then; never if `None`.
    """

    requested: int
    reserved: int
    shipped: int
    expires_at: datetime | None


def release(promise: Promise) -> Promise | None:
    """What is left of a promise whose order was changed: what was shipped, or nothing."""
    kept = promise.shipped
    return Promise(kept, kept, kept, None) if kept else None


def expire(promise: Promise, as_of: datetime) -> Promise:
    """What is left of a promise of an order without a site, at `as_of`.

    What ran out waits for stock again; what stands, or never ends, stays as it is.
    """
    if promise.expires_at is None or promise.expires_at > as_of:
        return promise
    return Promise(promise.requested, promise.shipped, promise.shipped, None)
