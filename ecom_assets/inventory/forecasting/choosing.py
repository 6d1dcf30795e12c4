"""From what methods say to one forecast: the blend, the method per segment, the intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecom_assets.inventory.forecasting import blending, history, local, scores
from ecom_assets.inventory.forecasting.history import Said
from ecom_assets.inventory.forecasting.intervals import Calibration, calibrate, quantiles
from ecom_assets.inventory.forecasting.panel import Floats, Panel
from ecom_assets.inventory.forecasting.segments import Words

HORIZON = 4
"""Weeks that methods are judged over."""

PAST_WEEKS = 20
"""Past origins, one a week, from which weights and intervals are learnt. Intervals of fewer follow
what the last weeks happened to miss by, and stock levels with them."""

METHODS = (*local.METHODS, *history.GLOBAL)
BLEND = "blend"
BLENDED = ("global_typical", "global_poisson", "ses", "tsb", "imapa")
"""The methods in the blend; the local ones alone where there is too little to train on."""

STURDY = ("global_typical", BLEND)
"""Methods that are taken unless another is clearly better, the first that can speak."""
CLEARLY = 0.04
"""Share by which the error must be smaller, plus one over the root of the number of series."""
SUM_BINS = 1
"""Bins of forecast sizes for sums of weeks: there are fewer of them, their ratios differ little by
size, and a level that follows the noise of its bin orders what the next one no longer wants."""

Method = str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected at an origin, by method.

    Attributes:
        known: all that was known.
        means: expected units, (series, horizon) each, the blend among them.
        error: absolute error to expect, (series, horizon).
        weights: of the methods in the blend.
        calibrations: of intervals of single weeks, by method.
        past: the same methods' words at past origins, the blend among them.
    """

    known: Panel
    means: Mapping[Method, Floats]
    error: Floats
    weights: Mapping[Method, float]
    calibrations: Mapping[Method, Calibration]
    past: tuple[Said, ...]

    def quantiles(self, method: Method, levels: Sequence[float] = scores.QUANTILES) -> Floats:
        """Quantiles of single weeks by one method, (series, horizon, levels)."""
        return quantiles(self.means[method], self.error, self.calibrations[method], levels)


def outlook(known: Panel, past: Sequence[Said], now: Said) -> Outlook:
    """Blend and calibrate what was said at an origin, by what was said before it.

    Args:
        known: what was known at the origin.
        past: what was said at origins before.
        now: what is said at it.
    """
    names = [name for name in BLENDED if name in now.means]
    past = [each for each in past if set(names) <= set(each.means)]
    weighed = blending.weights(known, past, names)
    spoken = tuple(_with_blend(each, weighed) for each in past)
    means = _with_blend(now, weighed).means
    calibrations = {name: _calibrated(known, spoken, name) for name in means}
    return Outlook(known, means, now.error, weighed, calibrations, spoken)


def _with_blend(each: Said, weighed: Mapping[str, float]) -> Said:
    blended = blending.blend(each.means, weighed)
    return Said(each.origin, {**each.means, BLEND: blended}, each.error)


def _calibrated(known: Panel, past: Sequence[Said], method: Method) -> Calibration:
    truth, mean, error = pairs(known, past, method)
    if not len(truth):
        # Nothing was forecast yet: as if errors were as large as expected, to both sides.
        truth, mean, error = (np.array(part) for part in ([0.0, 2.0], [1.0, 1.0], [1.0, 1.0]))
    return calibrate(truth, mean, error)


def pairs(known: Panel, past: Sequence[Said], method: Method) -> tuple[Floats, Floats, Floats]:
    """Truths of single weeks with what was forecast and which error was expected."""
    parts = []
    for each in past:
        born = known.first < each.origin
        ahead = min(known.weeks - each.origin, each.error.shape[1])
        truth = known.sold[:, each.origin : each.origin + ahead]
        both = (truth, each.means[method][:, :ahead], each.error[:, :ahead])
        parts.append(tuple(part[born].ravel() for part in both))
    return _joined(parts)


def sums(
    known: Panel, past: Sequence[Said], method: Method, weeks: int
) -> tuple[Floats, Floats, Floats]:
    """The same for sums of so many weeks, told per week."""
    parts = []
    for each in past:
        if each.origin + weeks > known.weeks:
            continue
        born = known.first < each.origin
        truth = known.sold[:, each.origin : each.origin + weeks]
        parts.append(
            tuple(part[born] for part in (truth.mean(axis=1), *per_week(each, method, weeks)))
        )
    return _joined(parts)


def per_week(each: Said, method: Method, weeks: int) -> tuple[Floats, Floats]:
    """Mean and expected error of a sum of weeks, told per week, (series,) each.

    Args:
        each: what was said; its last week stands for later ones.
        method: by which method.
        weeks: weeks that are summed.
    """
    ahead = np.minimum(np.arange(weeks), each.error.shape[1] - 1)
    mean = each.means[method][:, ahead].mean(axis=1)
    # As if weeks erred independently; the calibration of sums corrects what they have in common.
    error = np.sqrt((each.error[:, ahead] ** 2).sum(axis=1)) / weeks
    return mean, error


def _joined(parts: Sequence[tuple[Floats, ...]]) -> tuple[Floats, Floats, Floats]:
    if not parts:
        nothing = np.zeros(0)
        return nothing, nothing, nothing
    truth, mean, error = (np.concatenate(part) for part in zip(*parts, strict=True))
    return truth, mean, error


def sum_quantiles(
    seen: Outlook, methods: Words, weeks: int, levels: Sequence[float]
) -> tuple[Floats, Floats]:
    """Mean and quantiles of the demand of the next weeks together.

    Args:
        seen: the outlook.
        methods: the method of each series, (series,).
        weeks: how many weeks are summed.
        levels: nominal levels.

    Returns:
        Expected units at the level of recent demand, (series,), and quantiles, (series, levels).
    """
    now = Said(seen.known.weeks, seen.means, seen.error)
    mean = np.zeros(seen.known.series)
    found = np.zeros((seen.known.series, len(levels)))
    for method in np.unique(methods):
        chosen = methods == method
        each, error = per_week(now, str(method), weeks)
        truth = sums(seen.known, seen.past, str(method), weeks)
        known = len(truth[0]) > 0
        calibration = calibrate(*truth, SUM_BINS) if known else seen.calibrations[str(method)]
        mean[chosen] = calibration.expected(each[chosen], error[chosen]) * weeks
        found[chosen] = quantiles(each[chosen], error[chosen], calibration, levels) * weeks
    return mean, found


def preferred(errors: Mapping[Method, float], series: int) -> Method:
    """The method with the smallest error, unless a sturdy one comes close to it.

    Of many methods one always looks best by chance, and of few series by much; it must be clearly
    better to be taken.

    Args:
        errors: by method.
        series: how many the errors are means of.
    """
    best = min(errors, key=lambda name: (errors[name], name))
    sturdy = next((name for name in STURDY if name in errors), best)
    least = 1 - CLEARLY - 1 / np.sqrt(max(series, 1))
    return best if errors[best] < least * errors[sturdy] else sturdy


def best_per_segment(
    known: Panel, past: Sequence[Said], segment: Words, methods: Sequence[Method]
) -> dict[str, Method]:
    """The method of each segment that had the smallest scaled error at past origins.

    Args:
        known: what is known now.
        past: what was said, the blend among the methods.
        segment: the segment of each series now.
        methods: candidates; of equal ones the first.
    """
    totals = {method: np.zeros(known.series) for method in methods}
    for each in past:
        ahead = min(known.weeks - each.origin, each.error.shape[1])
        truth = known.sold[:, each.origin : each.origin + ahead]
        before = known.until(each.origin)
        born = before.first < each.origin
        for method in methods:
            rmsse = scores.points(before, truth, each.means[method][:, :ahead]).rmsse
            totals[method] += np.where(born, rmsse, 0.0)
    revenue = known.revenue.sum(axis=1)
    return {
        str(name): preferred(
            {method: scores.weighted(totals[method][here], revenue[here]) for method in methods},
            int(here.sum()),
        )
        for name in np.unique(segment)
        if (here := segment == name) is not None
    }
