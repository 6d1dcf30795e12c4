"""What stock is worth at cost: first in, first out, and by moving average.

Both begin with the same moves in their business order and keep `cost in = cost out + value`. FIFO
needs no order among the moves out: what is left belongs to the units that came last. The average
changes with every unit that comes and is taken by every unit that leaves; where the ledger lets
units leave before they come (moves dated back), they are costed as the last that came, and anew
when others come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class CostedMove:
    """A move in or out.

    Attributes:
        quantity: units, positive into the stock.
        unit_cost_minor: what a unit cost that came; of no meaning for units that leave.
    """

    quantity: int
    unit_cost_minor: int = 0


@dataclass(frozen=True, slots=True)
class Worth:
    """Units and money; `cost_in_minor = cost_out_minor + value_minor`."""

    units: int = 0
    cost_in_minor: int = 0
    cost_out_minor: int = 0
    value_minor: int = 0


def fifo(moves: Sequence[CostedMove]) -> Worth:
    """Worth of what is left when the oldest units leave first."""
    units = sum(move.quantity for move in moves)
    cost_in = sum(m.quantity * m.unit_cost_minor for m in moves if m.quantity > 0)
    left, value = units, 0
    for move in reversed([move for move in moves if move.quantity > 0]):
        kept = max(0, min(left, move.quantity))
        value += kept * move.unit_cost_minor
        left -= kept
    return Worth(units, cost_in, cost_in - value, value)


@dataclass(frozen=True, slots=True)
class _Average:
    worth: Worth = Worth()
    last_minor: int = 0


def moving_average(moves: Sequence[CostedMove]) -> Worth:
    """Worth of what is left when every unit that leaves costs the average of those there."""
    state = _Average()
    for move in moves:
        state = _come(state, move) if move.quantity > 0 else _leave(state, -move.quantity)
    return state.worth


def _come(state: _Average, move: CostedMove) -> _Average:
    had, cost = state.worth, move.quantity * move.unit_cost_minor
    units, value = had.units + move.quantity, had.value_minor + cost
    if had.units < 0:
        value = units * move.unit_cost_minor
    corrected = had.cost_out_minor + had.value_minor + cost - value
    worth = Worth(units, had.cost_in_minor + cost, corrected, value)
    return _Average(worth, move.unit_cost_minor)


def _leave(state: _Average, taken: int) -> _Average:
    had = state.worth
    if taken < had.units:
        # Half a minor unit is rounded up.
        cost = (2 * had.value_minor * taken + had.units) // (2 * had.units)
    else:
        known = had.value_minor if had.units > 0 else 0
        cost = known + (taken - max(0, had.units)) * state.last_minor
    worth = replace(
        had,
        units=had.units - taken,
        cost_out_minor=had.cost_out_minor + cost,
        value_minor=had.value_minor - cost,
    )
    return _Average(worth, state.last_minor)
