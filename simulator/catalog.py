"""Suppliers and products, and how often each product is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.draws import Draws, Flags, Floats, Ints, Texts, scramble
from simulator.names import words
from simulator.season import day_of_year
from simulator.spec import ShopSpec

PERIOD_DAYS = 28
"""Length of the periods over which a product's popularity is constant."""

_ZIPF_SHIFT, _ZIPF_POWER = 2.7, 1.02
"""Demand of the product of rank r goes with 1 / (r + shift) ** power (Mandelbrot's law)."""


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of goods.

    Attributes:
        name: path shown to people.
        code: start of its SKUs.
        nouns: what its products are called.
        share: share of the products.
        price: median list price in euro.
        weight_g: median weight in grams.
        density: grams per cubic centimetre, with packing.
        swing: how far demand rises and falls over the year, 0 to 1.
        peak_day: day of the year of the highest demand.
        returned: share of delivered orders that come back.
    """

    name: str
    code: str
    nouns: tuple[str, ...]
    share: float
    price: float
    weight_g: float
    density: float
    swing: float
    peak_day: int
    returned: float


CATEGORIES = (
    Category("Fashion/Shirts", "SH", ("shirt", "blouse", "top"), 14, 29, 260, 0.15, 0.3, 150, 0.24),
    Category("Fashion/Shoes", "FS", ("boot", "sneaker"), 8, 69, 1100, 0.16, 0.2, 280, 0.28),
    Category("Home/Kitchen", "KI", ("pan", "kettle", "bowl"), 13, 34, 1200, 0.25, 0.2, 340, 0.06),
    Category("Home/Decor", "DE", ("lamp", "vase", "frame"), 11, 24, 900, 0.18, 0.3, 340, 0.08),
    Category("Garden", "GA", ("planter", "hose", "shears"), 7, 39, 3200, 0.30, 0.8, 140, 0.05),
    Category("Sports/Outdoor", "SP", ("tent", "flask", "mat"), 8, 45, 1500, 0.20, 0.4, 170, 0.09),
    Category("Toys", "TO", ("puzzle", "robot", "kite"), 10, 22, 600, 0.17, 0.7, 345, 0.05),
    Category("Electronics/Audio", "AU", ("earphones", "speaker"), 7, 79, 450, 0.25, 0.4, 335, 0.08),
    Category("Electronics/Phones", "PH", ("phone", "tablet"), 3, 310, 420, 0.5, 0.3, 330, 0.07),
    Category("Beauty", "BE", ("cream", "soap", "perfume"), 9, 18, 280, 0.5, 0.2, 345, 0.02),
    Category("Office", "OF", ("binder", "stapler", "desk pad"), 6, 12, 500, 0.4, 0.3, 240, 0.03),
    Category("Pets", "PE", ("leash", "bed", "feeder"), 4, 21, 1400, 0.3, 0.1, 60, 0.04),
)


@dataclass(frozen=True, slots=True)
class Catalog:
    """The products as arrays, one element per product; money in euro cents.

    Attributes:
        sku: stock keeping units, all different.
        name: names shown to people.
        category: position in `CATEGORIES`.
        has_category: whether the shop's file names the category.
        brand: brands.
        weight_g: weight in grams, 0 where the shop does not know it.
        sides_mm: length, width, height; one row per product.
        price_minor: list prices.
        cost_minor: unit costs, below the list price.
        supplier: position among the suppliers.
        popularity: cumulated share of demand per period, one row per period.
        dearest: the dearest eighth of the products, dearest first.
    """

    sku: Texts
    name: Texts
    category: Ints
    has_category: Flags
    brand: Texts
    weight_g: Ints
    sides_mm: Ints
    price_minor: Ints
    cost_minor: Ints
    supplier: Ints
    popularity: Floats
    dearest: Ints

    @classmethod
    def build(cls, spec: ShopSpec, draws: Draws) -> Catalog:
        """The catalogue of a shop."""
        index = np.arange(spec.skus)
        category = draws.choice("product/category", index, [c.share for c in CATEGORIES])
        price = _prices(draws, index, category)
        brand = words(draws, "product/brands", 30 + spec.skus // 30)
        brand = brand[draws.below("product/brand", index, len(brand))]
        weight = draws.around("product/weight", index, _of(category, "weight_g"), 0.6)
        return cls(
            sku=_skus(index, category),
            name=_names(draws, index, category, brand),
            category=category,
            has_category=~draws.chance("product/uncategorised", index, 0.01),
            brand=brand,
            weight_g=np.where(
                draws.chance("product/unweighed", index, 0.015), 0, 20 + weight.astype(np.int64)
            ),
            sides_mm=_sides(draws, index, weight / _of(category, "density")),
            price_minor=price,
            cost_minor=(price * (0.35 + 0.35 * draws.uniform("product/cost", index))).astype(int),
            supplier=draws.choice("product/supplier", index, 1 / np.arange(1, spec.suppliers + 1)),
            popularity=_popularity(spec, draws, category),
            dearest=np.argsort(-price, kind="stable")[: max(1, spec.skus // 8)],
        )

    def ask(self, period: Ints, chance: Floats) -> Ints:
        """The products asked for, given the period and a uniform draw for each."""
        # Each period's row lies between its number and the next, so one search serves all.
        shelves = (self.popularity + np.arange(len(self.popularity))[:, None]).ravel()
        found: Ints = np.searchsorted(shelves, period + chance, side="right")
        skus = self.popularity.shape[1]
        product: Ints = np.clip(found - period * skus, 0, skus - 1)
        return product


def _of(category: Ints, attribute: str) -> Floats:
    return np.array([getattr(each, attribute) for each in CATEGORIES], dtype=np.float64)[category]


def _prices(draws: Draws, index: Ints, category: Ints) -> Ints:
    """List prices in cents, ending in 9 as shops like it."""
    euro = draws.around("product/price", index, _of(category, "price"), 0.55)
    return np.maximum(199, (euro * 10).astype(np.int64) * 10 + 9)


def _skus(index: Ints, category: Ints) -> Texts:
    codes = np.array([each.code for each in CATEGORIES], dtype=object)[category]
    numbers = scramble(index, 6)
    made = [f"{code}-{number:06d}" for code, number in zip(codes, numbers.tolist(), strict=True)]
    return np.array(made, dtype=object)


def _names(draws: Draws, index: Ints, category: Ints, brand: Texts) -> Texts:
    nouns = [
        CATEGORIES[kind].nouns[pick % len(CATEGORIES[kind].nouns)]
        for kind, pick in zip(category, draws.below("product/noun", index, 60), strict=True)
    ]
    model = draws.below("product/model", index, 900) + 100
    tail = np.array(["", " \N{EN DASH} édition spéciale", " (2 Stück)", " 限定版"], dtype=object)
    tails = tail[draws.choice("product/tail", index, [90, 5, 4, 1])]
    parts = zip(brand, nouns, model.tolist(), tails, strict=True)
    return np.array([f"{maker} {noun} {number}{more}" for maker, noun, number, more in parts], "O")


def _sides(draws: Draws, index: Ints, volume_cm3: Floats) -> Ints:
    """Length, width and height in millimetres of a box of the given volume, longest first."""
    cube = np.cbrt(np.maximum(volume_cm3, 5.0)) * 10.0
    flat = 1.0 + 0.8 * draws.uniform("product/flat", index)
    sides = np.stack([cube * flat, cube, cube / flat], axis=1)
    return np.maximum(sides, 5.0).astype(np.int64)


def _popularity(spec: ShopSpec, draws: Draws, category: Ints) -> Floats:
    # Fame is by a random rank, so that the number of a product does not tell how it sells.
    rank = np.argsort(np.argsort(draws.uniform("product/rank", np.arange(spec.skus))))
    fame = 1.0 / (rank + 1 + _ZIPF_SHIFT) ** _ZIPF_POWER
    middle = np.arange(-(-spec.days // PERIOD_DAYS)) * PERIOD_DAYS + PERIOD_DAYS // 2
    day = day_of_year(spec.start_s + middle * 86_400)
    turn = 2.0 * np.pi * (day[:, None] - _of(category, "peak_day")[None, :]) / 365.0
    demand = fame * (1.0 + _of(category, "swing") * np.cos(turn))
    total = np.cumsum(demand, axis=1)
    return total / total[:, -1:]
