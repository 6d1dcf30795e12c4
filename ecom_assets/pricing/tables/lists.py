"""Price lists, their effective-dated prices, and effective-dated costs."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from ecom_assets.shared.columns import (
    area_table,
    currency,
    flag,
    identity,
    integer,
    minor,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
)

PRICE_LISTS = area_table(
    "pricing",
    "price_lists",
    "Who pays by which prices: one list per channel, currency and customer group.",
    identity("price_list_id", "surrogate key"),
    text("channel", "sales channel"),
    currency(),
    text(
        "customer_group", "group of customers; 'all' serves every group without a price of its own"
    ),
    integer("tax_bps", "tax contained in the prices, basis points of the net price; 0 if net"),
    integer("offer_max_age_hours", "older offers of competitors are not followed"),
    integer("approve_above_bps", "a line that moves more, basis points, asks for approval"),
    integer("most_moved_bps", "share of lines that may move without approval, basis points"),
    flag("is_automatic", "whether plans that pass and need no approval are applied by themselves"),
    recorded_at(),
    sa.UniqueConstraint("channel", "currency", "customer_group"),
    sa.CheckConstraint("tax_bps BETWEEN 0 AND 10000", name="tax_in_range"),
    sa.CheckConstraint("offer_max_age_hours > 0", name="age_positive"),
    sa.CheckConstraint(
        "approve_above_bps BETWEEN 0 AND 1000000 AND most_moved_bps BETWEEN 0 AND 10000",
        name="shares_in_range",
    ),
)

PRICES = area_table(
    "pricing",
    "prices",
    "Prices of a list with the time they hold; two never hold at once.",
    identity("price_id", "surrogate key"),
    reference("price_list_id", "list", "pricing.price_lists.price_list_id"),
    text("sku", "what"),
    integer("min_quantity", "units of a line from which the price holds; 1 is the plain price"),
    minor("price_minor", "price of one unit"),
    minor("regular_minor", "price before markdowns and promotions"),
    minor(
        "reference_minor",
        "lowest price of the 30 days before a reduction, to be shown beside it; none, if empty",
        nullable=True,
    ),
    moment("valid_from_at", "first moment"),
    moment("valid_to_at", "end, excluded; open, if empty", nullable=True),
    text("rule", "rule and version that made it, or import"),
    reference("plan_id", "plan that made it effective"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("min_quantity >= 1", name="quantity_positive"),
    sa.CheckConstraint("price_minor > 0 AND regular_minor > 0", name="price_minor_positive"),
    sa.CheckConstraint("reference_minor > price_minor", name="reference_minor_above_price"),
    sa.CheckConstraint("valid_to_at > valid_from_at", name="ends_after_start"),
    # The SKU first: it is what tells rows apart, and a tree that splits by it finds them at once.
    ExcludeConstraint(
        (sa.column("sku"), "="),
        (sa.column("price_list_id"), "="),
        (sa.column("min_quantity"), "="),
        (sa.func.tstzrange(sa.column("valid_from_at"), sa.column("valid_to_at")), "&&"),
        name="prices_never_overlap",
    ),
    # The price of a moment, and the last thirty days of a product.
    sa.Index(None, "price_list_id", "sku", "min_quantity", "valid_from_at"),
    sa.Index(None, "plan_id"),
)

COSTS = area_table(
    "pricing",
    "costs",
    "What a unit costs the shop, with the time it holds; two costs never hold at once.",
    identity("cost_id", "surrogate key"),
    text("sku", "what"),
    currency(),
    minor("cost_minor", "net cost of one unit"),
    moment("valid_from_at", "first moment"),
    moment("valid_to_at", "end, excluded; open, if empty", nullable=True),
    reference("feed_id", "feed that brought it", "pricing.feeds.feed_id"),
    recorded_at(),
    sa.CheckConstraint("cost_minor >= 0", name="cost_minor_not_negative"),
    sa.CheckConstraint("valid_to_at > valid_from_at", name="ends_after_start"),
    ExcludeConstraint(
        (sa.column("sku"), "="),
        (sa.column("currency"), "="),
        (sa.func.tstzrange(sa.column("valid_from_at"), sa.column("valid_to_at")), "&&"),
        name="costs_never_overlap",
    ),
    sa.Index(None, "sku", "currency", "valid_from_at"),
)
