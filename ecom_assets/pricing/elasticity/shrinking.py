"""Drawing single estimates towards their category, as far as they are uncertain.

Normal-normal empirical Bayes: what a category's elasticities differ by is told from what their
estimates differ by (R. Paule and J. Mandel, Journal of Research of the NBS 87, 1982).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecom_assets.pricing.elasticity.panel import Marks, Places, Reals

_LEAST_SPREAD = 0.15
"""Elasticities of a category differ by at least so much, also where the data show nothing of it."""

_FAR = 4.0
"""Standard deviations from the category's median beyond which an estimate is pulled in."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Means of the categories, weights of the products' own estimates, and the result."""

    mean: Reals
    weight: Reals
    value: Reals
    error: Reals


def shrink(raw: Reals, error: Reals, usable: Marks, category: Places) -> Shrunk:
    """Combine each product's estimate with its category.

    Args:
        raw: estimates, n.
        error: their standard errors, n.
        usable: which of them mean anything; others take the category's mean.
        category: n codes from 0.
    """
    overall, spread_all, doubt_all = _prior(raw[usable], error[usable])
    mean, spread = np.full(len(raw), overall), np.full(len(raw), spread_all)
    doubt = np.full(len(raw), doubt_all)
    for code in np.unique(category):
        members = category == code
        own = members & usable
        if own.sum() >= 5:
            middle, width, unsure = _prior(raw[own], error[own])
            mean[members], doubt[members] = middle, unsure
            # Of few estimates the spread is a guess; all of them together know more.
            trust = own.sum() / (own.sum() + 20)
            spread[members] = trust * width + (1 - trust) * spread_all
    known = np.where(usable, error, np.inf)
    weight = np.where(usable, spread**2 / (spread**2 + known**2), 0.0)
    variance = np.where(usable, weight * np.where(usable, error, 0.0) ** 2, spread**2)
    value = np.where(usable, weight * raw, 0.0) + (1 - weight) * mean
    return Shrunk(mean, weight, value, np.sqrt(variance + ((1 - weight) * doubt) ** 2))


def _prior(raw: Reals, error: Reals) -> tuple[float, float, float]:
    """Mean, spread, and standard error of the mean of what the estimates are drawn from."""
    if len(raw) == 0:
        return -1.5, 1.0, 1.0
    if len(raw) < 3:
        return float(np.median(raw)), 1.0, float(np.min(error))
    middle = np.median(raw)
    scale = np.sqrt(1.4826**2 * np.median(np.abs(raw - middle)) ** 2 + error**2)
    raw = np.clip(raw, middle - _FAR * scale, middle + _FAR * scale)
    low, high = 0.0, float(np.var(raw)) + 1.0
    for _ in range(60):
        spread2 = (low + high) / 2
        weight = 1 / (error**2 + spread2)
        mean = float((weight * raw).sum() / weight.sum())
        excess = float((weight * (raw - mean) ** 2).sum()) - (len(raw) - 1)
        low, high = (spread2, high) if excess > 0 else (low, spread2)
    return mean, float(max(np.sqrt(spread2), _LEAST_SPREAD)), float(1 / np.sqrt(weight.sum()))
