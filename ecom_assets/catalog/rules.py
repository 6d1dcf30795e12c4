"""The weight a product ships with where the source states none.

The reference of the SQL in `store.fill_shipping_weights`; a property test holds both equal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ecom_assets.catalog.model import FALLBACK_G


@dataclass(frozen=True, slots=True)
class Weighed:
    """A product as the rule sees it.

    Attributes:
        category: category name.
        weight_g: stated weight in grams, if any.
    """

    category: str
    weight_g: int | None


def shipping_weights(products: Mapping[str, Weighed]) -> dict[str, int]:
    """The shipping weight of every product in grams, by SKU.

    The stated weight; else the median of the stated ones of the category; else that of the shop;
    else `FALLBACK_G`. Of an even number the lower middle one is the median, so that it is a weight
    some product has.
    """
    stated: dict[str, list[int]] = defaultdict(list)
    for product in products.values():
        if product.weight_g is not None:
            stated[product.category].append(product.weight_g)
    of_shop = _median(weight for weights in stated.values() for weight in weights) or FALLBACK_G
    # `or` is safe: a weight is at least one gram.
    return {
        sku: product.weight_g or _median(stated.get(product.category, ())) or of_shop
        for sku, product in products.items()
    }


def _median(weights: Iterable[int]) -> int | None:
    ordered = sorted(weights)
    return ordered[(len(ordered) - 1) // 2] if ordered else None
