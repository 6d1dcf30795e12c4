"""The catalog area's SQL; what other modules call is named here.

Whoever changes products holds one lock (`staging.lock_products`) until the transaction ends: feeds
of whole shops, plans and their reversals. So what a plan compared with is what it is applied to.
"""

from __future__ import annotations

from ecom_assets.catalog.store.applying import (
    apply_plan,
    approve_plan,
    reject_plan,
    revert_plan,
)
from ecom_assets.catalog.store.feeds import take_products, take_suppliers
from ecom_assets.catalog.store.planning import make_plan
from ecom_assets.catalog.store.weights import (
    WeightFigures,
    categories_by_size,
    fill_shipping_weights,
    weight_figures,
)

__all__ = [
    "WeightFigures",
    "apply_plan",
    "approve_plan",
    "categories_by_size",
    "fill_shipping_weights",
    "make_plan",
    "reject_plan",
    "revert_plan",
    "take_products",
    "take_suppliers",
    "weight_figures",
]
