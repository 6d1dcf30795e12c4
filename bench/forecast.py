"""Forecasts of weekly demand against the field's own methods, on real sales.

    python -m bench.forecast                     1,500 SKUs, 4 origins of 4 weeks
    python -m bench.forecast --skus 300 --quick  without the slowest floors

Printed are, on the same rows and measured in the same run: the floors (methods of statsforecast,
and a plain gradient-boosted Poisson model over lags), the platform's own methods, coverage of every
quantile, and the stock that reaches a 90 % value fill rate when the policies are played through.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench import forecast_data, forecast_floors
from ecom_assets.inventory.forecasting import choosing, history, scores, simulating, trials
from ecom_assets.inventory.forecasting.panel import Floats, Panel
from ecom_assets.inventory.forecasting.segments import Words

HORIZON = 4
ORIGINS = 4
LEAD_WEEKS = 2
FILL_RATE = 0.9
FLOORS = tuple(forecast_floors.FLOORS)


@dataclass
class Row:
    """What one method did over all origins.

    Attributes:
        rmsse: per origin and series.
        mase: likewise.
        bias: units, likewise.
        demand: units, likewise.
        weight: revenue known at the origin, likewise.
        seconds: time to forecast at all origins.
    """

    rmsse: list[Floats] = field(default_factory=list)
    mase: list[Floats] = field(default_factory=list)
    bias: list[Floats] = field(default_factory=list)
    demand: list[Floats] = field(default_factory=list)
    weight: list[Floats] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, known: Panel, truth: Floats, mean: Floats) -> None:
        """Measure forecasts of one origin."""
        found = scores.points(known, truth, mean)
        self.rmsse.append(found.rmsse)
        self.mase.append(found.mase)
        self.bias.append(found.bias)
        self.demand.append(found.demand)
        self.weight.append(known.revenue.sum(axis=1))

    def line(self, name: str) -> str:
        """The row as text."""
        rmsse, weight = np.concatenate(self.rmsse), np.concatenate(self.weight)
        bias = np.concatenate(self.bias).sum() / np.concatenate(self.demand).sum()
        return (
            f"{name:24s}{rmsse.mean():8.3f}{scores.weighted(rmsse, weight):10.3f}"
            f"{np.concatenate(self.mase).mean():8.3f}{bias:8.1%}{self.seconds:9.1f}"
        )

    @property
    def weighted_rmsse(self) -> float:
        """RMSSE weighted by revenue."""
        return scores.weighted(np.concatenate(self.rmsse), np.concatenate(self.weight))


def origins_of(panel: Panel) -> list[int]:
    """The backtest's origins: the last ones that leave a whole horizon, one after the other."""
    return [panel.weeks - HORIZON * back for back in range(ORIGINS, 0, -1)]


def measure_floors(panel: Panel, names: tuple[str, ...]) -> dict[str, Row]:
    """The floors' rows."""
    rows = {name: Row() for name in names}
    for name, row in rows.items():
        for origin in origins_of(panel):
            known = panel.until(origin)
            begun = time.perf_counter()
            mean = forecast_floors.FLOORS[name](known, HORIZON)
            row.seconds += time.perf_counter() - begun
            row.add(known, panel.sold[:, origin : origin + HORIZON], mean)
    return rows


@dataclass
class Own:
    """The platform's forecasts over all origins.

    Attributes:
        rows: scores by method, `selected` among them.
        truth: units of every origin, (origins * series, horizon).
        quantiles: of the selected methods, likewise with levels.
        chosen: method by segment at the last origin.
        weights: of the blend at the last origin.
    """

    rows: dict[str, Row]
    truth: list[Floats]
    quantiles: list[Floats]
    chosen: dict[str, str]
    weights: dict[str, float]


def measure_own(panel: Panel, spoken: dict[int, history.Said], seconds: float) -> Own:
    """The platform's rows, each origin judged on what was known at it."""
    rows = {name: Row(seconds=seconds) for name in (*choosing.METHODS, choosing.BLEND, "selected")}
    own = Own(rows, [], [], {}, {})
    for origin in origins_of(panel):
        seen, methods, best = trials.seen_at(panel, spoken, origin)
        own.chosen, own.weights = dict(best), dict(seen.weights)
        truth = panel.sold[:, origin : origin + HORIZON]
        for name, mean in seen.means.items():
            rows[name].add(seen.known, truth, mean)
        mean, levels = _of_selected(seen, methods)
        rows["selected"].add(seen.known, truth, mean)
        own.truth.append(truth)
        own.quantiles.append(levels)
    return own


def _of_selected(seen: choosing.Outlook, methods: Words) -> tuple[Floats, Floats]:
    mean = np.zeros_like(seen.error)
    levels = np.zeros((*seen.error.shape, len(scores.QUANTILES)))
    for name in np.unique(methods):
        here = methods == name
        mean[here] = seen.means[str(name)][here]
        levels[here] = seen.quantiles(str(name))[here]
    return mean, levels


Curve = list[tuple[float, float]]
"""Value fill rate and stock value at each service level."""


def simulate(panel: Panel, spoken: dict[int, history.Said]) -> dict[str, Curve]:
    """Curves of the policies; what a unit costs is taken to be in proportion to its price."""
    price = panel.revenue.sum(axis=1) / np.maximum(panel.sold.sum(axis=1), 1)
    curves: dict[str, Curve] = {}
    for point in trials.try_policies(panel, price, price, LEAD_WEEKS, spoken):
        played = point.played
        curves.setdefault(point.policy, []).append((played.value_fill_rate, played.stock_value))
    return curves


def report_points(floors: dict[str, Row], own: Own) -> float:
    """Print the table of point forecasts; returns the ratio to the best floor."""
    print(f"{'method':24s}{'RMSSE':>8s}{'weighted':>10s}{'MASE':>8s}{'bias':>8s}{'seconds':>9s}")
    for name, row in {**floors, **own.rows}.items():
        if row.rmsse:
            print(row.line(name))
    best = min(floors, key=lambda name: floors[name].weighted_rmsse)
    ratio = own.rows["selected"].weighted_rmsse / floors[best].weighted_rmsse
    print(f"selected against the best floor ({best}), weighted: {ratio:.3f}")
    print("methods:", ", ".join(f"{place} {name}" for place, name in own.chosen.items()))
    print("blend:", ", ".join(f"{name} {weight:.2f}" for name, weight in own.weights.items()))
    return ratio


def report_coverage(own: Own) -> float:
    """Print coverage per quantile; returns the largest miss."""
    truth, quantiles = np.concatenate(own.truth), np.concatenate(own.quantiles)
    found = scores.coverage(truth, quantiles, scores.QUANTILES)
    for each in found:
        print(
            f"quantile {each.level:5.3f}: below {each.below:6.1%}, covered {each.covered:6.1%},"
            f" miss {each.miss:5.1%}"
        )
    return max(each.miss for each in found)


def report_stock(curves: dict[str, Curve]) -> None:
    """Print the policies' curves and the stock each needs for the fill rate."""
    for name, curve in curves.items():
        told = ", ".join(f"{rate:.1%} {stock:,.0f}" for rate, stock in curve)
        print(f"{name}: value fill rate and stock at selling prices: {told}")
    needed = {name: simulating.stock_at(curve, FILL_RATE) for name, curve in curves.items()}
    own = needed["platform"]
    for name, stock in needed.items():
        ratio = f", platform {own / stock:.3f} of it" if own and stock else ""
        print(f"stock at {FILL_RATE:.0%}, {name}: {stock or float('nan'):,.0f}{ratio}")


def main() -> None:
    """Run the benchmark the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=forecast_data.FOLDER)
    parser.add_argument("--skus", type=int, default=1_500)
    parser.add_argument("--quick", action="store_true", help="leave AutoETS out")
    given = parser.parse_args()
    panel = forecast_data.load(given.data, given.skus, HORIZON * ORIGINS)
    print(f"{panel.series:,} SKUs, {panel.weeks} weeks, {panel.sold.sum():,.0f} units")
    names = tuple(name for name in FLOORS if not (given.quick and name == "auto_ets"))
    floors = measure_floors(panel, names)
    begun = time.perf_counter()
    # To the end of the panel, so that models are as fresh at the origins as they are in use.
    first = max(panel.weeks - HORIZON * ORIGINS - choosing.PAST_WEEKS, 1)
    spoken = history.said(panel, range(first, panel.weeks + 1), HORIZON, choosing.METHODS)
    own = measure_own(panel, spoken, time.perf_counter() - begun)
    report_points(floors, own)
    report_coverage(own)
    report_stock(simulate(panel, spoken))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{time.perf_counter() - begun:.0f} s of our own, {peak:,.0f} MiB at most")


if __name__ == "__main__":
    main()
