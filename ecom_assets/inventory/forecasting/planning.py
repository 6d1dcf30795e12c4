"""One forecast per series, by the method of its segment, and the demand its stock must last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ecom_assets.inventory.forecasting import choosing, scores
from ecom_assets.inventory.forecasting.judging import look
from ecom_assets.inventory.forecasting.panel import Floats, Ints, Panel
from ecom_assets.inventory.forecasting.segments import Words, segments

VERSION = "forecast/1"
HORIZON = 8
"""Weeks that are forecast; beyond the trained weeks the last of them stands for the rest."""
MOST_PROTECTED_WEEKS = 26
DEFAULT_METHOD = choosing.BLEND
"""Method of a segment that no backtest decided about; no purchase relies on it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Forecasts of all series, units.

    Attributes:
        segment: segment of each series.
        method: method it was forecast with.
        mean: (series, horizon).
        quantiles: of `scores.QUANTILES`, (series, horizon, levels).
        protected: expected over the time that stock must last for, (series,).
        protected_quantile: the service level's quantile of the same, (series,).
        seen: what the forecasts come from.
    """

    segment: Words
    method: Words
    mean: Floats
    quantiles: Floats
    protected: Floats
    protected_quantile: Floats
    seen: choosing.Outlook


def plan(
    panel: Panel, methods: Mapping[str, str], protected_days: Floats, level: Floats
) -> Planned:
    """Forecast from the end of a panel.

    Args:
        panel: demand as it was seen.
        methods: method by segment.
        protected_days: days from an order to the arrival of the next review's, (series,).
        level: service level, (series,).
    """
    seen = look(panel, panel.weeks, HORIZON)
    segment = segments(panel)
    wished = [methods.get(str(name), DEFAULT_METHOD) for name in segment]
    # A method that needs more history than there is says nothing: the blend of the others does.
    method = np.array([name if name in seen.means else DEFAULT_METHOD for name in wished])
    mean = np.zeros((panel.series, HORIZON))
    quantiles = np.zeros((panel.series, HORIZON, len(scores.QUANTILES)))
    for name in np.unique(method):
        here = method == name
        mean[here] = seen.means[str(name)][here]
        quantiles[here] = seen.quantiles(str(name))[here]
    protected, quantile = _protected(seen, method, protected_days / 7, level)
    return Planned(segment, method, mean, quantiles, protected, quantile, seen)


def _protected(
    seen: choosing.Outlook, method: Words, weeks: Floats, level: Floats
) -> tuple[Floats, Floats]:
    """Mean and quantile of the demand of so many weeks, which need not be whole."""
    whole: Ints = np.clip(np.ceil(weeks), 1, MOST_PROTECTED_WEEKS).astype(np.int64)
    levels, places = np.unique(level, return_inverse=True)
    mean, quantile = np.zeros(len(weeks)), np.zeros(len(weeks))
    for count in np.unique(whole):
        here = whole == count
        means, quantiles = choosing.sum_quantiles(seen, method, int(count), levels.tolist())
        mean[here] = means[here]
        quantile[here] = quantiles[here, places[here]]
    # Part of the last week: expected units in proportion, what is above them as their root.
    share = np.minimum(weeks / whole, 1.0)
    return mean * share, mean * share + (quantile - mean) * np.sqrt(share)
