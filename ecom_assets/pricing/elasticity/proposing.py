"""Prices of most expected margin, given how demand answers and how surely that is known."""

from __future__ import annotations

import numpy as np

from ecom_assets.pricing.elasticity.panel import Reals

_STEPS = 101


def best_prices(
    price: Reals, cost: Reals, elasticity: Reals, error: Reals, reach: float, tax: float = 0.0
) -> Reals:
    """The prices within reach of the present ones that promise most margin.

    What is expected is the mean over what the elasticity may be: with x the logarithm of new over
    old price, units are exp(e x + s^2 x^2 / 2) of the present ones.

    Args:
        price: present prices, n.
        cost: net costs, n.
        elasticity: estimates, n.
        error: their standard errors, n.
        reach: largest share of the price to move; beyond it nothing was seen.
        tax: share of tax on the net price.
    """
    factor = np.linspace(1 - reach, 1 + reach, _STEPS)
    x = np.log(factor)
    units = np.exp(elasticity[:, None] * x + (error[:, None] * x) ** 2 / 2)
    margin = price[:, None] * factor / (1 + tax) - cost[:, None]
    best: Reals = price * factor[np.argmax(margin * units, axis=1)]
    return best
