"""What the rows of a plan would change beside the columns of the products."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.catalog.store.staging import DETAILS, analyze

_DETAILS = sa.text("""
    INSERT INTO catalog_details (
        row_no, sku, is_error, is_skip, findings, before, after, group_after
    )
    WITH attributes AS (
        SELECT g.row_no, jsonb_object_agg(g.key, g.value) AS after,
            jsonb_object_agg(g.key, v.value) FILTER (WHERE v.value IS NOT NULL) AS before
        FROM catalog_given_values AS g
            LEFT JOIN catalog.attribute_values AS v USING (sku, attribute, channel, locale)
        WHERE v.value IS DISTINCT FROM g.value
        GROUP BY g.row_no
    ), media AS (
        SELECT n.row_no, jsonb_build_object('media', n.media) AS after,
            jsonb_strip_nulls(jsonb_build_object('media', m.known)) AS before
        FROM catalog_proposed AS n LEFT JOIN (
            SELECT sku, jsonb_agg(url ORDER BY position) AS known FROM catalog.media GROUP BY sku
        ) AS m USING (sku)
        WHERE n.media IS NOT NULL AND n.media IS DISTINCT FROM m.known
    ), components AS (
        SELECT n.row_no, jsonb_build_object('components', n.components) AS after,
            jsonb_strip_nulls(jsonb_build_object('components', k.known)) AS before
        FROM catalog_proposed AS n LEFT JOIN (
            SELECT kit_sku AS sku, jsonb_object_agg(component_sku, quantity) AS known
            FROM catalog.kits GROUP BY kit_sku
        ) AS k USING (sku)
        WHERE n.components IS NOT NULL AND n.components <> coalesce(k.known, '{}')
    ), groups AS (
        SELECT n.row_no, jsonb_build_object(
            'group_name', coalesce(n.group_name, n.name, n.group_key)
        ) AS after
        FROM catalog_proposed AS n
        WHERE n.group_key IS NOT NULL AND NOT EXISTS (
            SELECT FROM catalog.product_groups AS g WHERE g.group_key = n.group_key
        )
    ), said AS (
        SELECT row_no, bool_or(is_error) AS is_error, bool_or(is_skip) AS is_skip,
            jsonb_agg(jsonb_build_object(
                'field', field, 'code', code, 'value', value, 'is_error', is_error
            ) ORDER BY is_error DESC, field, code) AS findings
        FROM catalog_findings GROUP BY row_no
    )
    SELECT r.row_no, coalesce(n.sku, btrim(r.sku)), coalesce(s.is_error, false),
        coalesce(s.is_skip, false), coalesce(s.findings, '[]'),
        coalesce(a.before, '{}') || coalesce(m.before, '{}') || coalesce(c.before, '{}'),
        coalesce(a.after, '{}') || coalesce(m.after, '{}') || coalesce(c.after, '{}'),
        coalesce(g.after, '{}')
    FROM catalog_staged AS r LEFT JOIN catalog_proposed AS n USING (row_no)
        LEFT JOIN said AS s USING (row_no) LEFT JOIN attributes AS a USING (row_no)
        LEFT JOIN media AS m USING (row_no) LEFT JOIN components AS c USING (row_no)
        LEFT JOIN groups AS g USING (row_no)
""")


def gather(conn: sa.Connection) -> None:
    """Fill `DETAILS` from what was staged, understood and found."""
    conn.execute(_DETAILS)
    analyze(conn, DETAILS)
