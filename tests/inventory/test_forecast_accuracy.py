"""Series of known nature: what is chosen for them is never worse than the naive methods."""

from __future__ import annotations

import numpy as np
import pytest

from ecom_assets.inventory.forecasting import choosing, history, judging, scores, trials
from ecom_assets.inventory.forecasting.judging import Result
from ecom_assets.inventory.forecasting.panel import Floats, Panel, of_units
from ecom_assets.inventory.forecasting.simulating import stock_at

WEEKS, SERIES, HORIZON = 60, 120, choosing.HORIZON


def smooth(draw: np.random.Generator) -> Floats:
    """Steady sellers with a slow trend."""
    trend = 1 + draw.uniform(-0.005, 0.01, (SERIES, 1)) * np.arange(WEEKS)
    return draw.poisson(draw.uniform(15, 60, (SERIES, 1)) * trend).astype(np.float64)


def intermittent(draw: np.random.Generator) -> Floats:
    """A few units in one week of three."""
    had = draw.random((SERIES, WEEKS)) < draw.uniform(0.2, 0.45, (SERIES, 1))
    return np.where(had, draw.integers(2, 5, (SERIES, WEEKS)).astype(np.float64), 0.0)


def lumpy(draw: np.random.Generator) -> Floats:
    """Orders of very different sizes, in one week of three."""
    had = draw.random((SERIES, WEEKS)) < draw.uniform(0.2, 0.45, (SERIES, 1))
    return np.asarray(np.round(had * draw.lognormal(1.5, 1.1, (SERIES, WEEKS))))


KINDS = {"smooth": smooth, "intermittent": intermittent, "lumpy": lumpy}


@pytest.fixture(autouse=True)
def _short_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer past origins and trainings than in earnest: each costs a second."""
    monkeypatch.setattr(choosing, "PAST_WEEKS", 8)
    monkeypatch.setattr(history, "RETRAIN_WEEKS", 8)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_chosen_beats_the_naive_methods(kind: str) -> None:
    panel = of_units(KINDS[kind](np.random.default_rng(17)))
    origins = (WEEKS - 2 * HORIZON, WEEKS - HORIZON)
    judged = {origin: judging.judge(panel, origin) for origin in origins}
    # Decided by the earlier backtest, measured by the later one.
    before = [
        Result(str(origins[0]), each.segment, each.method, each.series, each.weighted_rmsse,
               each.bias, each.coverage_miss)
        for each in judged[origins[0]]
    ]  # fmt: skip
    chosen = {verdict.segment: verdict.method for verdict in judging.decide(before)}
    later = {(each.segment, each.method): each for each in judged[origins[1]]}
    told = [
        (later[name, method], later[name, naive])
        for name, method in chosen.items()
        for naive in ("naive", "seasonal_naive")
        if (name, method) in later
    ]
    weight = np.array([part[0].series for part in told], dtype=np.float64)
    ours, theirs = (np.array([part[place].rmsse for part in told]) for place in (0, 1))
    assert scores.weighted(ours, weight) < 0.9 * scores.weighted(theirs, weight)
    misses = np.array([part[0].coverage_miss for part in told])
    assert scores.weighted(misses, weight) < 0.08


@pytest.mark.slow
def test_demand_hidden_by_stock_outs_is_forecast_at_its_true_rate() -> None:
    draw = np.random.default_rng(23)
    rate = draw.uniform(5, 30, (SERIES, 1))
    out = np.where(draw.random((SERIES, WEEKS)) < 0.35, draw.uniform(0.3, 1, (SERIES, WEEKS)), 0)
    seen = draw.poisson(rate * (1 - out)).astype(np.float64)
    first = np.zeros(SERIES, dtype=np.int64)
    expected = [
        judging.look(of_units(seen, shares, first), WEEKS).means[choosing.BLEND].mean(axis=1)
        for shares in (out, np.zeros_like(out))
    ]
    bias = [float((each - rate[:, 0]).sum() / rate.sum()) for each in expected]
    # Taken for demand, sales under stock-outs forecast the stock-outs.
    assert bias[1] < -0.15
    assert abs(bias[0]) < 0.06
    naive = np.abs(seen[:, -1] - rate[:, 0]).mean()
    assert np.abs(expected[0] - rate[:, 0]).mean() < 0.5 * naive


@pytest.mark.slow
def test_policies_need_less_stock_than_the_textbook_where_demand_is_lumpy() -> None:
    panel: Panel = of_units(lumpy(np.random.default_rng(29)))
    one = np.ones(SERIES)
    curves: dict[str, list[tuple[float, float]]] = {}
    for point in trials.try_policies(panel, one, one, 2):
        played = point.played
        curves.setdefault(point.policy, []).append((played.value_fill_rate, played.stock_value))
    # Normal errors never serve 90 % of such demand: compared is what both reach.
    most = min(max(rate for rate, _ in curves[name]) for name in ("platform", "ses_normal"))
    for rate in (0.7, 0.8, most):
        own, textbook = (stock_at(curves[name], rate) for name in ("platform", "ses_normal"))
        assert own is not None
        assert textbook is not None
        assert own < 0.95 * textbook, rate
    assert max(rate for rate, _ in curves["platform"]) > 0.95


def test_a_forecast_reads_nothing_of_its_future() -> None:
    panel = of_units(smooth(np.random.default_rng(31))[:20, :30])
    origin = 24
    changed = panel.sold.copy()
    changed[:, origin:] = 10_000
    other = of_units(changed, first=panel.first)
    told, same = (judging.look(each, origin) for each in (panel, other))
    for name, mean in told.means.items():
        assert (mean == same.means[name]).all(), name
    assert (told.quantiles(choosing.BLEND) == same.quantiles(choosing.BLEND)).all()
