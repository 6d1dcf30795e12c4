"""What is wrong with a few of the rows, as it is in the files of real shops; the truth is known.

An order has at most one fault. A repeated or revised order comes again up to 200 rows later, as it
does when a channel sends a message twice.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from simulator.draws import Flags, Ints
from simulator.world import World


class Fault(IntEnum):
    """Faults of an order, its lines or its rows; the name in lower case stands in the manifest."""

    NONE = 0
    DUPLICATE_ORDER = 1
    REVISED_ORDER = 2
    DUPLICATE_LINE = 3
    UNKNOWN_SKU = 4
    MISSING_COUNTRY = 5
    WITHOUT_LINES = 6
    NEGATIVE_QUANTITY = 7
    TOTAL_DIFFERS = 8
    UNKNOWN_CURRENCY = 9
    BAD_TIMESTAMP = 10
    WRONG_FIELD_COUNT = 11
    NOT_UTF8 = 12


SHARE = 0.0007
"""Share of the orders that have each fault."""

UNUSABLE = (Fault.BAD_TIMESTAMP, Fault.WRONG_FIELD_COUNT, Fault.NOT_UTF8)
"""Faults after which the order cannot be read at all, so that all it refers to is parked too."""

LATEST = 200
"""Orders after which a repeated or revised order has come again at the latest."""

PARKED_BY_THE_INBOX = {
    Fault.UNKNOWN_SKU: "unknown_sku",
    Fault.MISSING_COUNTRY: "missing_address",
    Fault.WITHOUT_LINES: "order_without_lines",
    Fault.NEGATIVE_QUANTITY: "bad_line",
    Fault.TOTAL_DIFFERS: "total_differs_from_lines",
    Fault.UNKNOWN_CURRENCY: "unknown_currency",
}
"""Faults that only the business rules see, with the reason they give."""


def faults(world: World, order: Ints) -> Ints:
    """The fault of each order, see `Fault`."""
    drawn = world.draws.uniform("mess/fault", order) / SHARE
    return np.where(drawn < len(Fault) - 1, drawn.astype(np.int64) + 1, Fault.NONE)


def is_unusable(fault: Ints) -> Flags:
    """Whether the order row cannot be read."""
    return np.isin(fault, UNUSABLE)


def coming_again(world: World, start: int, stop: int) -> tuple[Ints, Ints]:
    """Orders whose second row comes behind an order from `start` to before `stop`.

    Returns:
        The numbers of the orders, and those of the orders behind which they come.
    """
    order = np.arange(max(0, start - LATEST), stop)
    order = order[np.isin(faults(world, order), (Fault.DUPLICATE_ORDER, Fault.REVISED_ORDER))]
    behind = order + world.draws.below("mess/behind", order, LATEST)
    behind = np.minimum(behind, world.spec.orders - 1)
    here = (behind >= start) & (behind < stop)
    return order[here], behind[here]
