"""Completeness per channel and locale, and quality scores; `completeness` is the reference."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.catalog.store.staging import PRODUCT_VALUES
from ecom_assets.catalog.tables import COMPLETENESS, PRODUCT_SCORES
from ecom_assets.shared.upsert import upsert

# Of two demands for one attribute the stricter holds; what a family requires, every channel does.
_COMPLETENESS = sa.text("""
    WITH place AS (
        SELECT DISTINCT channel, locale FROM catalog.channel_requirements
    ), kin AS (
        SELECT '' AS family UNION SELECT family FROM catalog.families
    ), demand AS (
        SELECT r.channel, r.locale, kin.family, r.attribute, r.is_localised, r.is_blocking
        FROM catalog.channel_requirements AS r JOIN kin ON r.family IN ('', kin.family)
        UNION ALL
        SELECT place.channel, place.locale, a.family, a.attribute, false, true
        FROM catalog.family_attributes AS a CROSS JOIN place WHERE a.is_required
    ), asked AS MATERIALIZED (
        SELECT channel, locale, family, attribute, bool_or(is_localised) AS is_localised,
            bool_or(is_blocking) AS is_blocking
        FROM demand GROUP BY channel, locale, family, attribute
    ), product AS MATERIALIZED (
        SELECT p.sku, coalesce(p.family, '') AS family, to_jsonb(p) AS known
        FROM catalog.products AS p
        WHERE CAST(:plan_id AS bigint) IS NULL OR p.sku IN (
            SELECT sku FROM catalog.plan_rows
            WHERE plan_id = :plan_id AND action IN ('create', 'update')
        )
    ), judged AS (
        SELECT p.sku, a.channel, a.locale, a.attribute, a.is_blocking, (
            NOT a.is_localised AND CASE a.attribute
                WHEN 'image'
                    THEN EXISTS (SELECT FROM catalog.media AS m WHERE m.sku = p.sku)
                ELSE a.attribute = ANY (CAST(:columns AS text[]))
                    AND coalesce(p.known ->> a.attribute, '') <> '' END
            OR EXISTS (
                SELECT FROM catalog.attribute_values AS v
                WHERE v.sku = p.sku AND v.attribute = a.attribute AND v.channel IN ('', a.channel)
                    AND (NOT a.is_localised OR v.locale = a.locale)
            )
        ) AS is_present
        FROM product AS p JOIN asked AS a USING (family)
    )
    SELECT sku, channel, locale, CAST(count(*) AS integer) AS required,
        CAST(count(*) FILTER (WHERE is_present) AS integer) AS present,
        coalesce(array_agg(attribute ORDER BY attribute COLLATE "C")
            FILTER (WHERE NOT is_present), '{}') AS missing,
        coalesce(array_agg(attribute ORDER BY attribute COLLATE "C")
            FILTER (WHERE NOT is_present AND is_blocking), '{}') AS blocking,
        coalesce(bool_and(is_present OR NOT is_blocking), true) AS is_ready
    FROM judged GROUP BY sku, channel, locale
""")
_NOT_ASKED = sa.text("""
    DELETE FROM catalog.completeness AS c WHERE NOT EXISTS (
        SELECT FROM catalog.channel_requirements AS r
        WHERE r.channel = c.channel AND r.locale = c.locale
    )
""")
_SCORES = sa.text("""
    WITH product AS (
        SELECT p.*, (SELECT count(*) FROM catalog.media AS m WHERE m.sku = p.sku) AS pictures
        FROM catalog.products AS p
        WHERE CAST(:plan_id AS bigint) IS NULL OR p.sku IN (
            SELECT sku FROM catalog.plan_rows
            WHERE plan_id = :plan_id AND action IN ('create', 'update')
        )
    ), points AS (
        SELECT p.sku, part.what, part.most, part.got
        FROM product AS p CROSS JOIN LATERAL (VALUES
            ('description', 20, CASE WHEN length(p.description) >= 200 THEN 20
                WHEN length(p.description) >= 50 THEN 10 ELSE 0 END),
            ('images', 20, CASE WHEN p.pictures >= 3 THEN 20
                WHEN p.pictures > 0 THEN 10 ELSE 0 END),
            ('gtin', 15, CASE WHEN p.gtin IS NOT NULL THEN 15 ELSE 0 END),
            ('name', 15, CASE WHEN length(p.name) BETWEEN 20 AND 150 THEN 15 ELSE 0 END),
            ('brand', 10, CASE WHEN p.brand <> '' THEN 10 ELSE 0 END),
            ('category', 10, CASE WHEN p.category_id IS NOT NULL
                OR p.category <> 'uncategorised' THEN 10 ELSE 0 END),
            ('sides', 5, CASE WHEN num_nulls(p.length_mm, p.width_mm, p.height_mm) = 0
                THEN 5 ELSE 0 END),
            ('weight', 5, CASE WHEN p.weight_g IS NOT NULL THEN 5 ELSE 0 END)
        ) AS part (what, most, got)
    )
    SELECT sku, CAST(sum(got) AS integer) AS score,
        coalesce(array_agg(what ORDER BY got - most, what COLLATE "C")
            FILTER (WHERE got < most), '{}') AS lacking
    FROM points GROUP BY sku
""")

BY_CHANNEL = sa.text("""
    SELECT channel, locale, count(*) AS products, count(*) FILTER (WHERE is_ready) AS ready,
        count(*) FILTER (WHERE NOT is_ready) AS held_back,
        round(avg(100.0 * present / greatest(required, 1)), 1) AS complete_percent
    FROM catalog.completeness GROUP BY channel, locale ORDER BY channel, locale
""").columns(*map(sa.column, (
    "channel", "locale", "products", "ready", "held_back", "complete_percent",
)))  # fmt: skip
"""How complete the products are for each channel and locale."""

MISSING_MOST = sa.text("""
    SELECT c.channel, c.locale, m.attribute, count(*) AS products,
        bool_or(m.attribute = ANY (c.blocking)) AS is_blocking
    FROM catalog.completeness AS c CROSS JOIN LATERAL unnest(c.missing) AS m (attribute)
    GROUP BY 1, 2, 3 ORDER BY products DESC, 1, 2, 3
""").columns(*map(sa.column, ("channel", "locale", "attribute", "products", "is_blocking")))
"""What is missing most often."""

LOWEST_SCORES = sa.select(
    PRODUCT_SCORES.c.sku, PRODUCT_SCORES.c.score, PRODUCT_SCORES.c.lacking
).order_by(PRODUCT_SCORES.c.score, PRODUCT_SCORES.c.sku)
"""Products that are described worst."""

_HISTOGRAM = sa.text("""
    SELECT band * 10 AS from_points, count(s.sku) AS products
    FROM generate_series(0, 9) AS band LEFT JOIN catalog.product_scores AS s
        ON least(s.score / 10, 9) = band
    GROUP BY band ORDER BY band
""")
_MAY_GO = sa.text("""
    SELECT sku FROM catalog.channel_products WHERE channel = :channel AND is_listable ORDER BY sku
""")


def judge_completeness(conn: sa.Connection, run: str, plan_id: int | None = None) -> int:
    """Bring `catalog.completeness` up to date.

    Args:
        conn: connection inside a transaction.
        run: Dagster run or command.
        plan_id: only the products this plan changes; all of them without it.

    Returns:
        How many rows are new, changed or gone.
    """
    rows = _COMPLETENESS.bindparams(plan_id=plan_id, columns=list(PRODUCT_VALUES)).columns(
        *(COMPLETENESS.c[name] for name in (
            "sku", "channel", "locale", "required", "present", "missing", "blocking", "is_ready",
        ))
    )  # fmt: skip
    # What channels ask for is not a plan's to change.
    gone = conn.execute(_NOT_ASKED).rowcount if plan_id is None else 0
    return gone + upsert(conn, COMPLETENESS, rows, ["sku", "channel", "locale"], {"run_id": run})


def judge_scores(conn: sa.Connection, run: str, plan_id: int | None = None) -> int:
    """Bring `catalog.product_scores` up to date; see `judge_completeness`."""
    names = ("sku", "score", "lacking")
    rows = _SCORES.bindparams(plan_id=plan_id).columns(*(PRODUCT_SCORES.c[n] for n in names))
    return upsert(conn, PRODUCT_SCORES, rows, ["sku"], {"run_id": run})


def score_bands(conn: sa.Connection) -> list[tuple[int, int]]:
    """How many products have a score from 0, 10, 20 ... points on."""
    return [(first, count) for first, count in conn.execute(_HISTOGRAM).tuples()]


def listable(conn: sa.Connection, channel: str) -> list[str]:
    """SKUs that may go to a channel: for sale, and complete in each of its locales."""
    return list(conn.execute(_MAY_GO, {"channel": channel}).scalars())
