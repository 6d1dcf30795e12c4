"""Tables of the pricing area."""

from __future__ import annotations

from ecom_assets.pricing.tables.analysis import (
    BACKTESTS,
    ELASTICITIES,
    MARKDOWN_PLANS,
    PRICE_TESTS,
)
from ecom_assets.pricing.tables.intake import COMPETITOR_OFFERS, FEEDS
from ecom_assets.pricing.tables.lists import COSTS, PRICE_LISTS, PRICES
from ecom_assets.pricing.tables.plans import APPROVALS, PLAN_LINES, PRICE_PLANS
from ecom_assets.pricing.tables.rules import CONSTRAINTS, COUPONS, PROMOTIONS, RULES

__all__ = [
    "APPROVALS",
    "BACKTESTS",
    "COMPETITOR_OFFERS",
    "CONSTRAINTS",
    "COSTS",
    "COUPONS",
    "ELASTICITIES",
    "FEEDS",
    "MARKDOWN_PLANS",
    "PLAN_LINES",
    "PRICES",
    "PRICE_LISTS",
    "PRICE_PLANS",
    "PRICE_TESTS",
    "PROMOTIONS",
    "RULES",
]
