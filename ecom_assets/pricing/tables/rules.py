"""Rules, limits, promotions and coupons: the business of pricing as data."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from ecom_assets.shared.columns import (
    area_table,
    document,
    flag,
    identity,
    integer,
    minor,
    moment,
    recorded_at,
    reference,
    text,
)


def _scope() -> tuple[sa.Column[Any], ...]:
    """To what a row applies; a list, a category and a SKU narrow it."""
    return (
        reference(
            "price_list_id", "list; every list, if empty", "pricing.price_lists.price_list_id",
            nullable=True,
        ),
        text("category", "category as in catalog.products; '' is any", server_default=""),
        text("sku", "product; '' is any", server_default=""),
    )  # fmt: skip


RULES = area_table(
    "pricing",
    "rules",
    "Pricing rules by version; what a version says never changes, only when it holds.",
    identity("rule_id", "surrogate key"),
    text("name", "name of the rule"),
    integer("version", "counts from 1 per name"),
    text("kind", "what the rule does, see pricing.model.RuleKind"),
    document("parameters", "settings of the kind"),
    *_scope(),
    integer("priority", "rules are asked in this order, lowest first"),
    flag("is_approved_by_hand", "whether lines it made ask for approval"),
    moment("valid_from_at", "first moment"),
    moment("valid_to_at", "end, excluded; open, if empty", nullable=True),
    text("created_by", "who wrote it"),
    recorded_at(),
    sa.UniqueConstraint("name", "version"),
    sa.CheckConstraint("version >= 1", name="version_positive"),
    sa.CheckConstraint("valid_to_at >= valid_from_at", name="ends_after_start"),
    sa.CheckConstraint(
        "kind IN ('cost_plus', 'follow_competitor', 'follow_list', 'margin_optimal',"
        " 'cover_markdown', 'ageing_markdown', 'promotion')",
        name="kind_known",
    ),
    ExcludeConstraint(
        (sa.column("name"), "="),
        (sa.func.tstzrange(sa.column("valid_from_at"), sa.column("valid_to_at")), "&&"),
        name="rules_one_version_at_a_time",
    ),
)

CONSTRAINTS = area_table(
    "pricing",
    "constraints",
    "Limits of prices, applied last. The most specific row says the minimum, blank means that the"
    " product is not repriced; other columns are those of the most specific row that has one.",
    identity("constraint_id", "surrogate key"),
    reference("price_list_id", "list", "pricing.price_lists.price_list_id"),
    text("category", "category as in catalog.products; '' is any", server_default=""),
    text("sku", "product; '' is any", server_default=""),
    minor("minimum_minor", "lowest price", nullable=True),
    integer("margin_bps", "least margin, basis points of the net price", nullable=True),
    minor("ceiling_minor", "highest price", nullable=True),
    minor("map_minor", "lowest price the maker lets advertise (MAP)", nullable=True),
    integer("step_bps", "most change within a day, basis points", nullable=True),
    integer("charm_modulus", "prices end alike within so many minor units, such as 100",
            nullable=True),
    integer("charm_ending", "what they end with, such as 99", nullable=True),
    recorded_at(),
    sa.UniqueConstraint("price_list_id", "category", "sku"),
    sa.CheckConstraint("category = '' OR sku = ''", name="one_scope"),
    sa.CheckConstraint(
        "minimum_minor > 0 AND ceiling_minor > 0 AND map_minor > 0", name="limits_minor_positive"
    ),
    sa.CheckConstraint("margin_bps BETWEEN 0 AND 9500", name="margin_in_range"),
    sa.CheckConstraint("step_bps BETWEEN 1 AND 10000", name="step_in_range"),
    sa.CheckConstraint(
        "(charm_modulus IS NULL) = (charm_ending IS NULL)"
        " AND (charm_modulus IS NULL"
        " OR charm_modulus > 1 AND charm_ending >= 0 AND charm_ending < charm_modulus)",
        name="charm_whole",
    ),
)  # fmt: skip

PROMOTIONS = area_table(
    "pricing",
    "promotions",
    "Dated discounts that the rule of kind promotion gives.",
    identity("promotion_id", "surrogate key"),
    text("name", "name of the promotion"),
    *_scope(),
    integer("discount_bps", "discount, basis points of the price before it"),
    flag("is_combinable", "adds up with others that are; else the best one counts alone"),
    moment("starts_at", "first moment"),
    moment("ends_at", "end, excluded"),
    recorded_at(),
    sa.UniqueConstraint("name"),
    sa.CheckConstraint("discount_bps BETWEEN 1 AND 9500", name="discount_in_range"),
    sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
)

COUPONS = area_table(
    "pricing",
    "coupons",
    "Codes that lower a basket at the check-out.",
    text("code", "what the customer enters", primary_key=True),
    *_scope(),
    integer("discount_bps", "discount, basis points", nullable=True),
    minor("discount_minor", "discount on the basket", nullable=True),
    minor("least_basket_minor", "smallest basket it counts for", server_default="0"),
    flag("is_combinable", "counts beside others that are"),
    moment("starts_at", "first moment"),
    moment("ends_at", "end, excluded"),
    recorded_at(),
    sa.CheckConstraint("num_nonnulls(discount_bps, discount_minor) = 1", name="one_discount"),
    sa.CheckConstraint("discount_bps BETWEEN 1 AND 10000", name="discount_in_range"),
    sa.CheckConstraint(
        "discount_minor > 0 AND least_basket_minor >= 0", name="amounts_minor_positive"
    ),
    sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
)
