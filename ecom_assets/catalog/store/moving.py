"""Write the values of a plan, forwards or back, and see whether they are still what they were."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, array

from ecom_assets.catalog.model import Plan
from ecom_assets.catalog.store.comparing import COLUMNS
from ecom_assets.catalog.store.functions import open_functions
from ecom_assets.catalog.store.staging import (
    GIVEN_VALUES,
    MOVES,
    NOT_ATTRIBUTES,
    PRODUCT_VALUES,
    PROPOSED,
    analyze,
    open_tables,
)
from ecom_assets.catalog.tables import PRODUCTS

_FORWARDS = sa.text("""
    INSERT INTO catalog_moves (row_no, sku, action, was, becomes, fields)
    SELECT row_no, sku, action, coalesce(before, '{}'), after, coalesce(before, '{}') || after
    FROM catalog.plan_rows WHERE plan_id = :plan_id AND action IN ('create', 'update')
""")
_BACK = sa.text("""
    INSERT INTO catalog_moves (row_no, sku, action, was, becomes, fields)
    SELECT row_no, sku, action, after, coalesce(before, '{}'), coalesce(before, '{}') || after
    FROM catalog.plan_rows WHERE plan_id = :plan_id AND action IN ('create', 'update')
""")
_ATTRIBUTES = sa.text("""
    INSERT INTO catalog_given_values (row_no, sku, key, attribute, channel, locale, value)
    SELECT m.row_no, m.sku, f.key, regexp_replace(f.key, '[@#].*$', ''),
        coalesce(substring(f.key from '@([^#]*)'), ''),
        coalesce(substring(f.key from '#(.*)$'), ''), m.becomes ->> f.key
    FROM catalog_moves AS m CROSS JOIN LATERAL jsonb_object_keys(m.fields) AS f (key)
    WHERE f.key <> ALL (CAST(:reserved AS text[]))
""")
_MOVED_DETAILS = sa.text("""
    SELECT m.row_no, m.sku, g.key AS field
    FROM catalog_given_values AS g JOIN catalog_moves AS m USING (row_no)
        LEFT JOIN catalog.attribute_values AS v
            ON (v.sku, v.attribute, v.channel, v.locale)
                = (g.sku, g.attribute, g.channel, g.locale)
    WHERE v.value IS DISTINCT FROM m.was ->> g.key
    UNION ALL
    SELECT m.row_no, m.sku, 'media' FROM catalog_moves AS m
    WHERE m.fields ? 'media' AND m.was -> 'media' IS DISTINCT FROM (
        SELECT jsonb_agg(url ORDER BY position) FROM catalog.media AS d WHERE d.sku = m.sku
    )
    UNION ALL
    SELECT m.row_no, m.sku, 'components' FROM catalog_moves AS m
    WHERE m.fields ? 'components' AND coalesce(m.was -> 'components', '{}') <> (
        SELECT coalesce(jsonb_object_agg(component_sku, quantity), '{}')
        FROM catalog.kits AS k WHERE k.kit_sku = m.sku
    )
""")
_GROUPS = sa.text("""
    INSERT INTO catalog.product_groups (group_key, name)
    SELECT DISTINCT ON (becomes ->> 'group_key')
        becomes ->> 'group_key', coalesce(becomes ->> 'group_name', becomes ->> 'group_key')
    FROM catalog_moves WHERE becomes ->> 'group_key' IS NOT NULL
    ORDER BY becomes ->> 'group_key', becomes ->> 'group_name', row_no
    ON CONFLICT DO NOTHING
""")
_EMPTY_VALUES = sa.text("""
    DELETE FROM catalog.attribute_values AS v USING catalog_given_values AS g
    WHERE (v.sku, v.attribute, v.channel, v.locale) = (g.sku, g.attribute, g.channel, g.locale)
        AND g.value IS NULL
""")
_VALUES = sa.text("""
    INSERT INTO catalog.attribute_values
        (sku, attribute, channel, locale, value, source, plan_id, run_id)
    SELECT sku, attribute, channel, locale, value, :source, :plan_id, :run
    FROM catalog_given_values WHERE value IS NOT NULL
    ORDER BY sku, attribute, channel, locale
    ON CONFLICT (sku, attribute, channel, locale) DO UPDATE SET value = excluded.value,
        source = excluded.source, plan_id = excluded.plan_id, run_id = excluded.run_id,
        recorded_at = clock_timestamp()
""")
_NO_MEDIA = sa.text("""
    DELETE FROM catalog.media AS d USING catalog_moves AS m
    WHERE d.sku = m.sku AND m.fields ? 'media'
""")
_MEDIA = sa.text("""
    INSERT INTO catalog.media (sku, position, url)
    SELECT m.sku, u.position, u.url
    FROM catalog_moves AS m CROSS JOIN LATERAL
        jsonb_array_elements_text(m.becomes -> 'media') WITH ORDINALITY AS u (url, position)
    WHERE m.becomes ? 'media'
""")
_NO_KITS = sa.text("""
    DELETE FROM catalog.kits AS k USING catalog_moves AS m
    WHERE k.kit_sku = m.sku AND m.fields ? 'components'
""")
_KITS = sa.text("""
    INSERT INTO catalog.kits (kit_sku, component_sku, quantity)
    SELECT m.sku, c.sku, CAST(c.quantity AS integer)
    FROM catalog_moves AS m
        CROSS JOIN LATERAL jsonb_each_text(m.becomes -> 'components') AS c (sku, quantity)
    WHERE m.becomes ? 'components'
""")


def open_moves(conn: sa.Connection, plan: Plan, back: bool) -> None:
    """Fill `MOVES` and `GIVEN_VALUES` with what a plan writes, or takes back."""
    open_tables(conn)
    open_functions(conn)
    conn.execute(_BACK if back else _FORWARDS, {"plan_id": plan.plan_id})
    conn.execute(_ATTRIBUTES, {"reserved": list(NOT_ATTRIBUTES)})
    analyze(conn, MOVES, GIVEN_VALUES)


def moved(conn: sa.Connection) -> dict[int, tuple[str, list[str]]]:
    """Rows whose product is not as the move expects: SKU and fields by row number."""
    found: dict[int, tuple[str, list[str]]] = {}
    for row_no, sku, fields in conn.execute(_moved_columns()).tuples():
        found[row_no] = (sku, list(fields))
    for row_no, sku, field in conn.execute(_MOVED_DETAILS).tuples():
        found.setdefault(row_no, (sku, []))[1].append(field)
    return found


def _moved_columns() -> sa.Select[Any]:
    is_there = PRODUCTS.c.sku.is_not(None)
    is_new = sa.and_(MOVES.c.action == "create", MOVES.c.was == sa.literal_column("'{}'::jsonb"))
    comparable = sa.and_(is_there, ~is_new)
    differing = [
        sa.case((sa.and_(comparable, _has(name), _differs(name)), sa.literal_column(f"'{name}'")))
        for name in COLUMNS
    ]
    # A product that is gone, or that is already there, is told by its key.
    key = sa.case((is_there == is_new, sa.literal_column("'sku'")))
    listed = sa.func.array_remove(array([key, *differing]), sa.null())
    told = (
        sa.select(MOVES.c.row_no, MOVES.c.sku, listed.label("fields"))
        .select_from(MOVES.outerjoin(PRODUCTS, PRODUCTS.c.sku == MOVES.c.sku))
        .subquery("told")
    )
    return sa.select(told).where(sa.func.cardinality(told.c.fields) > 0).order_by(told.c.row_no)


def _has(name: str) -> sa.ColumnElement[bool]:
    return MOVES.c.fields.op("?", is_comparison=True)(name)


def _differs(name: str) -> sa.ColumnElement[bool]:
    return sa.cast(PRODUCTS.c[name], sa.Text).is_distinct_from(MOVES.c.was[name].astext)


def _becomes(name: str) -> sa.ColumnElement[Any]:
    kind = PRODUCT_VALUES[name]
    value = MOVES.c.becomes[name]
    return value if isinstance(kind, JSONB) else sa.cast(value.astext, kind)


def propose(conn: sa.Connection) -> None:
    """Fill `PROPOSED` with what the moves write, for the validators."""
    attributes = MOVES.c.becomes.op("-")(
        sa.cast(sa.literal(list(NOT_ATTRIBUTES), sa.ARRAY(sa.Text)), sa.ARRAY(sa.Text))
    )
    source = sa.select(
        MOVES.c.row_no, MOVES.c.sku, *map(_becomes, COLUMNS),
        MOVES.c.becomes["group_name"].astext, MOVES.c.becomes["media"],
        MOVES.c.becomes["components"], attributes,
    )  # fmt: skip
    names = ["row_no", "sku", *COLUMNS, "group_name", "media", "components", "attributes"]
    conn.execute(sa.insert(PROPOSED).from_select(names, source))
    analyze(conn, PROPOSED)


def create_groups(conn: sa.Connection) -> None:
    """Make the groups of variants that are not there yet."""
    conn.execute(_GROUPS)


def create_products(conn: sa.Connection) -> int:
    """Insert the products that are new; returns how many."""
    defaults: dict[str, sa.ColumnElement[Any]] = {
        "options": sa.literal_column("'{}'::jsonb"), "status": sa.literal("active"),
        "is_active": sa.true(), "is_kit": sa.false(),
    }  # fmt: skip
    values = [
        sa.func.coalesce(_becomes(name), defaults[name]) if name in defaults else _becomes(name)
        for name in COLUMNS
    ]
    rows = sa.select(MOVES.c.sku, *values).where(MOVES.c.action == "create").order_by(MOVES.c.sku)
    return conn.execute(sa.insert(PRODUCTS).from_select(["sku", *COLUMNS], rows)).rowcount


def update_products(conn: sa.Connection) -> int:
    """Write the columns that change; returns how many rows the plan changes in any way."""
    values = {
        name: sa.case((_has(name), _becomes(name)), else_=PRODUCTS.c[name]) for name in COLUMNS
    }
    is_update = sa.and_(PRODUCTS.c.sku == MOVES.c.sku, MOVES.c.action == "update")
    touched = sa.or_(*(_has(name) for name in COLUMNS))
    conn.execute(sa.update(PRODUCTS).values(values).where(is_update, touched))
    updates = sa.select(sa.func.count()).select_from(MOVES).where(MOVES.c.action == "update")
    return conn.execute(updates).scalar_one()


def write_details(conn: sa.Connection, plan: Plan, run: str) -> None:
    """Write attributes, media and components of all moves."""
    conn.execute(_EMPTY_VALUES)
    conn.execute(_VALUES, {"source": plan.source, "plan_id": plan.plan_id, "run": run})
    for statement in (_NO_MEDIA, _MEDIA, _NO_KITS, _KITS):
        conn.execute(statement)
