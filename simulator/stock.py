"""Opening stock and dated receipts, planned by a shop that knows its future only roughly.

Every Monday each product whose stock and open orders no longer cover the supplier's lead time is
ordered again. Forecasts are biased per product, lead times vary and firms order in bulk, so a few
lines in a hundred find the shelf empty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.catalog import PERIOD_DAYS
from simulator.draws import Floats, Ints
from simulator.places import SITES
from simulator.world import World

WEEK_S, DAY_S = 7 * 86_400, 86_400

_SAFETY = 1.25
"""Standard deviations of the demand over the lead time that are kept as safety stock."""

_LUMPINESS = 2.2
"""Variance of a week's demand as a multiple of its mean: several units per line."""

_BIAS, _PLAN_ERROR = 0.18, 0.10
"""Deviation (of the logarithm) of the forecast per product, and of the plan per week."""

_LOT_WEEKS = 2.0
"""Weeks of demand ordered beyond the level, so that not every week brings a parcel."""

_EVERYWHERE, _TWO_SITES = 1.5, 0.25
"""Units a week above which a product lies at all sites, or at two."""


@dataclass(frozen=True, slots=True)
class Suppliers:
    """Suppliers as arrays: mean lead time in days, its deviation, smallest order in euro cents."""

    lead_days: Floats
    spread_days: Floats
    minimum_minor: Ints

    @classmethod
    def build(cls, world: World) -> Suppliers:
        """The suppliers of a shop."""
        index = np.arange(world.spec.suppliers)
        lead = np.clip(world.draws.around("supplier/lead", index, 13, 0.5), 3, 50)
        share = 0.12 + 0.2 * world.draws.uniform("supplier/spread", index)
        least = (world.draws.around("supplier/least", index, 250, 0.7)).astype(np.int64) * 100
        return cls(_rounded(lead, 1), _rounded(lead * share, 2), least)


def _rounded(figure: Floats, places: int) -> Floats:
    return np.round(figure, places).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Goods that arrive, before they are spread over the sites: one element per product and day."""

    product: Ints
    quantity: Ints
    moment: Ints
    week: Ints


def plan(world: World, demand: Ints, suppliers: Suppliers) -> tuple[Ints, Deliveries]:
    """Plan the stock of a shop.

    Args:
        world: the shop.
        demand: units asked for, one row per week and one column per product.
        suppliers: the suppliers.

    Returns:
        Opening stock per product, and the deliveries of the span in the order they were placed.
    """
    forecast = _forecast(world, demand)
    lead = suppliers.lead_days[world.catalog.supplier]
    levels = _levels(forecast, lead)
    opening = levels[0] + np.ceil(forecast[0]).astype(np.int64)
    stock, arrivals = opening.copy(), np.zeros_like(demand)
    placed: list[Deliveries] = []
    for week in range(len(demand)):
        stock = stock + arrivals[week]
        needed = levels[week] - stock - arrivals[week + 1 :].sum(axis=0)
        lot = np.ceil(_LOT_WEEKS * forecast[week]).astype(np.int64)
        # What would come after the span is left out: nobody is there to sell it.
        order = _ordered(world, suppliers, week, np.where(needed > 0, needed + lot, 0))
        arrivals[(order.moment - world.spec.start_s) // WEEK_S, order.product] += order.quantity
        placed.append(order)
        stock = stock - demand[week]
    return opening, _together(placed)


def _ordered(world: World, suppliers: Suppliers, week: int, quantity: Ints) -> Deliveries:
    """What arrives, before the span ends, of the units ordered on the Monday of a week."""
    product = np.flatnonzero(quantity)
    supplier = world.catalog.supplier[product]
    delay = world.draws.normal("receipt/delay", week * len(quantity) + product)
    days = suppliers.lead_days[supplier] + suppliers.spread_days[supplier] * delay
    wait = (np.maximum(days, 1.0) * DAY_S).astype(np.int64)
    moment = world.spec.start_s + week * WEEK_S + 6 * 3600 + wait
    kept = moment < world.spec.end_s
    product = product[kept]
    return Deliveries(product, quantity[product], moment[kept], np.full(len(product), week))


def _together(parts: list[Deliveries]) -> Deliveries:
    return Deliveries(
        np.concatenate([part.product for part in parts]),
        np.concatenate([part.quantity for part in parts]),
        np.concatenate([part.moment for part in parts]),
        np.concatenate([part.week for part in parts]),
    )


def _forecast(world: World, demand: Ints) -> Floats:
    """Expected units per week and product: the plan's total times the product's known share."""
    weeks, skus = demand.shape
    plan_error = world.draws.around("plan/week", np.arange(weeks), 1.0, _PLAN_ERROR)
    total = demand.sum(axis=1) * plan_error
    share = np.diff(world.catalog.popularity, axis=1, prepend=0.0)
    bias = world.draws.around("plan/product", np.arange(skus), 1.0, _BIAS)
    period = np.arange(weeks) * 7 // PERIOD_DAYS
    units: Floats = total[:, None] * share[period] * bias
    return units


def _levels(forecast: Floats, lead_days: Floats) -> Ints:
    """Stock and open orders that cover the lead time and the week until the next look."""
    weeks = len(forecast)
    # The last weeks look beyond the span; ten more weeks like the last serve any lead time.
    ahead = np.concatenate([forecast, np.repeat(forecast[-1:], 10, axis=0)])
    total = np.concatenate([np.zeros_like(ahead[:1]), np.cumsum(ahead, axis=0)])
    span = np.minimum(np.ceil(lead_days / 7.0).astype(np.int64) + 1, 9)
    column = np.arange(forecast.shape[1])
    cover = np.stack([total[week + span, column] - total[week] for week in range(weeks)])
    return np.ceil(cover + _SAFETY * np.sqrt(_LUMPINESS * cover) + 0.5).astype(np.int64)


def site_shares(world: World, demand: Ints) -> Floats:
    """Share of each product (row) that lies at each site (column); slow ones lie at one only."""
    product = np.arange(demand.shape[1])
    weekly = demand.mean(axis=0)
    regional = np.array([site.share for site in SITES])
    home = np.eye(len(SITES))[world.draws.choice("stock/home", product, regional)]
    # Both draws may name the same site, which then holds all of the product.
    second = np.eye(len(SITES))[world.draws.choice("stock/second", product, regional)]
    shares = np.where(weekly[:, None] > _TWO_SITES, 0.65 * home + 0.35 * second, home)
    return np.where(weekly[:, None] > _EVERYWHERE, regional[None, :], shares)


def spread(quantity: Ints, shares: Floats) -> Ints:
    """Split whole quantities by shares, one row each; the parts add up exactly."""
    edges = np.cumsum(shares, axis=1)
    # Rounding may leave the last edge a hair below one, and then a unit would be lost.
    edges[:, -1] = 1.0
    upto = np.floor(quantity[:, None] * edges + 0.5).astype(np.int64)
    return np.diff(upto, axis=1, prepend=0)
