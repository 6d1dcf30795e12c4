"""What must hold of variants, attributes, kits, categories and what channels ask for."""

from __future__ import annotations

from ecom_assets.catalog.tables import (
    ATTRIBUTE_VALUES,
    ATTRIBUTES,
    CATEGORIES,
    CHANNEL_REQUIREMENTS,
    COMPLETENESS,
    COPY_DRAFTS,
    FAMILIES,
    FAMILY_ATTRIBUTES,
    KITS,
    MEDIA,
    PRODUCT_GROUPS,
    PRODUCT_SCORES,
)
from ecom_assets.shared.expectations import Severity, TableExpectations, no_rows
from ecom_assets.shared.structure import structure

_CYCLES = no_rows(
    "acyclic",
    """
    SELECT kit_sku, component_sku FROM {batch} AS kit WHERE kit_sku IN (
        WITH RECURSIVE contained (kit_sku, sku) AS (
            SELECT kit_sku, component_sku FROM catalog.kits
            UNION
            SELECT c.kit_sku, k.component_sku
            FROM contained AS c JOIN catalog.kits AS k ON k.kit_sku = c.sku
        )
        SELECT kit_sku FROM contained WHERE sku = kit_sku
    )
    """,
    "No kit contains itself, however deep.",
    is_blocking=True,
)
_SAME_OPTIONS = no_rows(
    "told_apart",
    """
    SELECT group_key FROM {batch} WHERE group_key IN (
        SELECT group_key FROM catalog.products
        WHERE group_key IS NOT NULL AND options <> '{{}}' AND status = 'active'
        GROUP BY group_key, options HAVING count(*) > 1
    )
    """,
    "No two variants of a group that are for sale have the same options.",
    severity=Severity.WARN,
)
_FLAGGED = no_rows(
    "kits_flagged",
    """
    SELECT kit_sku, component_sku FROM {batch} WHERE kit_sku IN (
        SELECT sku FROM catalog.products WHERE NOT is_kit
    )
    """,
    "What is made of other products is marked as a kit.",
)
_READY = no_rows(
    "held_back",
    "SELECT sku, channel, locale FROM {batch} WHERE is_ready AND cardinality(blocking) > 0",
    "A product that lacks what a channel insists on is held back from it.",
    is_blocking=True,
)
_INCOMPLETE = no_rows(
    "all_complete",
    "SELECT sku, channel, locale FROM {batch} WHERE NOT is_ready",
    "Every product may go to every channel; those that may not are held back from that one only.",
    severity=Severity.WARN,
)
_PLAIN = (
    ATTRIBUTES,
    CATEGORIES, FAMILIES, FAMILY_ATTRIBUTES, ATTRIBUTE_VALUES, MEDIA,
    CHANNEL_REQUIREMENTS, PRODUCT_SCORES, COPY_DRAFTS,
)  # fmt: skip

EXPECTATIONS = (
    *(TableExpectations(table, structure(table)) for table in _PLAIN),
    TableExpectations(PRODUCT_GROUPS, (*structure(PRODUCT_GROUPS), _SAME_OPTIONS)),
    TableExpectations(KITS, (*structure(KITS), _CYCLES, _FLAGGED)),
    TableExpectations(COMPLETENESS, (*structure(COMPLETENESS), _READY, _INCOMPLETE)),
)
