"""Methods that look at one series at a time, computed for all series at once.

Each takes a panel and returns the expected units per week, the same for every week ahead, (series,)
or (series, horizon). They equal the field's own library on the same input (a test holds them
equal); over many series they cost a hundredth of it, since a week of all series is one operation.

- `ses`: simple exponential smoothing, the weight that fits best (Brown, 1959).
- `croston_sba`: Croston's method with the correction of Syntetos and Boylan (2005).
- `tsb`: Teunter, Syntetos and Babai (2011), whose probability falls while nothing is sold.
- `imapa`: the mean of `ses` over sums of 1, 2, ... weeks (Petropoulos and Kourentzes, 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ecom_assets.inventory.forecasting.panel import Flags, Floats, Ints, Panel

SEASON = 4
"""Weeks of the season of `seasonal_naive`: shops live by the month."""

WEIGHTS: Floats = np.linspace(0.01, 0.99, 50)
AGGREGATE_WEIGHTS: Floats = np.linspace(0.1, 0.3, 9)
"""Weights tried by `ses`, and by it over sums of weeks, where there are too few for more."""

TSB_SIZE, TSB_PROBABILITY = 0.2, 0.2
SBA_WEIGHT = 0.1


def naive(panel: Panel, horizon: int) -> Floats:
    """The last week again."""
    return _flat(panel.sold[:, -1], horizon)


def seasonal_naive(panel: Panel, horizon: int) -> Floats:
    """The last `SEASON` weeks again, in turn."""
    weeks = [panel.weeks - SEASON + ahead % SEASON for ahead in range(horizon)]
    again: Floats = panel.sold[:, np.maximum(weeks, 0)]
    return again


def window_mean(panel: Panel, horizon: int, window: int = 8) -> Floats:
    """The mean of the last weeks of each series' life."""
    lived = panel.lived()[:, -window:]
    units = np.where(lived, panel.sold[:, -window:], 0).sum(axis=1)
    return _flat(units / np.maximum(lived.sum(axis=1), 1), horizon)


def ses(panel: Panel, horizon: int) -> Floats:
    """Exponential smoothing with the weight that had the smallest squared errors."""
    return _flat(_best_smoothed(panel.sold, panel.lived(), WEIGHTS), horizon)


def smoothed(values: Floats, counts: Flags, weight: Floats | float) -> tuple[Floats, Floats]:
    """Exponential smoothing over the values that count, and the sum of its squared errors.

    Args:
        values: (series, weeks).
        counts: which of them count; the first that does is where smoothing starts.
        weight: of the newest value, one for all or one per series.

    Returns:
        The level after the last value and the squared errors of all but the first, (series,).
    """
    level, errors = np.zeros(len(values)), np.zeros(len(values))
    started = np.zeros(len(values), dtype=np.bool_)
    for week in range(values.shape[1]):
        now, value = counts[:, week], values[:, week]
        miss = np.where(now & started, value - level, 0.0)
        errors += miss**2
        level = np.where(now & ~started, value, level + weight * miss)
        started |= now
    return level, errors


def croston_sba(panel: Panel, horizon: int) -> Floats:
    """Smoothed size over smoothed interval, less the bias of that ratio."""
    had = panel.sold > 0
    sizes, _ = smoothed(panel.sold, had, SBA_WEIGHT)
    gaps, _ = smoothed(_gaps(had, panel.first), had, SBA_WEIGHT)
    rate = np.where(gaps > 0, (1 - SBA_WEIGHT / 2) * sizes / np.maximum(gaps, 1e-12), 0.0)
    return _flat(rate, horizon)


def tsb(panel: Panel, horizon: int) -> Floats:
    """Smoothed size times the smoothed chance that a week has demand."""
    had = panel.sold > 0
    sizes, _ = smoothed(panel.sold, had, TSB_SIZE)
    chances, _ = smoothed(had.astype(np.float64), panel.lived(), TSB_PROBABILITY)
    return _flat(sizes * chances, horizon)


def imapa(panel: Panel, horizon: int) -> Floats:
    """The mean over levels of aggregation up to the mean interval between demands."""
    had = panel.sold > 0
    gaps = np.where(had, _gaps(had, panel.first), 0).sum(axis=1) / np.maximum(had.sum(axis=1), 1)
    deepest = np.maximum(np.round(gaps), 1).astype(np.int64)
    total, lived = np.zeros(panel.series), panel.lived()
    for weeks in range(1, int(deepest.max(initial=1)) + 1):
        deep = np.flatnonzero(deepest >= weeks)
        sums, whole = _in_sums(panel.sold[deep], lived[deep], weeks)
        total[deep] += _best_smoothed(sums, whole, AGGREGATE_WEIGHTS) / weeks
    return _flat(np.where(had.any(axis=1), total / deepest, 0.0), horizon)


def _best_smoothed(values: Floats, counts: Flags, weights: Floats) -> Floats:
    best, least = np.zeros(len(values)), np.full(len(values), np.inf)
    for weight in weights:
        level, errors = smoothed(values, counts, weight)
        better = errors < least
        best, least = np.where(better, level, best), np.where(better, errors, least)
    return best


def _gaps(had: Flags, first: Ints) -> Floats:
    """Weeks since the demand before, or since the beginning, for weeks that had any."""
    weeks = np.arange(had.shape[1])[None, :]
    marks = np.where(had, weeks, -1)
    before = np.maximum.accumulate(marks, axis=1)
    before = np.column_stack([np.full(len(had), -1), before[:, :-1]])
    since: Floats = (weeks - np.maximum(before, first[:, None] - 1)).astype(np.float64)
    return since


def _in_sums(values: Floats, counts: Flags, weeks: int) -> tuple[Floats, Flags]:
    """Sums of so many weeks each, the last one ending with the last week; odd early weeks go."""
    whole = values.shape[1] // weeks
    shape = (len(values), whole, weeks)
    parts = values[:, values.shape[1] - whole * weeks :].reshape(shape)
    lived = counts[:, values.shape[1] - whole * weeks :].reshape(shape)
    all_lived: Flags = lived.min(axis=2)
    return parts.sum(axis=2), all_lived


def _flat(rate: Floats, horizon: int) -> Floats:
    return np.repeat(rate[:, None], horizon, axis=1)


Method = Callable[[Panel, int], Floats]

METHODS: Mapping[str, Method] = {
    "naive": naive,
    "seasonal_naive": seasonal_naive,
    "window_mean": window_mean,
    "ses": ses,
    "croston_sba": croston_sba,
    "tsb": tsb,
    "imapa": imapa,
}
"""The methods by name; the first two are what any other must beat."""

NAIVE = ("naive", "seasonal_naive")
