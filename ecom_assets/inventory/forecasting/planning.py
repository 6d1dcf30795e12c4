"""One forecast per series, by the method of its segment, and the demand its stock must last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ecom_assets.inventory.forecasting import choosing, scores
from ecom_assets.inventory.forecasting.judging import look
from ecom_assets.inventory.forecasting.panel import Floats, Ints, Panel
from ecom_assets.inventory.forecasting.segments import Words, segments

VERSION = "forecast/2"
HORIZON = 8
"""Weeks that are forecast; beyond the trained weeks the last of them stands for the rest."""
MOST_PROTECTED_WEEKS = 26


@dataclass(frozen=True, slots=True)
class Planned:
    """Forecasts of all series, units.

    Attributes:
        segment: segment of each series.
        method: method it was forecast with.
        mean: what misses by least, (series, horizon).
        quantiles: of `scores.QUANTILES`, (series, horizon, levels).
        daily: expected per day of that time, (series,).
        protected: expected over the time that stock must last for, (series,).
        protected_quantile: the service level's quantile of the same, (series,).
        seen: what the forecasts come from.
    """

    segment: Words
    method: Words
    mean: Floats
    quantiles: Floats
    daily: Floats
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
    # Where no backtest decided, or the method needs more history than there is; no purchase relies
    # on the former.
    sturdy = next(name for name in choosing.STURDY if name in seen.means)
    wished = [methods.get(str(name), sturdy) for name in segment]
    method = np.array([name if name in seen.means else sturdy for name in wished])
    mean = np.zeros((panel.series, HORIZON))
    quantiles = np.zeros((panel.series, HORIZON, len(scores.QUANTILES)))
    for name in np.unique(method):
        here = method == name
        mean[here] = seen.means[str(name)][here]
        quantiles[here] = seen.quantiles(str(name))[here]
    protected, quantile = _protected(seen, method, protected_days / 7, level)
    daily = protected / np.clip(protected_days, 1, 7 * MOST_PROTECTED_WEEKS)
    return Planned(segment, method, mean, quantiles, daily, protected, quantile, seen)


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
