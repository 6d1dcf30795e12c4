"""Backtests: what each method would have said at a past origin, measured per segment.

A backtest of an origin reads nothing from later weeks but the truth it is measured by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecom_assets.inventory.forecasting import choosing, history, local, scores
from ecom_assets.inventory.forecasting.panel import Flags, Floats, Panel
from ecom_assets.inventory.forecasting.segments import segments

HORIZON = choosing.HORIZON
MOST_BIAS = 0.35
"""Forecast less truth, as a share of the truth, beyond which a method fails."""
MOST_MISS = 0.08
"""Miss of a quantile's coverage beyond which a method fails."""
MOST_LOST = 1.1
"""Error over a naive method's, in a backtest that did not choose it, beyond which it fails."""
LEAST_SERIES = 5
"""Series times origins below which nothing can be said of a segment."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A method in a segment at an origin; figures as in `inventory.forecast_backtests`."""

    segment: str
    method: str
    series: int
    rmsse: float
    weighted_rmsse: float
    mase: float
    pinball: float
    bias: float
    coverage: dict[str, list[float]]
    coverage_miss: float


def past_of(origin: int) -> range:
    """Past origins that an outlook learns from."""
    return range(max(origin - choosing.PAST_WEEKS, 1), origin)


def look(panel: Panel, origin: int, horizon: int = HORIZON) -> choosing.Outlook:
    """The outlook at an origin, from the weeks before it.

    Args:
        panel: demand as it was seen, with stock-outs marked.
        origin: week, counted from 0.
        horizon: weeks ahead.
    """
    known = panel.until(origin).with_demand()
    spoken = history.said(known, [*past_of(origin), origin], horizon, choosing.METHODS)
    return choosing.outlook(known, [spoken[week] for week in past_of(origin)], spoken[origin])


def judge(panel: Panel, origin: int) -> list[Judged]:
    """Measure every method at an origin.

    Args:
        panel: demand as it was seen; `HORIZON` weeks from the origin on are the truth.
        origin: week, counted from 0.
    """
    seen = look(panel, origin)
    truth, counted = _truth(panel, origin)
    segment = segments(panel.until(origin))
    found = []
    for method in seen.means:
        quantiles = seen.quantiles(method)
        for name in np.unique(segment[counted]):
            here = counted & (segment == name)
            found.append(_judged(seen, str(name), method, here, truth, quantiles))
    return found


def _truth(panel: Panel, origin: int) -> tuple[Floats, Flags]:
    """What was asked for, and for which series that is known: without stock it is not."""
    weeks = slice(origin, origin + HORIZON)
    known = panel.out[:, weeks].max(axis=1) < 0.5
    return panel.sold[:, weeks], known & (panel.first < origin)


def _judged(
    seen: choosing.Outlook, segment: str, method: str, here: Flags, truth: Floats, quantiles: Floats
) -> Judged:
    known = seen.known.only(here)
    errors = scores.points(known, truth[here], seen.means[method][here])
    covered = scores.coverage(truth[here], quantiles[here], scores.QUANTILES)
    scale = scores.scale_of(known)
    asked = float(errors.demand.sum())
    return Judged(
        segment=segment,
        method=method,
        series=int(here.sum()),
        rmsse=float(errors.rmsse.mean()),
        weighted_rmsse=scores.weighted(errors.rmsse, known.revenue.sum(axis=1)),
        mase=float(errors.mase.mean()),
        pinball=float(scores.pinball(truth[here], quantiles[here], scores.QUANTILES, scale).mean()),
        bias=float(errors.bias.sum()) / asked if asked > 0 else 0.0,
        coverage={f"{each.level:g}": [each.below, each.covered] for each in covered},
        coverage_miss=max(each.miss for each in covered),
    )


@dataclass(frozen=True, slots=True)
class Result:
    """What a stored backtest says of a method in a segment at an origin."""

    origin: str
    segment: str
    method: str
    series: int
    weighted_rmsse: float
    bias: float
    coverage_miss: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The method of a segment, and whether purchases may rely on it."""

    segment: str
    method: str
    is_passed: bool
    reasons: tuple[str, ...]
    origins: int
    series: int
    weighted_rmsse: float
    naive_rmsse: float
    bias: float
    coverage_miss: float


def decide(results: Sequence[Result]) -> list[Verdict]:
    """Choose the method of every segment by its error over all backtests given.

    Args:
        results: of several origins; a method must have been measured at all of a segment's.
    """
    return [_decided(name, list(part)) for name, part in _by_segment(results)]


def _by_segment(results: Sequence[Result]) -> Iterator[tuple[str, list[Result]]]:
    for name in sorted({each.segment for each in results}):
        yield name, [each for each in results if each.segment == name]


def _decided(segment: str, results: list[Result]) -> Verdict:
    origins = {each.origin for each in results}
    by_method = {
        method: [each for each in results if each.method == method]
        for method in sorted({each.method for each in results})
    }
    whole = {name: part for name, part in by_method.items() if len(part) == len(origins)}
    errors = {name: _mean(part, "weighted_rmsse") for name, part in whole.items()}
    method = choosing.preferred(errors, max(each.series for each in results))
    part = whole[method]
    # Misses of single origins are mostly chance; what is left of their mean is not.
    bias, miss = _mean(part, "bias"), _mean(part, "coverage_miss")
    count = sum(each.series for each in part)
    failed = {
        "worse_than_naive_lately": _is_worse_lately(whole, max(origins)),
        "biased": abs(bias) > MOST_BIAS,
        "intervals_miss": miss > MOST_MISS + 1 / np.sqrt(count),
        "too_few_series": count < LEAST_SERIES,
    }
    failures = tuple(name for name, holds in failed.items() if holds)
    return Verdict(
        segment=segment,
        method=method,
        is_passed=not failures,
        reasons=failures or ("best_in_backtests",),
        origins=len(origins),
        series=part[-1].series,
        weighted_rmsse=errors[method],
        naive_rmsse=min(errors[name] for name in local.NAIVE if name in errors),
        bias=bias,
        coverage_miss=miss,
    )


def _is_worse_lately(whole: Mapping[str, list[Result]], newest: str) -> bool:
    """Whether what the earlier backtests would have chosen lost the newest one to a naive method.

    A method that was chosen by the very errors it is judged by looks better than it is.
    """
    earlier = {
        name: _mean(before, "weighted_rmsse")
        for name, part in whole.items()
        if (before := [each for each in part if each.origin != newest])
    }
    if not earlier:
        return False
    lately = {name: _mean([part[-1]], "weighted_rmsse") for name, part in whole.items()}
    chosen = choosing.preferred(earlier, max(part[-1].series for part in whole.values()))
    naive = min((name for name in local.NAIVE if name in earlier), key=lambda name: earlier[name])
    return lately[chosen] > MOST_LOST * lately[naive]


def _mean(part: Sequence[Result], name: str) -> float:
    weights = np.array([each.series for each in part], dtype=np.float64)
    return scores.weighted(np.array([getattr(each, name) for each in part]), weights)
