"""The panel's own methods equal the field's library, series by series."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecom_assets.inventory.forecasting import local
from ecom_assets.inventory.forecasting.panel import Floats, of_units

HORIZON = 4


@pytest.fixture(scope="module")
def units() -> Floats:
    """Series of all kinds, some that begin late, one that never sold."""
    draw = np.random.default_rng(3)
    rates = draw.gamma(0.7, 6.0, (60, 1))
    sold = draw.poisson(rates, (60, 45)).astype(np.float64)
    sold *= draw.random((60, 45)) < draw.uniform(0.1, 1.0, (60, 1))
    sold[:5, :20] = 0
    sold[5] = 0
    return sold


def by_library(units: Floats, name: str, **options: Any) -> Floats:
    # Imported late: compiling its loops takes seconds that no other test should wait for.
    from statsforecast import models

    model, found = getattr(models, name)(**options), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in units:
            series = row[int(np.argmax(row > 0)) :]
            found.append(model.forecast(y=series, h=HORIZON)["mean"])
    return np.array(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("own", "name", "options"),
    [
        ("naive", "Naive", {}),
        ("croston_sba", "CrostonSBA", {}),
        ("tsb", "TSB", {"alpha_d": local.TSB_SIZE, "alpha_p": local.TSB_PROBABILITY}),
    ],
)
def test_a_method_equals_the_library(
    units: Floats, own: str, name: str, options: dict[str, float]
) -> None:
    ours = local.METHODS[own](of_units(units), HORIZON)
    assert ours == pytest.approx(by_library(units, name, **options), abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("own", "name"), [("ses", "SimpleExponentialSmoothingOptimized"), ("imapa", "IMAPA")]
)
def test_a_method_that_searches_comes_close_to_the_library(
    units: Floats, own: str, name: str
) -> None:
    ours, theirs = local.METHODS[own](of_units(units), HORIZON), by_library(units, name)
    # The weight is searched on a grid here and by a solver there.
    close = np.isclose(ours, theirs, rtol=0.05, atol=0.05).all(axis=1)
    assert close.mean() >= 0.85
    assert np.abs(ours - theirs).mean() < 0.05 * units.mean()


@pytest.mark.slow
def test_smoothing_with_a_given_weight_equals_the_library(units: Floats) -> None:
    panel = of_units(units)
    level, _ = local.smoothed(panel.sold, panel.lived(), 0.3)
    theirs = by_library(units, "SimpleExponentialSmoothing", alpha=0.3)
    assert level == pytest.approx(theirs[:, 0], abs=1e-9)


def test_the_season_repeats_the_last_four_weeks() -> None:
    panel = of_units(np.array([[9.0, 1, 2, 3, 4]]))
    assert local.seasonal_naive(panel, 6).tolist() == [[1, 2, 3, 4, 1, 2]]


def test_a_window_counts_weeks_of_life_only() -> None:
    panel = of_units(np.array([[0.0, 0, 6, 2]]))
    assert local.window_mean(panel, 1).tolist() == [[4.0]]


SERIES = arrays(np.float64, (3, 12), elements=st.integers(0, 40).map(float))


@settings(max_examples=60)
@given(SERIES)
def test_every_method_stays_between_nothing_and_the_most_ever_sold(sold: Floats) -> None:
    panel = of_units(sold)
    for name, method in local.METHODS.items():
        found = method(panel, HORIZON)
        assert found.shape == (3, HORIZON), name
        assert (found >= 0).all(), name
        assert (found <= sold.max(axis=1)[:, None] + 1e-9).all(), name


@settings(max_examples=60)
@given(SERIES, st.integers(2, 9))
def test_every_method_forecasts_in_the_units_it_is_given(sold: Floats, times: int) -> None:
    for name, method in local.METHODS.items():
        once, scaled = (method(of_units(each), 1) for each in (sold, sold * times))
        assert scaled == pytest.approx(once * times, abs=1e-6), name


@settings(max_examples=40)
@given(SERIES, st.integers(1, 11))
def test_weeks_to_come_change_nothing(sold: Floats, origin: int) -> None:
    panel = of_units(sold)
    other = of_units(np.column_stack([sold[:, :origin], sold[:, origin:] + 7]), first=panel.first)
    for name, method in local.METHODS.items():
        known, same = method(panel.until(origin), 2), method(other.until(origin), 2)
        assert (known == same).all(), name
