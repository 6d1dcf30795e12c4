"""Elasticities of all products of a panel, with intervals that were tested on the panel itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecom_assets.pricing.elasticity.moments import Said, ask
from ecom_assets.pricing.elasticity.panel import Marks, Panel, Places, Reals, centred, passing
from ecom_assets.pricing.elasticity.shrinking import Shrunk, shrink

BY_TESTS, BY_COSTS, OBSERVED = "price_tests", "cost_shifts", "association"
"""What an estimate rests on; an association must not be priced by."""

Z95 = 1.96
_LEAST_WEEKS = 20
_LEAST_UNITS = 20.0
_LEAST_MOVE = 0.005
"""A spread of half a percent in what moves the price is none."""

_ROUNDS = 6
_BLOCK_WEEKS = 13


@dataclass(frozen=True, slots=True)
class Estimates:
    """Elasticities of n products.

    Attributes:
        raw: estimate from the product alone, not a number where there is none.
        raw_error: its standard error.
        mean: mean of the category.
        weight: weight of the product's own estimate.
        value: estimate after shrinkage.
        error: its standard error, widened as far as the halves of the panel differ too much.
        method: what each rests on.
        widening: factor by which errors were widened.
    """

    raw: Reals
    raw_error: Reals
    mean: Reals
    weight: Reals
    value: Reals
    error: Reals
    method: tuple[str, ...]
    widening: float

    @property
    def low(self) -> Reals:
        """Lower ends of the 95% intervals."""
        return self.value - Z95 * self.error

    @property
    def high(self) -> Reals:
        """Upper ends of the 95% intervals."""
        return self.value + Z95 * self.error


def estimate(panel: Panel) -> Estimates:
    """Estimate the elasticity of every product.

    The category's demand by week, estimated with the elasticities in turn, stands for the season;
    promotions are a regressor of their own. Quarters are then split into two halves: where the two
    estimates of a product differ by more than their errors say, all errors are widened alike.
    """
    instrument, method = _instrument(panel)
    usable = _usable(panel, instrument)
    shrunk, offset = _start(panel), np.zeros_like(panel.price)
    for _ in range(_ROUNDS):
        shrunk = shrink(_said(panel, instrument, offset, shrunk.value), usable, panel.category)
        offset = _season(panel, shrunk.value)
    widening = _widening(panel, instrument, offset, shrunk.value, usable)
    said = _said(panel, instrument, offset, shrunk.value)
    shrunk = shrink(said, usable, panel.category, widening)
    speaks = usable & (said.slope > 0)
    slope = np.where(speaks, said.slope, 1.0)
    return Estimates(
        np.where(speaks, said.target / slope, np.nan),
        np.where(speaks, np.sqrt(said.variance) * widening / slope, np.nan),
        shrunk.mean, shrunk.weight, shrunk.value, shrunk.error, method, widening,
    )  # fmt: skip


def _start(panel: Panel) -> Shrunk:
    first = np.full(len(panel), -1.5)
    return Shrunk(first, np.zeros_like(first), first, np.ones_like(first))


def _usable(panel: Panel, instrument: Reals) -> Marks:
    units, weeks = (panel.units * panel.seen).sum(axis=1), panel.seen.sum(axis=1)
    moves = instrument.std(axis=1) > 1e-4
    usable: Marks = (weeks >= _LEAST_WEEKS) & (units >= _LEAST_UNITS) & moves
    return usable


def _instrument(panel: Panel) -> tuple[Reals, tuple[str, ...]]:
    """What moves each price for reasons buyers do not share, scaled as it moves the price.

    How far costs and tests reach the price is one figure per category: of single products it would
    be fitted to their shocks as well.
    """
    log_price = passing(np.log(np.where(panel.seen, panel.price, 1.0)), panel.seen)
    cost = passing(np.log(np.where(panel.seen, panel.cost, 1.0)), panel.seen)
    test = centred(np.log1p(panel.test), panel.seen)
    promotion = centred(panel.promotion, panel.seen)
    made = np.zeros_like(cost)
    for code in np.unique(panel.category):
        of = panel.category == code
        columns = np.stack([part[of].ravel() for part in (cost, test, promotion)], axis=1)
        reach = np.linalg.lstsq(columns, log_price[of].ravel(), rcond=None)[0]
        # A cost that lowers the price is chance, and would turn the sign of what is learned.
        made[of] = max(reach[0], 0.0) * cost[of] + max(reach[1], 0.0) * test[of]
    tested = test.std(axis=1) > _LEAST_MOVE
    moved = made.std(axis=1) > _LEAST_MOVE
    made[~moved] = log_price[~moved]
    method = np.where(tested & moved, BY_TESTS, np.where(moved, BY_COSTS, OBSERVED))
    return made, tuple(str(one) for one in method)


def _said(panel: Panel, instrument: Reals, offset: Reals, elasticity: Reals) -> Said:
    log_price = centred(np.log(np.where(panel.seen, panel.price, 1.0)), panel.seen)
    promotion = centred(panel.promotion, panel.seen)
    weight = panel.seen.astype(float)
    return ask(panel.units, log_price, instrument, promotion, offset, elasticity, weight)


def _season(panel: Panel, elasticity: Reals) -> Reals:
    """The logarithm of each category's demand by week beside what prices explain."""
    log_price = centred(np.log(np.where(panel.seen, panel.price, 1.0)), panel.seen)
    level = np.maximum((panel.units * panel.seen).sum(axis=1), 0.5)
    shape = np.exp(np.clip(elasticity[:, None] * log_price, -5, 5)) * panel.seen
    expected = shape * (level / np.maximum(shape.sum(axis=1), 1e-9))[:, None]
    season = np.zeros_like(log_price)
    for code in np.unique(panel.category):
        of = panel.category == code
        sold, due = (panel.units * panel.seen)[of].sum(axis=0), expected[of].sum(axis=0)
        # Ten units of prior keep weeks of few sales near the mean.
        season[of] = np.log((sold + 10.0) / (due + 10.0))
    return season


def _widening(
    panel: Panel, instrument: Reals, offset: Reals, elasticity: Reals, usable: Marks
) -> float:
    """How far the estimates of two halves of the weeks differ, in their own standard errors."""
    blocks = (np.arange(panel.price.shape[1]) // _BLOCK_WEEKS) % 2 == 0
    first, second = (
        _said(panel.only(weeks), instrument, offset, elasticity) for weeks in (blocks, ~blocks)
    )
    both = usable & (first.slope > 0) & (second.slope > 0)
    if both.sum() < 20:
        return 1.25
    gap = first.target[both] / first.slope[both] - second.target[both] / second.slope[both]
    error = np.hypot(np.sqrt(first.variance[both]) / first.slope[both],
                     np.sqrt(second.variance[both]) / second.slope[both])  # fmt: skip
    # By the middle of the distribution: a few wild products must not widen all.
    return float(max(1.0, np.median(np.abs(gap / error)) / 0.6745))


def categories_of(names: list[str]) -> tuple[Places, list[str]]:
    """Codes of category names, and the names by code."""
    found, codes = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    return codes.reshape(-1).astype(np.int64), [str(name) for name in found]
