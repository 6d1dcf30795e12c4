"""The taxonomy, and families of products that are described by the same attributes."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import area_table, flag, recorded_at, reference, text

CATEGORIES = area_table(
    "catalog",
    "categories",
    "Categories of a published taxonomy, such as Google's product taxonomy.",
    sa.Column(
        "category_id",
        sa.BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="number the taxonomy gives the category",
    ),
    reference(
        "parent_id",
        "category above; none for a root",
        "catalog.categories.category_id",
        nullable=True,
    ),
    text("name", "last part of the path"),
    text("path", "names from the root down, parted by ' > '", unique=True),
    text("version", "version the taxonomy's file states; empty where it states none"),
    recorded_at(),
    sa.CheckConstraint("parent_id <> category_id", name="parent_differs"),
)

FAMILIES = area_table(
    "catalog",
    "families",
    "Families of products that are described by the same attributes.",
    text("family", "natural key", primary_key=True),
    text("name", "name shown to people"),
    recorded_at(),
)

FAMILY_ATTRIBUTES = area_table(
    "catalog",
    "family_attributes",
    "Attributes of each family; the required ones count for completeness on every channel.",
    sa.Column(
        "family",
        sa.Text,
        sa.ForeignKey("catalog.families.family"),
        primary_key=True,
        comment="family",
    ),
    text("attribute", "attribute, or column of the products", primary_key=True),
    flag("is_required", "whether a product of the family must have it"),
    recorded_at(),
)
