"""What must hold of the pricing area's tables."""

from __future__ import annotations

from ecom_assets.pricing.expectations.analysis import ANALYSIS
from ecom_assets.pricing.expectations.plans import PLANS
from ecom_assets.pricing.expectations.prices import PRICES

EXPECTATIONS = (*PRICES, *PLANS, *ANALYSIS)
