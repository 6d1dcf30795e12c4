"""Tables of the catalog area."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    currency,
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
    recorded_at(),
    sa.CheckConstraint("weight_g > 0", name="weight_positive"),
    sa.CheckConstraint("length_mm > 0 AND width_mm > 0 AND height_mm > 0", name="sides_positive"),
    sa.CheckConstraint("unit_cost_minor >= 0 AND list_price_minor >= 0", name="money_not_negative"),
)
