"""What a shop sets for itself."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import area_table, document, moment, recorded_at, text

SETTINGS = area_table(
    "backoffice",
    "settings",
    "What the shop set otherwise than by default; see shared.shop_settings for what there is.",
    text("name", "<area>.<name> of the setting", primary_key=True),
    document("value", "a number or a text"),
    text("set_by", "who set it"),
    moment("set_at", "when it was set"),
    recorded_at(),
    sa.CheckConstraint("name ~ '^[a-z_]+[.][a-z_]+$'", name="name_of_area"),
    sa.CheckConstraint("jsonb_typeof(value) IN ('number', 'string')", name="value_is_plain"),
)
