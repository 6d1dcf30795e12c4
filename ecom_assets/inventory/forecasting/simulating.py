"""Replenishment played through on the kept history: what a policy would have sold and held.

Every week the goods that are due arrive, customers buy what is there (the rest is lost), and at the
week's end the stock position is filled up to the policy's level. So a level covers the demand of
the lead time and one week until the next review: the periodic-review order-up-to policy (Silver,
Pyke and Thomas, Inventory and Production Management, 4th edition, section 6.9).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecom_assets.inventory.forecasting.panel import Floats


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a policy.

    Attributes:
        fill_rate: share of the demanded units that was served.
        value_fill_rate: the same by value.
        stock_units: mean units in stock over weeks and series.
        stock_value: the same times what a unit costs, summed over series.
        ordered_units: units ordered.
    """

    fill_rate: float
    value_fill_rate: float
    stock_units: float
    stock_value: float
    ordered_units: float


def play(demand: Floats, levels: Floats, price: Floats, cost: Floats, lead_weeks: int) -> Played:
    """Play a policy through.

    Args:
        demand: units asked for, (series, weeks).
        levels: what the position is filled up to at the end of the week before, (series, weeks).
        price: what a unit sells for, (series,).
        cost: what a unit costs, (series,).
        lead_weeks: whole weeks from order to arrival; 0 arrives before the next week's demand.
    """
    series, weeks = demand.shape
    stock, due = np.ceil(levels[:, 0]), np.zeros((weeks + lead_weeks + 1, series))
    on_order, ordered = np.zeros(series), 0.0
    sold, held = np.zeros(series), np.zeros(series)
    for week in range(weeks):
        # Reviewed before the week begins, with the forecast of that moment.
        wanted = np.maximum(np.ceil(levels[:, week]) - stock - on_order, 0)
        due[week + lead_weeks] += wanted
        on_order += wanted
        ordered += float(wanted.sum())
        stock, on_order = stock + due[week], on_order - due[week]
        served = np.minimum(stock, demand[:, week])
        # Mean of the week's beginning and end, as if it sold evenly.
        held += stock - served / 2
        stock, sold = stock - served, sold + served
    asked = demand.sum(axis=1)
    return Played(
        fill_rate=_share(sold.sum(), asked.sum()),
        value_fill_rate=_share((sold * price).sum(), (asked * price).sum()),
        stock_units=float(held.sum() / max(weeks * series, 1)),
        stock_value=float((held * cost).sum() / max(weeks, 1)),
        ordered_units=ordered,
    )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 1.0


def stock_at(points: list[tuple[float, float]], fill_rate: float) -> float | None:
    """Stock that a policy holds at a fill rate, between the two played next to it.

    Args:
        points: (fill rate, stock) of one policy at several service levels.
        fill_rate: the one asked about.

    Returns:
        The stock, or None where the policy was never that good or never that bad.
    """
    ordered = sorted(points)
    if not ordered or not ordered[0][0] <= fill_rate <= ordered[-1][0]:
        return None
    rates, stocks = zip(*ordered, strict=True)
    return float(np.interp(fill_rate, rates, stocks))
