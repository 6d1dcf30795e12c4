"""The best prices week by week until the end of a season, by backward induction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Reals: TypeAlias = npt.NDArray[np.float64]

STEPS = np.arange(1.0, 0.39, -0.05)
"""Prices to choose from, as shares of the full price."""

LADDER = (0.8, 0.6, 0.5)
"""The fixed ladder to beat: 20, 40 and 50 percent off, each for a third of the time."""

MOST_WIDTH = 1.6
"""Widest 95% interval of an elasticity with which a plan may be carried out by itself. Beyond it a
plan is as likely to lose against the ladder as to win (bench.markdown)."""

_NODES = (-1.73, 0.0, 1.73)
_NODE_WEIGHTS = (1 / 6, 2 / 3, 1 / 6)
"""Gauss-Hermite points: the plan must be good for whatever the elasticity may be."""

_MOST_CELLS = 80
"""Stocks above so many units are reckoned in lots."""


@dataclass(frozen=True, slots=True)
class Clearance:
    """A stock to be cleared.

    Attributes:
        stock: units.
        weeks: weeks until the end.
        full_minor: full price.
        weekly_units: units expected in a week at the full price.
        elasticity: estimate.
        error: its standard error.
        salvage_minor: what a unit left at the end is worth.
    """

    stock: int
    weeks: int
    full_minor: int
    weekly_units: float
    elasticity: float
    error: float
    salvage_minor: int = 0

    @property
    def width(self) -> float:
        """Width of the 95% interval of the elasticity."""
        return 2 * 1.96 * self.error


@dataclass(frozen=True, slots=True)
class Policy:
    """What to ask in a week with so much left and a price that may not rise.

    Attributes:
        choice: weeks by prices so far by lots left; places in `STEPS`.
        lot: units of a lot.
        expected_minor: expected takings from the whole stock at the full price.
    """

    choice: npt.NDArray[np.int64]
    lot: float
    expected_minor: float

    def step(self, week: int, left: float, so_far: int = 0) -> int:
        """The place in `STEPS` of the price to ask."""
        lots = min(round(left / self.lot), self.choice.shape[2] - 1)
        return int(self.choice[week, so_far, lots])

    def path(self, task: Clearance) -> list[int]:
        """Prices by week if every week sells what is expected."""
        left, so_far, prices = float(task.stock), 0, []
        for week in range(task.weeks):
            so_far = self.step(week, left, so_far)
            prices.append(round(task.full_minor * float(STEPS[so_far])))
            sold = task.weekly_units * float(STEPS[so_far]) ** task.elasticity
            left = max(left - sold, 0.0)
        return prices


def plan_clearance(task: Clearance) -> Policy:
    """The policy of most expected takings."""
    cells = min(task.stock, _MOST_CELLS)
    lot = task.stock / cells if cells else 1.0
    chances = _chances(task, cells, lot)
    left = np.arange(cells + 1)
    value = np.tile(left * lot * task.salvage_minor, (len(STEPS), 1))
    choice = np.zeros((task.weeks, len(STEPS), cells + 1), dtype=np.int64)
    sold = np.maximum(left[:, None] - left[None, :], 0) * lot
    for week in range(task.weeks - 1, -1, -1):
        # By price: takings of the week, and of all weeks after it at that price or less.
        worth = np.stack([
            chances[k] @ value[k] + task.full_minor * STEPS[k] * (chances[k] * sold).sum(axis=1)
            for k in range(len(STEPS))
        ])  # fmt: skip
        # The best of the prices from k on, for each k: looked at from the lowest price up.
        best, which = worth[-1].copy(), np.full(cells + 1, len(STEPS) - 1)
        for k in range(len(STEPS) - 1, -1, -1):
            better = worth[k] >= best
            best, which = np.where(better, worth[k], best), np.where(better, k, which)
            value[k], choice[week, k] = best, which
    return Policy(choice, lot, float(value[0, cells]))


def _chances(task: Clearance, cells: int, lot: float) -> Reals:
    """By price: chances of going from so many lots to so many, the mean over elasticities."""
    from scipy.stats import poisson

    left = np.arange(cells + 1)
    chances = np.zeros((len(STEPS), cells + 1, cells + 1))
    lots = np.arange(cells + 1)
    for node, weight in zip(_NODES, _NODE_WEIGHTS, strict=True):
        elasticity = min(task.elasticity + node * task.error, 0.0)
        for k, share in enumerate(STEPS):
            mean = max(task.weekly_units * share**elasticity, 1e-9)
            # The chance to sell so many lots: units from half a lot below to half a lot above.
            reached = poisson.cdf(np.ceil((lots + 0.5) * lot) - 1, mean)
            exact = np.diff(reached, prepend=0.0)
            for start in left:
                row = np.zeros(cells + 1)
                row[start - lots[:start]] = exact[:start]
                row[0] = 1 - exact[:start].sum()
                chances[k, start] += weight * row
    return chances


def ladder_step(week: int, weeks: int) -> float:
    """The share of the full price the fixed ladder asks in a week."""
    return LADDER[min(week * len(LADDER) // weeks, len(LADDER) - 1)]


def ladder_takings(task: Clearance) -> float:
    """What the fixed ladder is expected to take, with demand as it is expected."""
    left, takings = float(task.stock), 0.0
    for week in range(task.weeks):
        share = ladder_step(week, task.weeks)
        sold = min(task.weekly_units * share**task.elasticity, left)
        takings += sold * share * task.full_minor
        left -= sold
    return takings + left * task.salvage_minor


def is_automated(task: Clearance, is_usable: bool) -> tuple[bool, tuple[str, ...]]:
    """Whether a plan may be carried out without a person, and why not.

    Args:
        task: the stock to be cleared.
        is_usable: whether the elasticity rests on tests or cost shifts, not on mere association.
    """
    reasons = []
    if not is_usable:
        reasons.append("elasticity_is_an_association")
    if task.width > MOST_WIDTH:
        reasons.append("interval_too_wide")
    if task.elasticity >= -0.2:
        reasons.append("demand_does_not_answer")
    return not reasons, tuple(reasons)
