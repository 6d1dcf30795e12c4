"""The level of the whole, and what purchases get of forecasts that run below the mean."""

from __future__ import annotations

import numpy as np
import pytest

from ecom_assets.inventory.forecasting import levelling, local
from ecom_assets.inventory.forecasting.intervals import calibrate
from ecom_assets.inventory.forecasting.panel import Floats, Panel, of_units

SERIES, WEEKS = 40, 30


def steady(seed: int = 3) -> Panel:
    """Series that sell alike in all weeks."""
    draw = np.random.default_rng(seed)
    return of_units(draw.poisson(draw.uniform(2, 40, (SERIES, 1)), (SERIES, WEEKS)).astype(float))


@pytest.mark.parametrize("wrong", [0.6, 1.0, 1.7])
def test_forecasts_come_to_the_smoothed_whole(wrong: float) -> None:
    panel = steady()
    mean = local.window_mean(panel, 4) * wrong
    whole = float(local.ses(of_units(panel.sold.sum(axis=0)[None]), 1)[0, 0])
    assert levelling.factor(panel, mean) * mean[:, 0].sum() == pytest.approx(whole)


def test_what_series_are_to_each_other_is_left() -> None:
    panel = steady()
    mean = local.window_mean(panel, 4)
    assert levelling.factor(panel, mean * 1.5) * 1.5 == pytest.approx(levelling.factor(panel, mean))


def test_a_whole_that_grows_is_followed() -> None:
    growth = np.linspace(1, 4, WEEKS)
    panel = of_units(np.round(steady().sold * growth))
    mean = np.repeat(steady().sold.mean(axis=1, keepdims=True), 4, axis=1) * 3
    found = levelling.factor(panel, mean) * mean[:, 0].sum()
    assert found > 0.85 * panel.sold[:, -1].sum()


@pytest.mark.parametrize("mean", [0.0, 1e9])
def test_nothing_is_raised_or_lowered_without_bound(mean: float) -> None:
    panel = steady()
    found = levelling.factor(panel, np.full((SERIES, 4), mean))
    assert 1 / levelling.MOST <= found <= levelling.MOST


def test_a_panel_without_revenue_weighs_units() -> None:
    panel = steady()
    free = Panel(
        panel.sold, panel.out, panel.orders, np.zeros_like(panel.sold), panel.first, panel.kin
    )
    assert (levelling.prices(free) == 1).all()


def test_purchases_get_the_mean_back() -> None:
    draw = np.random.default_rng(9)
    mean: Floats = draw.gamma(2, 5, 6_000)
    truth = draw.negative_binomial(0.8, 0.8 / (0.8 + mean)).astype(np.float64)
    low, error = 0.7 * mean, np.sqrt(mean) + 0.3
    early, late = slice(0, 3_000), slice(3_000, None)
    calibration = calibrate(truth[early], low[early], error[early])
    found = calibration.expected(low[late], error[late])
    assert found.sum() == pytest.approx(mean[late].sum(), rel=0.06)
    for half in (mean[late] < np.median(mean), mean[late] >= np.median(mean)):
        assert found[half].sum() == pytest.approx(mean[late][half].sum(), rel=0.1)
