"""What attributes mean to people."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import area_table, flag, recorded_at, text

ATTRIBUTES = area_table(
    "catalog",
    "attributes",
    "What attributes are called and mean; one that files bring may be used without a row here.",
    text("attribute", "attribute, in lower case with underscores", primary_key=True),
    text("name", "name shown to people"),
    text("about", "what it says of a product", server_default=""),
    text("unit", "what figures are counted in; empty for a text", server_default=""),
    flag("is_archived", "whether it is to be used no more", server_default=sa.false()),
    recorded_at(),
    sa.CheckConstraint("attribute ~ '^[a-z0-9_]+$'", name="well_named"),
)
