"""Intervals that were right lately: quantiles of recent errors, scaled to each series.

Normalised split-conformal prediction (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman,
"Distribution-free predictive inference for regression", 2018, section 5.2): a forecast's error is
divided by the error that was to be expected, and the quantiles of these ratios over forecasts of
the last weeks, each made before its truth was known, are what the next forecast's quantiles are
made of. Ratios are kept apart by the size of the forecast, since what sells one unit a month errs
in another shape than what sells a hundred, and by how many weeks are summed, since errors of one
series go together.

The same errors tell the level: a forecast that is made to miss by little runs below the mean where
demand is lumpy, and purchases need the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecom_assets.inventory.forecasting.panel import Floats

LEVELS: Floats = np.concatenate(
    [[0.005, 0.01, 0.02], np.linspace(0.05, 0.95, 37), [0.96, 0.97, 0.975, 0.98, 0.985, 0.99],
     [0.995, 0.998]]
)  # fmt: skip
"""Levels at which the ratios' quantiles are kept; those between are interpolated."""

MOST_BINS = 8
LEAST_IN_BIN = 150
"""Ratios that a bin of forecast sizes holds at least."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Quantiles of error ratios by size of the forecast.

    Attributes:
        edges: upper bounds of all bins but the last, units per week, increasing.
        ratios: (bins, levels), increasing along the levels.
        shift: what was missing to the mean, in expected errors, (bins,).
    """

    edges: Floats
    ratios: Floats
    shift: Floats

    def expected(self, mean: Floats, error: Floats) -> Floats:
        """Forecasts brought to the level that recent truths had, never negative."""
        rows = np.searchsorted(self.edges, mean, side="left")
        level: Floats = np.maximum(mean + self.shift[rows] * error, 0.0)
        return level

    def at(self, mean: Floats, levels: Sequence[float]) -> Floats:
        """Ratios for forecasts of the given size, (..., levels)."""
        rows = np.searchsorted(self.edges, mean, side="left")
        at_levels = np.column_stack(
            [[float(np.interp(level, LEVELS, row)) for row in self.ratios] for level in levels]
        )
        chosen: Floats = at_levels[rows]
        return chosen


def calibrate(truth: Floats, mean: Floats, error: Floats, most: int = MOST_BINS) -> Calibration:
    """Learn from forecasts whose truth is known, one-dimensional arrays of equal length.

    Args:
        truth: units of a week, or per week over several.
        mean: what was forecast.
        error: the error that was expected, above 0.
        most: bins of forecast sizes at most.

    Raises:
        ValueError: there is nothing to learn from.
    """
    if not len(truth):
        raise ValueError("no forecast whose truth is known")
    ratios = (truth - mean) / error
    bins = int(np.clip(len(ratios) // LEAST_IN_BIN, 1, most))
    edges = np.unique(np.quantile(mean, np.linspace(0, 1, bins + 1)[1:-1]))
    rows = np.searchsorted(edges, mean, side="left")
    # An edge may leave a bin without a forecast where many are equal: all stand for it.
    members = [
        here if (here := rows == row).any() else np.ones_like(here) for row in range(len(edges) + 1)
    ]
    return Calibration(
        edges,
        np.array([np.quantile(ratios[here], LEVELS) for here in members]),
        # Sums over sums: the mean of ratios is ruled by the few whose error was expected small.
        np.array([(truth - mean)[here].sum() / error[here].sum() for here in members]),
    )


def quantiles(
    mean: Floats, error: Floats, calibration: Calibration, levels: Sequence[float]
) -> Floats:
    """Quantiles of demand, never negative and never falling with the level, (..., levels)."""
    spread = calibration.at(mean, levels) * error[..., None]
    found: Floats = np.maximum(mean[..., None] + spread, 0.0)
    return found
