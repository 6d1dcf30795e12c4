"""What belongs to a product beside its row: attribute values, media links, kit components."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    integer,
    recorded_at,
    reference,
    run_id,
    text,
)


def _sku(name: str, comment: str, **options: Any) -> sa.Column[str]:
    return sa.Column(
        name, sa.Text, sa.ForeignKey("catalog.products.sku"), comment=comment, nullable=False,
        **options,
    )  # fmt: skip


ATTRIBUTE_VALUES = area_table(
    "catalog",
    "attribute_values",
    "Values of attributes per product, channel and locale, each with where it came from.",
    _sku("sku", "product", primary_key=True),
    text("attribute", "attribute, in lower case with underscores", primary_key=True),
    text("channel", "channel the value is for; empty for all", primary_key=True),
    text("locale", "locale the value is in, such as de or pt-BR; empty for all", primary_key=True),
    text("value", "the value as text"),
    text("source", "file, feed or command that stated the value"),
    reference("plan_id", "plan that set the value", "catalog.import_plans.plan_id"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("attribute <> '' AND value <> ''", name="not_empty"),
)

MEDIA = area_table(
    "catalog",
    "media",
    "Links to pictures and other media of a product, in the order they are shown.",
    _sku("sku", "product", primary_key=True),
    integer("position", "place among the product's media, from 1", primary_key=True),
    text("url", "address of the file; it is never fetched"),
    recorded_at(),
    sa.CheckConstraint("position >= 1", name="position_positive"),
    sa.CheckConstraint("url ~ '^https?://'", name="url_is_web"),
)

KITS = area_table(
    "catalog",
    "kits",
    "What kits are made of; a trigger refuses a kit that contains itself.",
    _sku("kit_sku", "product that is sold as a kit", primary_key=True),
    _sku("component_sku", "product it contains", primary_key=True),
    integer("quantity", "units of the component in one kit"),
    recorded_at(),
    sa.CheckConstraint("quantity > 0", name="quantity_positive"),
    sa.CheckConstraint("kit_sku <> component_sku", name="not_of_itself"),
    sa.Index(None, "component_sku"),
)
