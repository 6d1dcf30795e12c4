"""What is ordered: lines with prices, discounts and contained tax, and the totals of orders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.catalog import PERIOD_DAYS
from simulator.draws import Floats, Ints
from simulator.heads import Channel, Heads
from simulator.places import COUNTRIES
from simulator.season import SALE_DAYS, day_of_year
from simulator.world import World

MOST_LINES = 12
"""Lines of the largest order."""

_FREE_SHIPPING_MINOR, _SHIPPING_MINOR = 6_000, 490
"""Shipping is charged below this value of goods, in euro cents."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Order lines as arrays of one element per line, and the totals per order.

    Attributes:
        owner: position of the order among the heads.
        line_no: number of the line within the order, from 1.
        key: number that tells all lines of the shop apart.
        product: position in the catalogue.
        quantity: units, at least 1.
        unit_minor: price of a unit in the minor unit of the order's currency.
        discount_minor: discount on the line.
        tax_minor: tax contained in the line.
        shipping_minor: per order, shipping charged.
        total_minor: per order, goods less discount plus shipping.
    """

    owner: Ints
    line_no: Ints
    key: Ints
    product: Ints
    quantity: Ints
    unit_minor: Ints
    discount_minor: Ints
    tax_minor: Ints
    shipping_minor: Ints
    total_minor: Ints


def per_country(attribute: str) -> Floats:
    """A figure of each country, in the order of `COUNTRIES`."""
    return np.array([getattr(each, attribute) for each in COUNTRIES], dtype=np.float64)


def build_lines(world: World, heads: Heads) -> Lines:
    """Make the lines of the given orders."""
    draws = world.draws
    counts = _line_counts(world, heads)
    owner = np.repeat(np.arange(len(counts)), counts)
    line_no = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    key = heads.order[owner] * (MOST_LINES + 1) + line_no
    product = _products(world, heads, owner, key)
    quantity = _quantities(world, heads, owner, key)
    unit = _unit_prices(world, heads, owner, product)
    is_cut = draws.chance("line/is cut", key, 0.12)
    # Two draws: whether and how much must not depend on each other.
    cut = np.where(is_cut, 0.05 + 0.2 * draws.uniform("line/cut", key), 0.0)
    discount = (quantity * unit * cut).astype(np.int64)
    goods = quantity * unit - discount
    vat = per_country("vat")[heads.country[owner]]
    # Sums of cents stay far below 2**53, so the floats of bincount are exact.
    value = np.bincount(owner, weights=goods, minlength=len(counts)).astype(np.int64)
    shipping = _shipping(heads, value)
    return Lines(
        owner, line_no, key, product, quantity, unit, discount,
        np.rint(goods * vat / (1.0 + vat)).astype(np.int64), shipping, value + shipping,
    )  # fmt: skip


def _line_counts(world: World, heads: Heads) -> Ints:
    """One line and geometrically fewer with more; firms order more at a time."""
    more = np.where(heads.channel == Channel.PHONE, 0.68, 0.42)
    chance = world.draws.uniform("order/lines", heads.order)
    return np.minimum(1 + (np.log1p(-chance) / np.log(more)).astype(np.int64), MOST_LINES)


def _products(world: World, heads: Heads, owner: Ints, key: Ints) -> Ints:
    """The popular ones mostly; thieves take what is dear and sells on."""
    catalog = world.catalog
    period = (heads.placed[owner] - world.spec.start_s) // (PERIOD_DAYS * 86_400)
    chance = world.draws.uniform("line/product", key)
    dear = catalog.dearest[(chance * len(catalog.dearest)).astype(np.int64)]
    takes = heads.is_fraud[owner] & world.draws.chance("line/dear", key, 0.7)
    return np.where(takes, dear, catalog.ask(period, chance))


def _quantities(world: World, heads: Heads, owner: Ints, key: Ints) -> Ints:
    chance = world.draws.uniform("line/quantity", key)
    more = np.where(heads.channel[owner] == Channel.PHONE, 0.62, 0.16)
    return np.minimum(1 + (np.log1p(-chance) / np.log(more)).astype(np.int64), 60)


def _unit_prices(world: World, heads: Heads, owner: Ints, product: Ints) -> Ints:
    """List price in the currency of the destination; marketplaces cost more, sales less."""
    day = day_of_year(heads.placed)
    is_sale = (day >= SALE_DAYS[0]) & (day <= SALE_DAYS[1])
    markup = np.array([1.0, 1.03, 1.05, 0.92])[heads.channel] * np.where(is_sale, 0.85, 1.0)
    factor = (markup * per_country("per_euro")[heads.country])[owner]
    return np.rint(world.catalog.price_minor[product] * factor).astype(np.int64)


def _shipping(heads: Heads, value: Ints) -> Ints:
    factor = per_country("per_euro")[heads.country]
    charged = np.rint(_SHIPPING_MINOR * factor).astype(np.int64)
    return np.where(value < _FREE_SHIPPING_MINOR * factor, charged, 0)
