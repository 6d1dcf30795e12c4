"""The panel: weekly demand of many series over the same weeks, with what is known about each.

A week without stock does not show its demand. Of a Poisson stream that is seen for a part of the
week, the unseen part is independent of the seen one; so the expected demand of the whole week is
what was seen plus the rate times the share that was not, and the rate is units over exposure (the
maximum-likelihood estimate under a known exposure; Cox and Lewis, The Statistical Analysis of
Series of Events, 1966, chapter 2). `uncensored` does just that, with a rate that forgets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FORGETTING = 0.1
"""Weight of the newest week in the rate that fills weeks without stock."""

LEAST_KIN = 8
"""Series that must share a word of their names before the word says anything about them."""

MOST_KIN = 6
"""Groups of kin looked at per series, the smallest first: they say most."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Weekly figures of series, oldest week first.

    Attributes:
        sold: units asked for and seen, (series, weeks).
        out: share of each week without stock, 0 to 1, (series, weeks).
        orders: order lines behind the units, (series, weeks).
        revenue: what the units brought, in any one currency, (series, weeks).
        first: index of the week in which each series began, (series,).
        kin: groups each series belongs to, -1 where there are fewer, (series, at most `MOST_KIN`).
    """

    sold: Floats
    out: Floats
    orders: Floats
    revenue: Floats
    first: Ints
    kin: Ints

    @property
    def series(self) -> int:
        """How many series."""
        return int(self.sold.shape[0])

    @property
    def weeks(self) -> int:
        """How many weeks."""
        return int(self.sold.shape[1])

    def until(self, week: int) -> Panel:
        """What was known at the beginning of a week: all weeks before it."""
        return Panel(
            sold=self.sold[:, :week],
            out=self.out[:, :week],
            orders=self.orders[:, :week],
            revenue=self.revenue[:, :week],
            first=np.minimum(self.first, week),
            kin=self.kin,
        )

    def only(self, chosen: Flags | Ints) -> Panel:
        """The chosen series."""
        return Panel(
            sold=self.sold[chosen],
            out=self.out[chosen],
            orders=self.orders[chosen],
            revenue=self.revenue[chosen],
            first=self.first[chosen],
            kin=self.kin[chosen],
        )

    def with_demand(self) -> Panel:
        """The same with what stock-outs hid filled in, as if there had been stock throughout."""
        return replace(self, sold=uncensored(self), out=np.zeros_like(self.out))

    def lived(self) -> Flags:
        """Which weeks belong to each series' life, (series, weeks)."""
        return np.arange(self.weeks)[None, :] >= self.first[:, None]


def of_units(sold: Floats, out: Floats | None = None, first: Ints | None = None) -> Panel:
    """A panel of units alone: one order per week with demand, a price of 1, no kin."""
    began = np.argmax(sold > 0, axis=1) if first is None else first
    return Panel(
        sold=sold,
        out=np.zeros_like(sold) if out is None else out,
        orders=(sold > 0).astype(np.float64),
        revenue=sold.copy(),
        first=began.astype(np.int64),
        kin=np.full((len(sold), 1), -1, dtype=np.int64),
    )


def uncensored(panel: Panel) -> Floats:
    """Demand of every week: what was seen, plus the rate times the share of the week unseen.

    The rate of a week is made of the weeks before it and of its own seen part, so nothing later
    is used. A series that was never seen with stock stays as it is.
    """
    demand = panel.sold.copy()
    units, exposure = np.zeros(panel.series), np.zeros(panel.series)
    lived = panel.lived()
    for week in range(panel.weeks):
        seen = np.where(lived[:, week], 1 - panel.out[:, week], 0.0)
        units = (1 - FORGETTING) * units + panel.sold[:, week] * lived[:, week]
        exposure = (1 - FORGETTING) * exposure + seen
        # Demand seen within no time at all would be an infinite rate; half a day is the least.
        rate = units / np.maximum(exposure, 1 / 14)
        hidden = np.where(exposure > 0, panel.out[:, week] * rate, 0.0)
        demand[:, week] += np.where(lived[:, week], hidden, 0.0)
    return demand


def kin_of(names: list[str], least: int = LEAST_KIN, most: int = MOST_KIN) -> Ints:
    """Groups of series whose names share a word, such as CHRISTMAS.

    Args:
        names: one name per series, with its category in front if it has one.
        least: series a word must be shared by.
        most: groups kept per series, the smallest first.

    Returns:
        Group numbers from 0, -1 where a series has fewer groups, (series, most).
    """
    words = [sorted({word for word in name.upper().split() if len(word) > 2}) for name in names]
    shared: dict[str, int] = {}
    for found in words:
        for word in found:
            shared[word] = shared.get(word, 0) + 1
    # A word of more than half of all names is the shop's own and tells nobody apart.
    kept = {word: count for word, count in shared.items() if least <= count <= len(names) / 2}
    numbers = {word: number for number, word in enumerate(sorted(kept))}
    kin = np.full((len(names), most), -1, dtype=np.int64)
    for row, found in enumerate(words):
        ranked = sorted((word for word in found if word in kept), key=lambda word: kept[word])
        for place, word in enumerate(ranked[:most]):
            kin[row, place] = numbers[word]
    return kin
