"""Facts product copy is made from, and the drafts made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from ecom_assets.catalog.tables import COPY_DRAFTS, PRODUCTS

# Prices, costs and keys are no facts for buyers' copy: they change, or say nothing.
_FACTS = sa.text("""
    SELECT p.sku, jsonb_strip_nulls(jsonb_build_object(
            'name', p.name, 'brand', p.brand, 'description', p.description,
            'category', nullif(p.category, 'uncategorised'),
            'weight_in_grams', CAST(p.weight_g AS text),
            'length_in_millimetres', CAST(p.length_mm AS text),
            'width_in_millimetres', CAST(p.width_mm AS text),
            'height_in_millimetres', CAST(p.height_mm AS text)
        )) || (
            SELECT coalesce(jsonb_object_agg(lower(o.key), o.value), '{}')
            FROM jsonb_each_text(p.options) AS o
        ) || (
            SELECT coalesce(jsonb_object_agg(told.attribute, told.value), '{}') FROM (
                SELECT DISTINCT ON (v.attribute) v.attribute, v.value
                FROM catalog.attribute_values AS v
                WHERE v.sku = p.sku AND v.channel = '' AND v.locale IN ('', :locale)
                ORDER BY v.attribute, v.locale DESC
            ) AS told
        ) AS facts
    FROM catalog.products AS p WHERE p.sku = ANY (CAST(:skus AS text[])) ORDER BY p.sku
""")

DRAFTED = sa.select(
    COPY_DRAFTS.c.sku, COPY_DRAFTS.c.locale, COPY_DRAFTS.c.state, COPY_DRAFTS.c.writer,
    COPY_DRAFTS.c.text, COPY_DRAFTS.c.problems,
).order_by(COPY_DRAFTS.c.draft_id.desc())  # fmt: skip
"""Drafts, the newest first."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft of copy; see `catalog.copy_drafts`."""

    sku: str
    locale: str
    text: str
    writer: str
    version: str
    facts: Mapping[str, str]
    problems: Sequence[str]
    degraded: str | None


def facts_of(conn: sa.Connection, skus: Sequence[str], locale: str) -> dict[str, dict[str, str]]:
    """What is known of products, by SKU; those that do not exist are left out."""
    rows = conn.execute(_FACTS, {"skus": list(skus), "locale": locale}).tuples()
    return {sku: dict(facts) for sku, facts in rows}


def keep_drafts(conn: sa.Connection, drafts: Sequence[Draft], run: str) -> None:
    """Keep drafts; one with problems is refused and never offered."""
    rows = [
        {**asdict(draft), "state": "refused" if draft.problems else "offered", "run_id": run}
        for draft in drafts
    ]
    known = sa.select(PRODUCTS.c.sku).where(PRODUCTS.c.sku.in_([row["sku"] for row in rows]))
    # A product may have been reverted while its copy was written.
    left = set(conn.execute(known).scalars())
    if kept := [row for row in rows if row["sku"] in left]:
        conn.execute(sa.insert(COPY_DRAFTS), kept)
