"""Suppliers, products and the groups that variants belong to."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    currency,
    document,
    flag,
    integer,
    minor,
    number,
    recorded_at,
    reference,
    text,
)

SUPPLIERS = area_table(
    "catalog",
    "suppliers",
    "Who supplies the products.",
    text("supplier_key", "natural key", primary_key=True),
    text("name", "name of the supplier"),
    sa.Column("country", sa.CHAR(2), nullable=False, comment="ISO 3166-1 alpha-2"),
    number("lead_time_days", "mean days from purchase order to receipt", nullable=True),
    number("lead_time_spread_days", "standard deviation of the lead time in days", nullable=True),
    minor("minimum_order_minor", "smallest purchase order", nullable=True),
    recorded_at(),
)

PRODUCT_GROUPS = area_table(
    "catalog",
    "product_groups",
    "Groups of variants that differ in their options only.",
    text("group_key", "natural key, such as a shop's handle or a style number", primary_key=True),
    text("name", "name shown to people"),
    recorded_at(),
)

PRODUCTS = area_table(
    "catalog",
    "products",
    "Products, one row per SKU.",
    text("sku", "stock keeping unit", primary_key=True),
    text("name", "name shown to people"),
    text("category", "category path or name; 'uncategorised' where the source has none"),
    text("brand", "brand", nullable=True),
    integer("weight_g", "weight in grams as the source states it", nullable=True),
    integer(
        "shipping_weight_g",
        "weight used to ship: the stated one, else the median of the category, else of the shop",
        nullable=True,
    ),
    integer("length_mm", "longest side in millimetres", nullable=True),
    integer("width_mm", "width in millimetres", nullable=True),
    integer("height_mm", "height in millimetres", nullable=True),
    minor("unit_cost_minor", "what one unit costs the shop", nullable=True),
    minor("list_price_minor", "list price of one unit", nullable=True),
    currency(),
    text("supplier_key", "main supplier", nullable=True),
    flag("is_active", "whether the product may be sold", server_default=sa.true()),
    reference("import_id", "import that last changed the product", nullable=True),
    text("gtin", "global trade item number as GTIN-14, zeros in front", nullable=True),
    text("description", "description shown to people, without markup", nullable=True),
    sa.Column(
        "group_key",
        sa.Text,
        sa.ForeignKey("catalog.product_groups.group_key"),
        comment="group of variants the product belongs to",
    ),
    document(
        "options",
        "what tells the variant from others of its group, by option name",
        server_default=sa.text("'{}'::jsonb"),
    ),
    sa.Column(
        "family", sa.Text, sa.ForeignKey("catalog.families.family"), comment="attribute family"
    ),
    reference(
        "category_id", "category of the taxonomy", "catalog.categories.category_id", nullable=True
    ),
    text("status", "active or archived; what is archived may not be sold", server_default="active"),
    flag("is_kit", "whether it is made of other products", server_default=sa.false()),
    recorded_at(),
    sa.CheckConstraint("weight_g > 0", name="weight_positive"),
    sa.CheckConstraint("length_mm > 0 AND width_mm > 0 AND height_mm > 0", name="sides_positive"),
    sa.CheckConstraint("unit_cost_minor >= 0 AND list_price_minor >= 0", name="money_not_negative"),
    sa.CheckConstraint("catalog.is_gtin_14(gtin)", name="gtin_valid"),
    sa.CheckConstraint("status IN ('active', 'archived')", name="status_known"),
    sa.CheckConstraint("status = 'active' OR NOT is_active", name="archived_not_sold"),
    sa.Index(None, "gtin", unique=True, postgresql_where=sa.text("gtin IS NOT NULL")),
    sa.Index(None, "group_key", postgresql_where=sa.text("group_key IS NOT NULL")),
)
