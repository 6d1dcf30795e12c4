"""Tables of the catalog area."""

from __future__ import annotations

from ecom_assets.catalog.tables.attributes import ATTRIBUTES
from ecom_assets.catalog.tables.details import ATTRIBUTE_VALUES, KITS, MEDIA
from ecom_assets.catalog.tables.families import CATEGORIES, FAMILIES, FAMILY_ATTRIBUTES
from ecom_assets.catalog.tables.plans import IMPORT_PLANS, PLAN_ROWS
from ecom_assets.catalog.tables.products import PRODUCT_GROUPS, PRODUCTS, SUPPLIERS
from ecom_assets.catalog.tables.readiness import (
    CHANNEL_REQUIREMENTS,
    COMPLETENESS,
    COPY_DRAFTS,
    PRODUCT_SCORES,
)

__all__ = [
    "ATTRIBUTES",
    "ATTRIBUTE_VALUES",
    "CATEGORIES",
    "CHANNEL_REQUIREMENTS",
    "COMPLETENESS",
    "COPY_DRAFTS",
    "FAMILIES",
    "FAMILY_ATTRIBUTES",
    "IMPORT_PLANS",
    "KITS",
    "MEDIA",
    "PLAN_ROWS",
    "PRODUCTS",
    "PRODUCT_GROUPS",
    "PRODUCT_SCORES",
    "SUPPLIERS",
]
