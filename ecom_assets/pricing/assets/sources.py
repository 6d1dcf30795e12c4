"""What imports and people fill: lists, costs, offers, rules, limits."""

import dagster as dg

from ecom_assets.pricing.tables import (
    APPROVALS,
    COMPETITOR_OFFERS,
    CONSTRAINTS,
    COSTS,
    COUPONS,
    FEEDS,
    PRICE_LISTS,
    PRICE_TESTS,
    PROMOTIONS,
    RULES,
)

_FILLED_BY = {
    PRICE_LISTS: "Made by imports of prices.",
    FEEDS: "Filled by imports.",
    COSTS: "Filled by imports.",
    COMPETITOR_OFFERS: "Filled by imports.",
    RULES: "Written by people: `ecom prices rules`.",
    CONSTRAINTS: "Written by people and imports of prices.",
    PROMOTIONS: "Written by people.",
    COUPONS: "Written by people.",
    APPROVALS: "Written by people: `ecom prices approve`.",
    PRICE_TESTS: "Drawn by lot.",
}

SOURCES = [
    dg.AssetSpec(["pricing", table.name], kinds={"postgres"}, description=f"{table.comment} {by}")
    for table, by in _FILLED_BY.items()
]
