"""The level of the whole: what all series together sell.

A model that is trained on all series has seen each of them in every week, but the whole in a few
dozen weeks only. What moves all series at once (a holiday, a month's end) it therefore learns from
a handful of cases, and repeats what the last weeks happened to do. So the model says how the series
part the whole between them, and the whole is smoothed by itself: the sum of many is steady, and
smoothing it with the weight that fitted best follows a shop that grows. (Top-down forecasting:
Gross and Sohl, "Disaggregation methods to expedite product line forecasting", 1990.)
"""

from __future__ import annotations

import numpy as np

from ecom_assets.inventory.forecasting import local
from ecom_assets.inventory.forecasting.panel import Floats, Panel, of_units

MOST = 2.0
"""Forecasts are raised at most so many times, and lowered likewise."""


def prices(panel: Panel) -> Floats:
    """What a unit of each series brought, (series,); 1 for all in a panel that knows no revenue."""
    units, revenue = panel.sold.sum(axis=1), panel.revenue.sum(axis=1)
    if not revenue.any():
        return np.ones(panel.series)
    price: Floats = np.where(units > 0, revenue / np.maximum(units, 1e-9), 0.0)
    return price


def factor(panel: Panel, mean: Floats) -> float:
    """What forecasts are multiplied with so that together they come to the smoothed whole.

    Args:
        panel: what is known at the origin.
        mean: expected units, (series, horizon).
    """
    price = prices(panel)
    forecast = float(price @ mean.mean(axis=1))
    # At the same prices in all weeks, so that a price that changes is not taken for demand.
    whole = float(local.ses(of_units((price @ panel.sold)[None]), 1)[0, 0])
    if forecast <= 0 or whole <= 0:
        return 1.0
    return float(np.clip(whole / forecast, 1 / MOST, MOST))
