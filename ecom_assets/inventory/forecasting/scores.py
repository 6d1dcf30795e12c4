"""How good forecasts are: scaled errors, pinball loss, bias and coverage.

- RMSSE: root mean squared error over the root mean squared week-to-week change known at the
  origin; MASE the same with absolute values (Hyndman and Koehler, 2006; the M5 competition).
- Pinball loss: the quantile loss, in units of the same change.
- Coverage: of a count, a value q is a p-quantile if at most p lie below it and at least p not above
  it. So two shares are told, `below` and `covered`, and the miss is how far p lies outside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecom_assets.inventory.forecasting.panel import Floats, Panel

LEAST_CHANGE = 0.1
"""Week-to-week change in units that errors are scaled by at least."""

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)
"""The quantiles that forecasts are made for."""


def scale_of(panel: Panel) -> Floats:
    """Root mean squared change from week to week within each series' life, (series,)."""
    return np.sqrt(_mean_change(panel, 2))


def absolute_scale_of(panel: Panel) -> Floats:
    """Mean absolute change from week to week within each series' life, (series,)."""
    return _mean_change(panel, 1)


def _mean_change(panel: Panel, power: int) -> Floats:
    if panel.weeks < 2:
        return np.ones(panel.series)
    change = np.abs(np.diff(panel.sold, axis=1)) ** power
    lived = panel.lived()[:, :-1]
    mean = np.where(lived, change, 0).sum(axis=1) / np.maximum(lived.sum(axis=1), 1)
    # A series that never changed has no change to measure by: its level is used.
    level = np.maximum(panel.sold.mean(axis=1), LEAST_CHANGE) ** power
    floored: Floats = np.where(mean > 0, np.maximum(mean, LEAST_CHANGE**power), level)
    return floored


@dataclass(frozen=True, slots=True)
class Points:
    """Errors of point forecasts per series, (series,) each.

    Attributes:
        rmsse: root mean squared scaled error.
        mase: mean absolute scaled error.
        bias: mean of forecast less truth, in units.
        demand: mean of the truth, in units.
    """

    rmsse: Floats
    mase: Floats
    bias: Floats
    demand: Floats


def points(known: Panel, truth: Floats, forecast: Floats) -> Points:
    """Measure point forecasts made at the end of `known` for the weeks of `truth`."""
    miss = forecast - truth
    return Points(
        rmsse=np.sqrt((miss**2).mean(axis=1)) / scale_of(known),
        mase=np.abs(miss).mean(axis=1) / absolute_scale_of(known),
        bias=miss.mean(axis=1),
        demand=truth.mean(axis=1),
    )


def weighted(values: Floats, weights: Floats) -> float:
    """Mean with weights; the plain mean where all weights are 0."""
    total = float(weights.sum())
    return float((values * weights).sum() / total) if total > 0 else float(values.mean())


def pinball(truth: Floats, quantiles: Floats, levels: Sequence[float], scale: Floats) -> Floats:
    """Mean pinball loss over levels and weeks, scaled, (series,).

    Args:
        truth: (series, weeks).
        quantiles: (series, weeks, levels).
        levels: their nominal levels.
        scale: (series,).
    """
    miss = truth[:, :, None] - quantiles
    level = np.asarray(levels)
    loss = np.maximum(level * miss, (level - 1) * miss)
    scaled: Floats = loss.mean(axis=(1, 2)) / scale
    return scaled


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the truth lay under a quantile.

    Attributes:
        level: what it should be.
        below: share of truths below the quantile.
        covered: share of truths not above it.
    """

    level: float
    below: float
    covered: float

    @property
    def miss(self) -> float:
        """How far the level lies outside of what was seen, 0 if within."""
        return max(self.below - self.level, self.level - self.covered, 0.0)


def coverage(truth: Floats, quantiles: Floats, levels: Sequence[float]) -> list[Coverage]:
    """Coverage of each level over all series and weeks; shapes as for `pinball`."""
    return [
        Coverage(
            level,
            float((truth < quantiles[:, :, place]).mean()),
            float((truth <= quantiles[:, :, place]).mean()),
        )
        for place, level in enumerate(levels)
    ]
