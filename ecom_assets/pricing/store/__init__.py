"""SQL of the pricing area.

Locking order: the feeds' or rules' lock, then the lock of one price list, then the plan's row, then
price rows in the order of their SKU. Two lists are never locked in one transaction by people; an
import locks them in the order of their plans.
"""

from __future__ import annotations

from ecom_assets.pricing.store.applying import (
    Applied,
    PlanRefused,
    apply,
    decide,
    roll_back,
    verify,
)
from ecom_assets.pricing.store.imported import PricesTaken, take_prices
from ecom_assets.pricing.store.lists import (
    add_coupon,
    channels,
    limit,
    listed,
    open_list,
    promote,
)
from ecom_assets.pricing.store.lookups import history, prices_at, prior_price
from ecom_assets.pricing.store.planning import plan_list, see_feeds, waiting
from ecom_assets.pricing.store.reports import counts, lines_of, plan_of, plans
from ecom_assets.pricing.store.rules import add_rule, end_rule, rules_at
from ecom_assets.pricing.store.taking import take_costs, take_offers

__all__ = [
    "Applied",
    "PlanRefused",
    "PricesTaken",
    "add_coupon",
    "add_rule",
    "apply",
    "channels",
    "counts",
    "decide",
    "end_rule",
    "history",
    "limit",
    "lines_of",
    "listed",
    "open_list",
    "plan_list",
    "plan_of",
    "plans",
    "prices_at",
    "prior_price",
    "promote",
    "roll_back",
    "rules_at",
    "see_feeds",
    "take_costs",
    "take_offers",
    "take_prices",
    "verify",
    "waiting",
]
