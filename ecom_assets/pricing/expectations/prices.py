"""Expectations of lists, prices, costs, offers and rules."""

from __future__ import annotations

from ecom_assets.pricing.tables import (
    COMPETITOR_OFFERS,
    CONSTRAINTS,
    COSTS,
    COUPONS,
    FEEDS,
    PRICE_LISTS,
    PRICE_PLANS,
    PROMOTIONS,
    RULES,
)
from ecom_assets.pricing.tables import (
    PRICES as PRICES_TABLE,
)
from ecom_assets.shared.expectations import (
    CURRENCY,
    SHA256,
    Severity,
    TableExpectations,
    no_rows,
    values_match,
)
from ecom_assets.shared.structure import refers_to, structure

_CODE = "an ISO 4217 code"

# The database refuses an overlap; a bulk load without the constraint would not.
_PRICES_OVERLAP = no_rows(
    "never_overlap",
    "SELECT one.price_id FROM {batch} AS one JOIN pricing.prices AS other"
    " ON other.price_list_id = one.price_list_id AND other.sku = one.sku"
    " AND other.min_quantity = one.min_quantity AND other.price_id <> one.price_id"
    " AND tstzrange(other.valid_from_at, other.valid_to_at)"
    " && tstzrange(one.valid_from_at, one.valid_to_at)",
    "No two prices of a product hold at once.",
    is_blocking=True,
)
_COSTS_OVERLAP = no_rows(
    "never_overlap",
    "SELECT one.cost_id FROM {batch} AS one JOIN pricing.costs AS other"
    " ON other.sku = one.sku AND other.currency = one.currency AND other.cost_id <> one.cost_id"
    " AND tstzrange(other.valid_from_at, other.valid_to_at)"
    " && tstzrange(one.valid_from_at, one.valid_to_at)",
    "No two costs of a product hold at once.",
    is_blocking=True,
)
_NOT_BELOW_COST = no_rows(
    "not_below_cost",
    "SELECT price.price_id FROM {batch} AS price"
    " JOIN pricing.price_lists AS list ON list.price_list_id = price.price_list_id"
    " JOIN pricing.costs AS cost ON cost.sku = price.sku AND cost.currency = list.currency"
    " AND cost.valid_from_at <= price.valid_from_at"
    " AND (cost.valid_to_at IS NULL OR cost.valid_to_at > price.valid_from_at)"
    " WHERE cost.cost_minor * (10000 + list.tax_bps) > price.price_minor * 10000",
    "No price began below the cost of its moment.",
)
_IN_CATALOG = no_rows(
    "sku_in_catalog",
    "SELECT price.price_id FROM {batch} AS price"
    " LEFT JOIN catalog.products AS product ON product.sku = price.sku WHERE product.sku IS NULL",
    "Every price is of a product of the catalog.",
    severity=Severity.WARN,
)
_HELD_FEEDS = no_rows(
    "none_held_back",
    "SELECT feed_id FROM {batch} WHERE state = 'held'",
    "No feed was held back by a gate; somebody should look at those that were.",
    severity=Severity.WARN,
)

PRICES = (
    TableExpectations(
        PRICE_LISTS,
        (*structure(PRICE_LISTS),
         values_match("currency", CURRENCY, _CODE, is_blocking=True)),
    ),
    TableExpectations(
        PRICES_TABLE,
        (*structure(PRICES_TABLE), _PRICES_OVERLAP, _NOT_BELOW_COST, _IN_CATALOG,
         refers_to(PRICES_TABLE, "plan_id", PRICE_PLANS.c.plan_id)),
    ),
    TableExpectations(
        COSTS,
        (*structure(COSTS), _COSTS_OVERLAP,
         values_match("currency", CURRENCY, _CODE, is_blocking=True)),
    ),
    TableExpectations(
        FEEDS,
        (*structure(FEEDS), _HELD_FEEDS, values_match("digest", SHA256, "a SHA-256 in hex")),
    ),
    TableExpectations(
        COMPETITOR_OFFERS,
        (*structure(COMPETITOR_OFFERS), values_match("currency", CURRENCY, _CODE)),
    ),
    TableExpectations(RULES, structure(RULES)),
    TableExpectations(CONSTRAINTS, structure(CONSTRAINTS)),
    TableExpectations(PROMOTIONS, structure(PROMOTIONS)),
    TableExpectations(COUPONS, structure(COUPONS)),
)  # fmt: skip
