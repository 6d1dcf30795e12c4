"""Elasticities are found where something moved prices by itself, with honest intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.demand_shop import Settings, make
from bench.elasticity import captured, plain_regression
from ecom_assets.pricing.elasticity import best_prices, estimate
from ecom_assets.pricing.elasticity.estimating import BY_COSTS, BY_TESTS, OBSERVED
from ecom_assets.pricing.elasticity.moments import Said
from ecom_assets.pricing.elasticity.panel import centred, passing
from ecom_assets.pricing.elasticity.shrinking import shrink

SHOP = Settings(products=300, weeks=104, categories=4)


def test_tests_by_lot_capture_most_of_the_profit_and_intervals_cover() -> None:
    panel, truth = make(SHOP, seed=11)
    found = estimate(panel)
    assert set(found.method) == {BY_TESTS}
    covered = (found.low <= truth.elasticity) & (truth.elasticity <= found.high)
    assert covered.mean() > 0.88
    assert captured(truth, found.value, found.error) > 0.7
    plain, _ = plain_regression(panel)
    assert captured(truth, plain, np.zeros_like(plain)) < 0.3, "sellers who see demand mislead it"
    miss, before = np.abs(found.value - truth.elasticity), np.abs(plain - truth.elasticity)
    assert np.median(miss) < np.median(before) / 2


def test_costs_alone_say_less_and_the_intervals_know() -> None:
    panel, truth = make(replace(SHOP, test_share=0.0), seed=12)
    found = estimate(panel)
    assert set(found.method) == {BY_COSTS}
    tested = estimate(make(SHOP, seed=12)[0])
    assert np.median(found.error) > np.median(tested.error)
    covered = (found.low <= truth.elasticity) & (truth.elasticity <= found.high)
    assert covered.mean() > 0.8


def test_without_anything_that_moves_prices_it_is_an_association() -> None:
    panel, _ = make(replace(SHOP, products=60, test_share=0.0), seed=13)
    still = replace(panel, cost=np.ones_like(panel.cost))
    assert set(estimate(still).method) == {OBSERVED}


def test_products_without_sales_or_price_moves_take_their_category() -> None:
    panel, _ = make(replace(SHOP, products=80), seed=14)
    panel.units[:3] = 0
    panel.price[3:6] = 10.0
    found = estimate(panel)
    assert np.isnan(found.raw[:3]).all()
    assert (found.weight[:3] == 0).all()
    assert np.allclose(found.value[:3], found.mean[:3])
    assert np.isfinite(found.value).all()
    assert np.isfinite(found.error).all()


def test_shrinkage_trusts_what_is_sure() -> None:
    slope = np.array([100.0, 1.0, 50.0, 50.0, 50.0, 50.0])
    true = np.array([-3.0, -9.0, -1.0, -2.0, -2.5, -1.5])
    said = Said(slope * true, slope, np.full(6, 30.0))
    found = shrink(said, np.ones(6, dtype=bool), np.zeros(6, dtype=int))
    assert found.weight[0] > 0.9 > 0.5 > found.weight[1]
    assert abs(found.value[1] - found.mean[1]) < abs(true[1] - found.mean[1])
    assert found.error[1] > found.error[0]


@pytest.mark.parametrize("seed", range(3))
def test_filters_leave_no_level(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, seen = rng.normal(5, 1, (4, 40)), rng.random((4, 40)) < 0.8
    assert np.allclose(centred(values, seen).sum(axis=1), 0)
    assert (passing(values, seen)[~seen] == 0).all()
    assert np.allclose(passing(np.full((1, 40), 7.0), np.ones((1, 40), dtype=bool)), 0)


def test_the_best_price_is_that_of_the_textbook_when_all_is_known() -> None:
    price, cost, elasticity = np.array([10.0]), np.array([6.0]), np.array([-3.0])
    best = best_prices(price, cost, elasticity, np.zeros(1), reach=0.3)
    assert best[0] == pytest.approx(6 * 3 / 2, rel=0.01)
    near = best_prices(price, cost, elasticity, np.zeros(1), reach=0.05)
    assert near[0] == pytest.approx(9.5)
