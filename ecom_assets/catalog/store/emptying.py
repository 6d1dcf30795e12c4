"""Values that a plan is to empty: files cannot say so, people can."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

# What the plan holds as before and not as after is emptied, and comes back with its reversal.
_EMPTIED = sa.text("""
    WITH given AS (
        SELECT CAST(row_no AS bigint) AS row_no, field
        FROM jsonb_each(CAST(:emptied AS jsonb)) AS r (row_no, fields)
            CROSS JOIN LATERAL jsonb_array_elements_text(r.fields) AS f (field)
    ), known AS (
        SELECT g.row_no, jsonb_object_agg(g.field, coalesce(
            CASE g.field WHEN 'media' THEN (
                SELECT jsonb_agg(url ORDER BY position) FROM catalog.media AS m
                WHERE m.sku = d.sku
            ) ELSE nullif(to_jsonb(p) -> g.field, 'null') END,
            to_jsonb(v.value)
        )) AS before
        FROM given AS g
            JOIN catalog_details AS d USING (row_no)
            JOIN catalog.products AS p USING (sku)
            LEFT JOIN catalog.attribute_values AS v
                ON v.sku = d.sku AND v.attribute = regexp_replace(g.field, '[@#].*$', '')
                    AND v.channel = coalesce(substring(g.field from '@([^#]*)'), '')
                    AND v.locale = coalesce(substring(g.field from '#(.*)$'), '')
        GROUP BY g.row_no
    )
    UPDATE catalog_details AS d SET before = d.before || jsonb_strip_nulls(k.before)
    FROM known AS k WHERE k.row_no = d.row_no
""")


def empty_fields(conn: sa.Connection, emptied: Mapping[int, Sequence[str]]) -> None:
    """Let rows of a plan that is being made empty fields of their products.

    Args:
        conn: connection inside the transaction that makes the plan.
        emptied: columns, `media` and keys of attributes by number of the row.
    """
    if emptied:
        given = {str(row_no): list(fields) for row_no, fields in emptied.items()}
        conn.execute(_EMPTIED, {"emptied": json.dumps(given)})
