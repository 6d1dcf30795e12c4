"""Intervals: never falling, honest on data they have not seen, and scores that say so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecom_assets.inventory.forecasting import scores
from ecom_assets.inventory.forecasting.intervals import calibrate, quantiles
from ecom_assets.inventory.forecasting.panel import Floats, of_units

LEVELS = scores.QUANTILES
AMOUNTS = arrays(np.float64, 30, elements=st.floats(0, 1e4))


@settings(max_examples=80)
@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_quantiles_never_fall_and_are_never_negative(
    truth: Floats, mean: Floats, error: Floats, other: Floats
) -> None:
    calibration = calibrate(truth, mean, error + 0.1)
    found = quantiles(other, error + 0.1, calibration, LEVELS)
    assert (found >= 0).all()
    assert (np.diff(found, axis=-1) >= 0).all()


@pytest.mark.parametrize("rate", [0.2, 1.0, 30.0])
def test_quantiles_cover_what_they_say(rate: float) -> None:
    draw = np.random.default_rng(5)
    mean = rate * draw.gamma(2, 0.5, 8_000)
    truth = draw.negative_binomial(1.5, 1.5 / (1.5 + mean)).astype(np.float64)
    error = np.sqrt(mean) + 0.1
    early, late = slice(0, 4_000), slice(4_000, None)
    calibration = calibrate(truth[early], mean[early], error[early])
    found = quantiles(mean[late], error[late], calibration, LEVELS)
    for each in scores.coverage(truth[late, None], found[:, None, :], LEVELS):
        assert each.miss < 0.02, each


def test_nothing_to_learn_from_is_an_error() -> None:
    nothing = np.zeros(0)
    with pytest.raises(ValueError, match="no forecast whose truth is known"):
        calibrate(nothing, nothing, nothing)


def test_a_count_is_covered_from_both_sides() -> None:
    # Nine of ten weeks sell nothing: nothing is the median, and also the 0.9-quantile.
    truth = np.array([[0.0] * 9 + [5.0]])
    found = np.zeros((1, 10, 2))
    half, most = scores.coverage(truth, found, (0.5, 0.95))
    assert (half.below, half.covered, half.miss) == (0.0, 0.9, 0.0)
    assert most.miss == pytest.approx(0.05)


def test_errors_are_told_in_changes_from_week_to_week() -> None:
    known = of_units(np.array([[2.0, 4, 2, 4]]))
    found = scores.points(known, np.array([[3.0, 3]]), np.array([[5.0, 5]]))
    assert found.rmsse.tolist() == found.mase.tolist() == [1.0]
    assert found.bias.tolist() == [2.0]


def test_the_last_value_again_is_worth_about_one() -> None:
    walk = np.abs(np.cumsum(np.random.default_rng(2).normal(0, 5, (400, 60)), axis=1) + 100)
    known = of_units(walk[:, :59])
    found = scores.points(known, walk[:, 59:], walk[:, 58:59])
    assert np.sqrt((found.rmsse**2).mean()) == pytest.approx(1, abs=0.15)


def test_pinball_punishes_the_wrong_side() -> None:
    truth, scale = np.array([[10.0]]), np.array([1.0])
    low, high = np.array([[[8.0]]]), np.array([[[12.0]]])
    assert scores.pinball(truth, low, (0.9,), scale)[0] == pytest.approx(1.8)
    assert scores.pinball(truth, high, (0.9,), scale)[0] == pytest.approx(0.2)


def test_weights_of_nothing_weigh_alike() -> None:
    assert scores.weighted(np.array([1.0, 3.0]), np.zeros(2)) == 2.0
    assert scores.weighted(np.array([1.0, 3.0]), np.array([3.0, 1.0])) == 1.5
