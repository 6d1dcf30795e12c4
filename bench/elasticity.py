"""Elasticities of a shop whose true ones are known: error, coverage, and profit against an oracle.

    python -m bench.elasticity                    1,000 products, 104 weeks, 3 shops
    python -m bench.elasticity --no-tests         cost shifts alone

Every method proposes prices within 20% of the present ones; captured is the profit it adds as a
share of what the true elasticities would add under the same limit.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

import numpy as np

from bench.demand_shop import Settings, Truth, make
from ecom_assets.pricing.elasticity import Panel, best_prices, estimate
from ecom_assets.pricing.elasticity.panel import Reals, centred

REACH = 0.2
_FIXED = -2.0


def captured(truth: Truth, elasticity: Reals, error: Reals) -> float:
    """Share of the oracle's gain that prices by an estimate bring."""
    proposed = best_prices(truth.price, truth.cost, elasticity, error, REACH)
    oracle = best_prices(truth.price, truth.cost, truth.elasticity, np.zeros_like(error), REACH)
    before = truth.profit(truth.price)
    return (truth.profit(proposed) - before) / (truth.profit(oracle) - before)


def plain_regression(panel: Panel) -> tuple[Reals, Reals]:
    """Units on prices in logarithms, product by product."""
    x, y = _logs(panel)
    square = np.maximum((x**2).sum(axis=1), 1e-9)
    slope = (x * y).sum(axis=1) / square
    rest = y - slope[:, None] * x
    return slope, np.sqrt((rest**2).sum(axis=1) / (x.shape[1] - 2) / square)


def pooled_regression(panel: Panel) -> tuple[Reals, Reals]:
    """One elasticity for all."""
    x, y = _logs(panel)
    slope = float((x * y).sum() / (x**2).sum())
    return np.full(len(panel), slope), np.full(len(panel), 0.05)


def double_learning(panel: Panel) -> tuple[Reals, Reals]:
    """What a learner does not foresee of units on what it does not foresee of prices.

    Season, category, past units and past prices go into the learner; cross-fitted by product
    (V. Chernozhukov et al., Econometrics Journal 21, 2018).
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    x, y = _logs(panel)
    n, t = x.shape
    week = np.broadcast_to(np.arange(t) % 52, (n, t))
    category = np.broadcast_to(panel.category[:, None], (n, t))
    past = [np.roll(part, 1, axis=1) for part in (x, y)]
    features = np.stack([week, category, panel.promotion, np.log(panel.cost), *past], axis=2)
    fold = np.arange(n) % 2
    rest: list[Reals] = []
    for part in (x, y):
        left = np.empty_like(part)
        for side in (0, 1):
            model = HistGradientBoostingRegressor(max_iter=80, random_state=0)
            train, test = fold != side, fold == side
            model.fit(features[train].reshape(-1, 6), part[train].ravel())
            left[test] = part[test] - model.predict(features[test].reshape(-1, 6)).reshape(-1, t)
        rest.append(left)
    square = (rest[0] ** 2).sum(axis=1)
    slope = (rest[0] * rest[1]).sum(axis=1) / square
    noise = rest[1] - slope[:, None] * rest[0]
    return slope, np.sqrt((noise**2).sum(axis=1) / (t - 2) / square)


def _logs(panel: Panel) -> tuple[Reals, Reals]:
    return (centred(np.log(panel.price), panel.seen),
            centred(np.log(panel.units + 0.5), panel.seen))  # fmt: skip


def measure(settings: Settings, seed: int) -> dict[str, dict[str, float]]:
    """Every method on one shop: median error, coverage, captured share, seconds."""
    panel, truth = make(settings, seed)
    found: dict[str, dict[str, float]] = {}
    methods: dict[str, Any] = {
        "plain regression": plain_regression,
        "one fixed elasticity": lambda p: (np.full(len(p), _FIXED), np.zeros(len(p))),
        "pooled regression": pooled_regression,
        "double learning": double_learning,
        "ours": lambda p: (lambda e: (e.value, e.error))(estimate(p)),
    }
    for name, method in methods.items():
        begun = time.perf_counter()
        value, error = method(panel)
        seconds = time.perf_counter() - begun
        miss = np.abs(value - truth.elasticity)
        found[name] = {
            "error": float(np.median(miss)), "covered": float((miss <= 1.96 * error).mean()),
            "captured": captured(truth, value, error if name == "ours" else np.zeros_like(error)),
            "seconds": seconds,
        }  # fmt: skip
    return found


def main() -> None:
    """Run the benchmark the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--products", type=int, default=1_000)
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--shops", type=int, default=3)
    parser.add_argument("--no-tests", action="store_true")
    given = parser.parse_args()
    settings = Settings(given.products, given.weeks)
    if given.no_tests:
        settings = replace(settings, test_share=0.0)
    shops = [measure(settings, seed) for seed in range(1, given.shops + 1)]
    print(f"{given.products:,} products, {given.weeks} weeks, {given.shops} shops")
    print(f"{'':22}{'median error':>14}{'95% covered':>13}{'captured':>10}{'seconds':>9}")
    for name in shops[0]:
        mean = {key: float(np.mean([shop[name][key] for shop in shops])) for key in shops[0][name]}
        print(f"{name:22}{mean['error']:14.2f}{mean['covered']:13.0%}{mean['captured']:10.0%}"
              f"{mean['seconds']:9.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
