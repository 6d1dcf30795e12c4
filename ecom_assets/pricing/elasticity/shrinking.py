"""Drawing single estimates towards their category, as far as they are uncertain.

Normal-normal empirical Bayes on what the weeks say (`moments.Said`): of products with little to say
nothing is divided by nearly nothing, and a category's mean weighs products by how far their price
was moved, which chance does not decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecom_assets.pricing.elasticity.moments import Said
from ecom_assets.pricing.elasticity.panel import Marks, Places, Reals

_LEAST_SPREAD = 0.15
"""Elasticities of a category differ by at least so much, also where the data show nothing of it."""

_LEAST_MEMBERS = 5
"""A category of fewer products is counted with all others."""

_UNKNOWN = (-1.5, 1.0, 2.0)
"""Mean, spread and doubt where nothing is known at all."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Means of the categories, weights of the products' own estimates, and the result."""

    mean: Reals
    weight: Reals
    value: Reals
    error: Reals


def shrink(said: Said, usable: Marks, category: Places, widening: float = 1.0) -> Shrunk:
    """Combine what each product says with its category.

    Args:
        said: what the weeks say of n elasticities.
        usable: which products say anything; others take the category's mean.
        category: n codes from 0.
        widening: factor by which errors of what is said are larger than stated.
    """
    variance = said.variance * widening**2
    mean, spread, doubt = (np.empty(len(category)) for _ in range(3))
    overall = _prior(said, variance, usable)
    for code in np.unique(category):
        members = category == code
        own = members & usable
        found = overall
        if own.sum() >= _LEAST_MEMBERS:
            middle, wide, unsure = _prior(said, variance, own)
            # Of few products the spread is a guess; all of them together know more.
            trust = own.sum() / (own.sum() + 30)
            found = (
                middle,
                float(np.hypot(trust**0.5 * wide, (1 - trust) ** 0.5 * overall[1])),
                unsure,
            )
        mean[members], spread[members], doubt[members] = found
    slope = np.where(usable, said.slope, 0.0)
    total = spread**2 * slope**2 + np.maximum(variance, 1e-12)
    weight = spread**2 * slope**2 / total
    value = mean + np.where(usable, spread**2 * slope * (said.target - slope * mean) / total, 0.0)
    error = np.sqrt((1 - weight) * spread**2 + ((1 - weight) * doubt) ** 2)
    return Shrunk(mean, weight, value, error)


def _prior(said: Said, variance: Reals, members: Marks) -> tuple[float, float, float]:
    """Mean and spread of the elasticities of some products, and how sure the mean is."""
    slope, target, noise = said.slope[members], said.target[members], variance[members]
    strength = float(slope.sum())
    if len(slope) < 3 or strength <= 0:
        return _UNKNOWN
    mean = float(target.sum() / strength)
    rest = target - slope * mean
    doubt = float(np.sqrt((rest**2).sum()) / strength)
    power = max(float((slope**2).sum()), 1e-12)
    # The spread is itself a guess, and too small a one makes all intervals too narrow: one
    # standard error is added.
    unsure = float(np.sqrt(2 * ((np.maximum(noise, rest**2)) ** 2).sum()) / power)
    spread2 = float((rest**2 - noise).sum()) / power + min(unsure, 1.0)
    return mean, float(np.sqrt(max(spread2, _LEAST_SPREAD**2))), doubt
