"""Observed prices and units of products by weeks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Reals: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]
Marks: TypeAlias = npt.NDArray[np.bool_]

FILTER_WEEKS = 8
"""Weeks to each side over whose mean a slow series is taken as a deviation."""


@dataclass(frozen=True, slots=True)
class Panel:
    """What was seen of n products in t weeks.

    Attributes:
        price: mean price of the week, n by t; any value where nothing was seen.
        units: units sold, n by t.
        cost: cost of the week, n by t; constant where no shift is known.
        test: deviation of a price test, share of the price, 0 without one.
        promotion: share of the units sold at a discount.
        seen: weeks in which the product was on sale at a known price.
        category: n codes from 0.
    """

    price: Reals
    units: Reals
    cost: Reals
    test: Reals
    promotion: Reals
    seen: Marks
    category: Places

    def __len__(self) -> int:
        return len(self.category)

    def only(self, weeks: Marks) -> Panel:
        """The same with other weeks unseen."""
        return Panel(self.price, self.units, self.cost, self.test, self.promotion,
                     self.seen & weeks, self.category)  # fmt: skip


def centred(values: Reals, seen: Marks) -> Reals:
    """Deviations from each product's mean over the weeks seen, 0 elsewhere."""
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    mean = np.where(seen, values, 0.0).sum(axis=1, keepdims=True) / count
    centred: Reals = np.where(seen, values - mean, 0.0)
    return centred


def passing(values: Reals, seen: Marks, weeks: int = FILTER_WEEKS) -> Reals:
    """Deviations from the mean of the weeks around, 0 where nothing was seen.

    Costs wander slowly, and so does demand: over two years any two wandering series seem related.
    What a cost does within a few months is not.
    """
    sums = np.cumsum(np.where(seen, values, 0.0), axis=1)
    counts = np.cumsum(seen, axis=1)
    last = values.shape[1] - 1
    high = np.minimum(np.arange(values.shape[1]) + weeks, last)
    low = np.arange(values.shape[1]) - weeks - 1

    def within(total: npt.NDArray[np.generic]) -> Reals:
        before = np.where(low >= 0, total[:, np.maximum(low, 0)], 0)
        part: Reals = np.asarray(total[:, high] - before, dtype=float)
        return part

    mean = within(sums) / np.maximum(within(counts), 1)
    deviation: Reals = np.where(seen, values - mean, 0.0)
    return deviation
