"""A simulated shop whose elasticities are known, with sellers who see more demand than is recorded.

Demand of a product is its level, a season of its category, its promotions, the price to the power
of its elasticity, and a shock that lasts some weeks. The seller sees most of the shock coming and
raises the price with it; nobody records it. Costs wander and jump, and part of that reaches the
price. A share of the weeks carries a small deviation drawn by lot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ecom_assets.pricing.elasticity import Panel
from ecom_assets.pricing.elasticity.panel import Places, Reals


@dataclass(frozen=True, slots=True)
class Truth:
    """What the shop knows and nobody else: elasticities, present prices, costs, weekly units."""

    elasticity: Reals
    price: Reals
    cost: Reals
    units: Reals
    category: Places

    def profit(self, price: Reals) -> float:
        """Expected margin of a week at other prices."""
        sold = self.units * (price / self.price) ** self.elasticity
        return float(((price - self.cost) * sold).sum())


@dataclass(frozen=True, slots=True)
class Settings:
    """How a shop is made; shares unless named otherwise.

    Attributes:
        products: how many.
        weeks: how long they were seen.
        categories: how many.
        reaction: how far a price follows the shock that the seller sees, per unit of its logarithm.
        test_share: weeks that carry a deviation.
        test_size: size of a deviation.
        cost_step: weekly standard deviation of the logarithm of the cost.
    """

    products: int = 1_000
    weeks: int = 104
    categories: int = 12
    reaction: float = 0.35
    test_share: float = 0.5
    test_size: float = 0.08
    cost_step: float = 0.012


def make(settings: Settings, seed: int) -> tuple[Panel, Truth]:
    """A shop of the given settings; equal seeds make equal shops."""
    rng = np.random.default_rng(seed)
    n, t = settings.products, settings.weeks
    category = rng.integers(0, settings.categories, n)
    middle = rng.uniform(-3.6, -1.6, settings.categories)
    elasticity = np.minimum(rng.normal(middle[category], 0.45), -1.15)
    shock = _shocks(rng, n, t, size=0.35, lasting=0.8)
    cost = np.exp(rng.normal(3.0, 0.6, n))[:, None] * np.exp(_costs(rng, settings))
    test = _tests(rng, settings)
    promotion = (rng.random((n, t)) < 0.06).astype(float)
    markup = np.exp(rng.normal(np.log(1.55), 0.18, n))[:, None]
    seen_shock = 0.75 * shock + 0.25 * _shocks(rng, n, t, size=0.35, lasting=0.8)
    price = markup * cost**0.7 * (cost[:, :1] ** 0.3) * np.exp(settings.reaction * seen_shock)
    price = price * (1 + test) * (1 - 0.15 * promotion)
    level = np.exp(rng.normal(2.6, 0.9, n))[:, None]
    mean = level * (price / price.mean(axis=1, keepdims=True)) ** elasticity[:, None]
    mean = mean * np.exp(_seasons(rng, settings)[category] + 0.25 * promotion + shock)
    units = rng.poisson(np.minimum(mean, 1e6)).astype(float)
    panel = Panel(price, units, cost, test, promotion, np.ones((n, t), dtype=bool), category)
    return panel, _truth(elasticity, markup, cost, level, price, category)


def _truth(
    elasticity: Reals, markup: Reals, cost: Reals, level: Reals, price: Reals, category: Places
) -> Truth:
    """The week to come: no shock, no promotion, costs of the last week, the usual markup."""
    present = (markup * cost[:, -1:] ** 0.7 * cost[:, :1] ** 0.3)[:, 0]
    units = level[:, 0] * (present / price.mean(axis=1)) ** elasticity
    return Truth(elasticity, present, cost[:, -1], units, category)


def _shocks(rng: Generator, n: int, t: int, size: float, lasting: float) -> Reals:
    shock = np.empty((n, t))
    shock[:, 0] = rng.normal(0, size, n)
    for week in range(1, t):
        fresh = rng.normal(0, size * np.sqrt(1 - lasting**2), n)
        shock[:, week] = lasting * shock[:, week - 1] + fresh
    return shock


def _costs(rng: Generator, settings: Settings) -> Reals:
    steps = rng.normal(0, settings.cost_step, (settings.products, settings.weeks))
    jumps = rng.normal(0, 0.08, steps.shape) * (rng.random(steps.shape) < 0.02)
    steps[:, 0] = 0
    total: Reals = np.cumsum(steps + jumps, axis=1)
    return total


def _tests(rng: Generator, settings: Settings) -> Reals:
    arms = rng.choice(
        [-settings.test_size, settings.test_size], (settings.products, settings.weeks)
    )
    return arms * (rng.random(arms.shape) < settings.test_share)


def _seasons(rng: Generator, settings: Settings) -> Reals:
    week = np.arange(settings.weeks)
    phase = rng.uniform(0, 2 * np.pi, (settings.categories, 1))
    wave = 0.3 * np.sin(2 * np.pi * week / 52 + phase)
    season: Reals = wave + _shocks(rng, settings.categories, settings.weeks, 0.1, 0.7)
    return season
