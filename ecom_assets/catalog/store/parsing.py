"""Rows of a file understood: texts become values, and what is wrong with a cell is found.

The rules about single cells stand in `functions`; what must hold between rows, and of values
whoever wrote them, stands in `judging`.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.catalog.store.functions import open_functions
from ecom_assets.catalog.store.staging import (
    FINDINGS,
    GIVEN_VALUES,
    NUMBERS,
    PRICES,
    PROPOSED,
    STAGED,
    analyze,
)
from ecom_assets.shared.money import CURRENCIES, exponent

# Only rows with a suspicious cell are taken apart: nearly all have none.
_CELL_FAULTS = sa.text(r"""
    INSERT INTO catalog_findings (row_no, field, code, value, is_error)
    SELECT s.row_no, cell.field, pg_temp.fault_of(cell.value), left(cell.value, 200), true
    FROM catalog_staged AS s CROSS JOIN LATERAL (
        VALUES ('sku', s.sku), ('name', s.name), ('category', s.category), ('brand', s.brand),
            ('gtin', s.gtin), ('weight', s.weight), ('length', s.length), ('width', s.width),
            ('height', s.height), ('unit_cost', s.unit_cost), ('list_price', s.list_price),
            ('currency', s.currency), ('supplier_key', s.supplier_key),
            ('description', s.description), ('group_key', s.group_key),
            ('group_name', s.group_name), ('family', s.family), ('taxonomy', s.taxonomy),
            ('status', s.status), ('components', s.components)
    ) AS cell (field, value)
    WHERE concat_ws(E'\x01', '', s.sku, s.name, s.category, s.brand, s.gtin, s.weight, s.length,
            s.width, s.height, s.unit_cost, s.list_price, s.currency, s.supplier_key,
            s.description, s.group_key, s.group_name, s.family, s.taxonomy, s.status,
            s.components) ~ E'\x01[ \t\r\n]*[-=+@#]'
        AND pg_temp.fault_of(cell.value) IS NOT NULL
    UNION ALL
    SELECT s.row_no, coalesce(nullif(told.prefix, '') || ':', '') || told.key,
        pg_temp.fault_of(told.value), left(told.value, 200), true
    FROM catalog_staged AS s CROSS JOIN LATERAL (
        SELECT 'option' AS prefix, o.key, o.value FROM jsonb_each_text(s.options) AS o
        UNION ALL SELECT '', a.key, a.value FROM jsonb_each_text(s.attributes) AS a
    ) AS told
    WHERE concat(CAST(s.options AS text), CAST(s.attributes AS text))
            ~ '": "([ ]|\\[trn])*[-=+@#]'
        AND pg_temp.fault_of(told.value) IS NOT NULL
""")
_READER_FOUND = sa.text("""
    INSERT INTO catalog_findings (row_no, field, code, value, is_error, is_skip)
    SELECT row_no, problem ->> 'field', problem ->> 'code', problem ->> 'value',
        CAST(problem ->> 'is_error' AS boolean),
        coalesce(CAST(problem ->> 'is_skip' AS boolean), false)
    FROM catalog_staged WHERE problem IS NOT NULL
""")

# Numbers are taken apart once, into a table that the next statements read.
_MEASURES = sa.text(r"""
    INSERT INTO catalog_numbers (row_no, field, cell, parts, amount, whole)
    -- something that weighs less than half a gram weighs one, not nothing
    SELECT row_no, field, cell, parts, amount, CASE
        WHEN amount > 0 AND amount <= 2147483647 THEN CAST(greatest(1, round(amount)) AS integer)
        END
    FROM (
      SELECT row_no, field, cell, parts, pg_temp.number_of(parts[1]) * CASE parts[2]
        WHEN 'g' THEN 1 WHEN 'kg' THEN 1000 WHEN 'lb' THEN 453.59237
        WHEN 'oz' THEN 28.349523125 WHEN 'mm' THEN 1 WHEN 'cm' THEN 10 WHEN 'm' THEN 1000
        WHEN 'in' THEN 25.4 END AS amount
      FROM (
        SELECT s.row_no, given.field, given.cell,
            CASE WHEN given.cell ~ '^[0-9]+ [a-z]+$' THEN string_to_array(given.cell, ' ')
                ELSE regexp_match(lower(btrim(given.cell)), '^(-?[0-9][0-9.,]*) *([a-z]*)$')
            END AS parts
        FROM catalog_staged AS s CROSS JOIN LATERAL (
            VALUES ('weight', s.weight), ('length', s.length), ('width', s.width),
                ('height', s.height)
        ) AS given (field, cell)
        WHERE given.cell IS NOT NULL
        OFFSET 0  -- or each use of the parts would take the cell apart again
      ) AS taken_apart
      OFFSET 0
    ) AS measured
""")
_PRICES = sa.text(r"""
    INSERT INTO catalog_prices (row_no, field, cell, stated, currency, amount, minor, whole)
    SELECT row_no, field, cell, stated, currency, amount, minor, CASE
        WHEN minor >= 0 AND minor <= 1000000000000000 THEN CAST(round(minor) AS bigint) END
    FROM (
      SELECT row_no, field, cell, stated, currency, amount, amount * CASE
        WHEN currency = ANY (CAST(:of_none AS text[])) THEN 1
        WHEN currency = ANY (CAST(:of_three AS text[])) THEN 1000 ELSE 100 END AS minor
      FROM (
        SELECT row_no, field, cell, coalesce(parts[1], parts[3]) AS stated,
            coalesce(given, parts[1], parts[3], CAST(:currency AS text)) AS currency,
            pg_temp.number_of(parts[2]) AS amount
        FROM (
            SELECT s.row_no, upper(btrim(s.currency)) AS given, cost.field, cost.cell, CASE
                WHEN cost.cell ~ '^[0-9]+(\.[0-9]+)?$' THEN ARRAY[NULL, cost.cell, NULL]
                ELSE regexp_match(
                    upper(btrim(cost.cell)),
                    '^(?:([A-Z]{3})|[$€£₹¥])? ?(-?[0-9][0-9.,]*) ?(?:([A-Z]{3})|[$€£₹¥])?$'
                ) END AS parts
            FROM catalog_staged AS s CROSS JOIN LATERAL (
                VALUES ('unit_cost', s.unit_cost), ('list_price', s.list_price)
            ) AS cost (field, cell)
            WHERE cost.cell IS NOT NULL
            OFFSET 0
        ) AS taken_apart
        OFFSET 0
      ) AS read
      OFFSET 0
    ) AS counted
""")
_NUMBERS_FOUND = sa.text("""
    INSERT INTO catalog_findings (row_no, field, code, value, is_error)
    SELECT row_no, field, code, left(cell, 200), code <> 'zero_left_out'
    FROM (
        SELECT row_no, field, cell, CASE
            WHEN parts IS NULL OR pg_temp.number_of(parts[1]) IS NULL THEN 'not_a_number'
            WHEN parts[2] = '' AND pg_temp.number_of(parts[1]) <> 0 THEN 'unit_missing'
            WHEN pg_temp.number_of(parts[1]) = 0 THEN 'zero_left_out'
            WHEN amount IS NULL THEN 'unit_unknown'
            WHEN amount < 0 THEN 'negative'
            WHEN amount > 2147483647 THEN 'too_large' END AS code
        FROM catalog_numbers WHERE whole IS NULL
        UNION ALL
        SELECT row_no, field, cell, CASE
            WHEN amount IS NULL THEN 'not_a_number'
            WHEN amount < 0 THEN 'negative'
            WHEN minor > 1000000000000000 THEN 'too_large'
            WHEN currency IS NULL THEN 'currency_missing'
            WHEN stated <> currency THEN 'currency_differs'
            -- a double that was written out is off by less
            WHEN abs(minor - round(minor)) > 0.001 THEN 'fraction_of_minor_unit' END
        FROM catalog_prices WHERE whole IS NULL OR currency IS NULL OR stated <> currency
            OR minor <> whole
        UNION ALL
        SELECT p.row_no, p.field, p.cell, 'currency_differs'
        FROM catalog_prices AS p JOIN catalog_prices AS c USING (row_no)
        WHERE p.field = 'list_price' AND c.field = 'unit_cost' AND p.currency <> c.currency
    ) AS seen
    WHERE code IS NOT NULL
""")
_GTINS_FOUND = sa.text("""
    INSERT INTO catalog_findings (row_no, field, code, value, is_error)
    SELECT s.row_no, 'gtin', g.told[2], left(s.gtin, 200),
        g.told[2] NOT IN ('gtin_was_float', 'gtin_zero_restored')
    FROM catalog_staged AS s
        CROSS JOIN LATERAL (SELECT pg_temp.read_gtin(s.gtin) AS told OFFSET 0) AS g
    -- most need no reading: digits alone, and as many as there must be
    WHERE s.gtin !~ '^([0-9]{8}|[0-9]{12,14})$' AND g.told[2] IS NOT NULL
""")
_TAXONOMY_FOUND = sa.text("""
    INSERT INTO catalog_findings (row_no, field, code, value, is_error)
    SELECT s.row_no, 'taxonomy', CASE WHEN taxonomy.is_known THEN 'unknown_category'
        ELSE 'taxonomy_not_imported' END, left(s.taxonomy, 200), taxonomy.is_known
    FROM catalog_staged AS s JOIN catalog_proposed AS n USING (row_no)
        CROSS JOIN (SELECT EXISTS (SELECT FROM catalog.categories) AS is_known) AS taxonomy
    WHERE s.taxonomy IS NOT NULL AND n.category_id IS NULL
""")
_COMPONENTS_FOUND = sa.text("""
    INSERT INTO catalog_findings (row_no, field, code, value, is_error)
    SELECT row_no, 'components', 'components_malformed', left(components, 200), true
    FROM catalog_staged
    WHERE lower(btrim(components)) <> 'none' AND EXISTS (
        SELECT FROM regexp_split_to_table(components, '[|;]') AS part
        WHERE part !~ '^ *[^ ].*: *[1-9][0-9]{0,5} *$' AND part ~ '[^ ]'
    )
""")

_PROPOSE = sa.text(r"""
    INSERT INTO catalog_proposed (
        row_no, sku, name, category, brand, gtin, weight_g, length_mm, width_mm, height_mm,
        currency, unit_cost_minor, list_price_minor, supplier_key, description, group_key,
        options, family, category_id, status, is_active, is_kit, group_name, media, components,
        attributes
    )
    SELECT s.row_no, regexp_replace(pg_temp.clean(s.sku), '^''', ''), pg_temp.clean(s.name),
        pg_temp.clean(s.category), pg_temp.clean(s.brand),
        CASE WHEN s.gtin ~ '^([0-9]{8}|[0-9]{12,14})$' THEN lpad(s.gtin, 14, '0')
            WHEN s.gtin IS NOT NULL THEN (pg_temp.read_gtin(s.gtin))[1] END,
        weight.whole, length.whole, width.whole, height.whole,
        coalesce(upper(btrim(s.currency)), price.currency, cost.currency), cost.whole,
        price.whole,
        pg_temp.clean(s.supplier_key), pg_temp.clean(s.description), pg_temp.clean(s.group_key),
        CASE WHEN s.options IS NOT NULL THEN (
            SELECT jsonb_object_agg(btrim(o.key), pg_temp.clean(o.value))
            FROM jsonb_each_text(s.options) AS o WHERE pg_temp.clean(o.value) IS NOT NULL
        ) END,
        pg_temp.clean(s.family), coalesce(by_id.category_id, by_path.category_id),
        lower(btrim(s.status)), lower(btrim(s.status)) = 'active',
        CASE WHEN s.components IS NOT NULL THEN lower(btrim(s.components)) <> 'none' END,
        pg_temp.clean(s.group_name), s.media, CASE
            WHEN lower(btrim(s.components)) = 'none' THEN '{}'
            WHEN s.components IS NOT NULL THEN (SELECT jsonb_object_agg(
                    btrim(regexp_replace(part, ':[^:]*$', '')),
                    CAST(btrim(substring(part from '[^:]*$')) AS integer)
                ) FROM regexp_split_to_table(s.components, '[|;]') AS part
                WHERE part ~ '^ *[^ ].*: *[1-9][0-9]{0,5} *$')
        END, s.attributes
    FROM catalog_staged AS s
        LEFT JOIN catalog_numbers AS weight
            ON weight.row_no = s.row_no AND weight.field = 'weight' AND weight.whole > 0
        LEFT JOIN catalog_numbers AS length
            ON length.row_no = s.row_no AND length.field = 'length' AND length.whole > 0
        LEFT JOIN catalog_numbers AS width
            ON width.row_no = s.row_no AND width.field = 'width' AND width.whole > 0
        LEFT JOIN catalog_numbers AS height
            ON height.row_no = s.row_no AND height.field = 'height' AND height.whole > 0
        LEFT JOIN catalog_prices AS cost
            ON cost.row_no = s.row_no AND cost.field = 'unit_cost' AND cost.whole >= 0
        LEFT JOIN catalog_prices AS price
            ON price.row_no = s.row_no AND price.field = 'list_price' AND price.whole >= 0
        LEFT JOIN catalog.categories AS by_id
            ON by_id.category_id = CASE WHEN s.taxonomy ~ '^[0-9]{1,18}$'
                THEN CAST(s.taxonomy AS bigint) END
        LEFT JOIN catalog.categories AS by_path ON by_path.path = btrim(s.taxonomy)
    WHERE s.problem IS NULL
        OR NOT (s.problem ? 'is_skip' OR CAST(s.problem ->> 'is_error' AS boolean))
""")
# A key is the attribute, then @channel and #locale where the value is for one.
_VALUES = sa.text(r"""
    INSERT INTO catalog_given_values (row_no, sku, key, attribute, channel, locale, value)
    SELECT n.row_no, n.sku, a.key, regexp_replace(a.key, '[@#].*$', ''),
        coalesce(substring(a.key from '@([^#]*)'), ''),
        coalesce(substring(a.key from '#(.*)$'), ''), pg_temp.clean(a.value)
    FROM catalog_proposed AS n CROSS JOIN LATERAL jsonb_each_text(n.attributes) AS a
    WHERE n.attributes IS NOT NULL AND pg_temp.clean(a.value) IS NOT NULL
""")
_EXPONENTS = {
    "of_none": [code for code in sorted(CURRENCIES) if exponent(code) == 0],
    "of_three": [code for code in sorted(CURRENCIES) if exponent(code) == 3],
}
"""Currencies whose minor unit is not a hundredth."""


def parse(conn: sa.Connection, currency: str | None) -> None:
    """Turn `STAGED` into `PROPOSED` and `GIVEN_VALUES`, and find what is wrong with cells.

    Args:
        conn: connection inside the transaction that opened the tables.
        currency: ISO 4217 code of prices that state none.
    """
    open_functions(conn)
    analyze(conn, STAGED)
    conn.execute(_MEASURES)
    conn.execute(_PRICES, {"currency": currency, **_EXPONENTS})
    analyze(conn, NUMBERS, PRICES)
    for found in (_READER_FOUND, _CELL_FAULTS, _NUMBERS_FOUND, _GTINS_FOUND, _COMPONENTS_FOUND):
        conn.execute(found)
    conn.execute(_PROPOSE)
    analyze(conn, PROPOSED)
    conn.execute(_TAXONOMY_FOUND)
    split_attributes(conn)


def split_attributes(conn: sa.Connection) -> None:
    """Fill `GIVEN_VALUES` with the attributes of `PROPOSED`."""
    conn.execute(_VALUES)
    analyze(conn, GIVEN_VALUES, FINDINGS)
