"""The validators: what must hold of values before they are written, whoever proposes them.

A plan judges what a file proposes, and its application judges what the plan proposes, with these
very statements; so what the dry run accepts the write accepts, unless the catalogue moved.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.catalog.store.staging import FINDINGS, analyze
from ecom_assets.shared.money import CURRENCIES

_VALUES = sa.text("""
    INSERT INTO catalog_findings (row_no, field, code, value, is_error)
    SELECT n.row_no, seen.field, seen.code, left(seen.value, 200), true
    FROM catalog_proposed AS n LEFT JOIN catalog.products AS p USING (sku)
        CROSS JOIN LATERAL (VALUES
            ('sku', 'sku_missing', n.sku, n.sku IS NULL),
            ('sku', 'too_long', n.sku, length(n.sku) > 200),
            ('name', 'name_missing', n.sku, p.sku IS NULL AND n.name IS NULL),
            ('name', 'too_long', n.name, length(n.name) > 1000),
            ('category', 'too_long', n.category, length(n.category) > 1000),
            ('gtin', 'gtin_wrong_check_digit', n.gtin, NOT catalog.is_gtin_14(n.gtin)),
            ('currency', 'currency_missing', n.sku,
                p.sku IS NULL AND coalesce(n.currency, :currency) IS NULL),
            ('currency', 'unknown_currency', n.currency, n.currency <> ALL (:currencies)),
            ('status', 'unknown_status', n.status, n.status NOT IN ('active', 'archived'))
        ) AS seen (field, code, value, is_wrong)
    WHERE seen.is_wrong AND (
        n.sku IS NULL OR length(n.sku) > 200 OR length(n.name) > 1000 OR length(n.category) > 1000
        OR p.sku IS NULL AND (n.name IS NULL OR coalesce(n.currency, :currency) IS NULL)
        OR NOT catalog.is_gtin_14(n.gtin) OR n.currency <> ALL (:currencies)
        OR n.status NOT IN ('active', 'archived')
    )
""")
_REFERENCES = sa.text("""
    INSERT INTO catalog_findings (row_no, field, code, value, is_error)
    SELECT n.row_no, 'family', 'unknown_family', left(n.family, 200), true
    FROM catalog_proposed AS n
    WHERE n.family IS NOT NULL
        AND NOT EXISTS (SELECT FROM catalog.families AS f WHERE f.family = n.family)
    UNION ALL
    SELECT n.row_no, 'supplier_key', 'unknown_supplier', left(n.supplier_key, 200), true
    FROM catalog_proposed AS n
    WHERE n.supplier_key IS NOT NULL AND NOT EXISTS (
        SELECT FROM catalog.suppliers AS s WHERE s.supplier_key = n.supplier_key
    )
    UNION ALL
    SELECT n.row_no, 'media', 'no_web_address', left(m.url, 200), true
    FROM catalog_proposed AS n CROSS JOIN LATERAL jsonb_array_elements_text(n.media) AS m (url)
    WHERE n.media IS NOT NULL AND m.url !~ '^https?://'
    UNION ALL
    SELECT row_no, key, 'too_long', left(value, 200), true
    FROM catalog_given_values WHERE length(value) > 100000
""")

# Equal rows of one SKU are one row told twice; of rows that differ nobody knows which is meant.
_REPEATED = sa.text("""
    WITH twice AS (
        SELECT sku FROM catalog_proposed WHERE sku IS NOT NULL GROUP BY sku HAVING count(*) > 1
    ), told AS (
        SELECT n.sku, n.row_no, to_jsonb(n) - 'row_no' AS content
        FROM catalog_proposed AS n JOIN twice USING (sku)
    ), judged AS (
        SELECT sku, min(row_no) AS first_no, count(DISTINCT content) > 1 AS differ,
            string_agg(CAST(row_no AS text), ', ' ORDER BY row_no) AS rows
        FROM told GROUP BY sku
    )
    INSERT INTO catalog_findings (row_no, field, code, value, is_error, is_skip)
    SELECT t.row_no, 'sku', CASE WHEN j.differ THEN 'duplicate_sku' ELSE 'repeated_row' END,
        left('rows ' || j.rows, 200), j.differ, NOT j.differ
    FROM told AS t JOIN judged AS j USING (sku)
    WHERE j.differ OR t.row_no <> j.first_no
""")
_SAME_GTIN = sa.text("""
    INSERT INTO catalog_findings (row_no, field, code, value, is_error)
    SELECT n.row_no, 'gtin', 'gtin_on_two_skus', n.gtin || ': ' || left(other.sku, 150), true
    FROM catalog_proposed AS n JOIN LATERAL (
        SELECT o.sku FROM catalog_proposed AS o
        WHERE o.gtin = n.gtin AND o.sku <> n.sku ORDER BY o.row_no LIMIT 1
    ) AS other ON true
    WHERE n.gtin IN (
        SELECT gtin FROM catalog_proposed WHERE gtin IS NOT NULL
        GROUP BY gtin HAVING min(sku) <> max(sku)
    )
    UNION ALL
    SELECT n.row_no, 'gtin', 'gtin_on_two_skus', n.gtin || ': ' || left(p.sku, 150), true
    FROM catalog_proposed AS n JOIN catalog.products AS p USING (gtin)
    WHERE p.sku <> n.sku
        AND NOT EXISTS (SELECT FROM catalog_proposed AS o WHERE o.sku = p.sku AND o.gtin = n.gtin)
""")
_SAME_OPTIONS = sa.text("""
    WITH group_of AS (
        SELECT group_key FROM catalog_proposed WHERE group_key IS NOT NULL AND options IS NOT NULL
        GROUP BY group_key
    ), variant AS (
        SELECT n.row_no, n.sku, n.group_key, n.options FROM catalog_proposed AS n
        -- a row without a usable SKU is no variant that another could be taken for
        WHERE n.group_key IS NOT NULL AND n.options <> '{}' AND NOT EXISTS (
            SELECT FROM catalog_findings AS f
            WHERE f.row_no = n.row_no AND f.is_error AND f.field = 'sku'
        )
        UNION ALL
        SELECT NULL, p.sku, p.group_key, p.options
        FROM catalog.products AS p JOIN group_of USING (group_key)
        WHERE p.options <> '{}' AND p.status = 'active'
            AND NOT EXISTS (SELECT FROM catalog_proposed AS n WHERE n.sku = p.sku)
    ), alike AS (
        SELECT group_key, options, array_agg(DISTINCT sku) AS skus
        FROM variant GROUP BY group_key, options HAVING count(DISTINCT sku) > 1
    )
    INSERT INTO catalog_findings (row_no, field, code, value, is_error)
    SELECT v.row_no, 'options', 'same_options',
        left((array_remove(a.skus, v.sku))[1], 200), true
    FROM variant AS v JOIN alike AS a USING (group_key, options) WHERE v.row_no IS NOT NULL
""")
_COMPONENTS = sa.text("""
    INSERT INTO catalog_findings (row_no, field, code, value, is_error)
    SELECT n.row_no, 'components', 'unknown_component', left(c.sku, 200), true
    FROM catalog_proposed AS n CROSS JOIN LATERAL jsonb_object_keys(n.components) AS c (sku)
    WHERE n.components IS NOT NULL AND NOT EXISTS (
            SELECT FROM catalog_findings AS f
            WHERE f.row_no = n.row_no AND f.is_error AND f.field = 'components'
        )
        AND NOT EXISTS (SELECT FROM catalog.products AS p WHERE p.sku = c.sku)
        AND NOT EXISTS (
            SELECT FROM catalog_proposed AS o WHERE o.sku = c.sku AND NOT EXISTS (
                SELECT FROM catalog_findings AS f WHERE f.row_no = o.row_no AND f.is_error
            )
        )
""")
# A kit of this plan is what the plan says, any other what it is. UNION ends circles.
_CYCLES = sa.text("""
    WITH RECURSIVE part (kit_sku, sku) AS (
        SELECT n.sku, c.sku
        FROM catalog_proposed AS n CROSS JOIN LATERAL jsonb_object_keys(n.components) AS c (sku)
        WHERE n.components IS NOT NULL
        UNION
        SELECT k.kit_sku, k.component_sku FROM catalog.kits AS k WHERE NOT EXISTS (
            SELECT FROM catalog_proposed AS n WHERE n.sku = k.kit_sku AND n.components IS NOT NULL
        )
    ), contained (kit_sku, sku) AS (
        SELECT p.kit_sku, p.sku FROM part AS p
        WHERE p.kit_sku IN (SELECT sku FROM catalog_proposed WHERE components IS NOT NULL)
        UNION
        SELECT c.kit_sku, p.sku FROM contained AS c JOIN part AS p ON p.kit_sku = c.sku
    )
    INSERT INTO catalog_findings (row_no, field, code, value, is_error)
    SELECT n.row_no, 'components', 'cyclic_kit', left(n.sku, 200), true
    FROM catalog_proposed AS n JOIN contained AS c ON c.kit_sku = n.sku AND c.sku = n.sku
    WHERE n.components IS NOT NULL
""")


def judge(conn: sa.Connection, currency: str | None) -> None:
    """Find what is wrong with the values of `PROPOSED` and `GIVEN_VALUES`.

    Args:
        conn: connection inside the transaction that opened and filled the tables.
        currency: ISO 4217 code of products that state none.
    """
    known = {"currency": currency, "currencies": sorted(CURRENCIES)}
    conn.execute(_VALUES, known)
    for rule in (_REFERENCES, _REPEATED, _SAME_GTIN, _SAME_OPTIONS, _CYCLES):
        conn.execute(rule)
    analyze(conn, FINDINGS)
    # Again while kits fall: one that is refused is a component nobody has.
    while conn.execute(_COMPONENTS).rowcount:
        pass
