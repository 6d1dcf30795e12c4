"""Products and plans as people and machines look at them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ecom_assets.catalog.tables import IMPORT_PLANS, PLAN_ROWS, PRODUCTS

Rows = Sequence[sa.RowMapping]

_C = PRODUCTS.c
_SHOWN = [column for column in _C if column.name not in ("recorded_at", "import_id")]


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Which products are wanted; where nothing is said, all.

    Attributes:
        q: beginning of the SKU, the name (in any case) or the GTIN.
    """

    q: str | None = None
    family: str | None = None
    category: str | None = None
    category_id: int | None = None
    status: str | None = None
    brand: str | None = None
    supplier_key: str | None = None
    group_key: str | None = None


def products(
    conn: sa.Connection, wanted: ProductFilter, after: str | None, most: int
) -> Rows:  # fmt: skip
    """Products by SKU."""
    query = sa.select(*_SHOWN).order_by(_C.sku).limit(most)
    for name in ("family", "category", "category_id", "status", "brand", "supplier_key",
                 "group_key"):  # fmt: skip
        if (value := getattr(wanted, name)) is not None:
            query = query.where(_C[name] == value)
    if wanted.q is not None:
        begins = [_C.sku.startswith(wanted.q, autoescape=True),
                  sa.func.lower(_C.name).startswith(wanted.q.lower(), autoescape=True)]  # fmt: skip
        if wanted.q.isdecimal():
            # Kept with zeros in front, which nobody types.
            begins.append(sa.func.ltrim(_C.gtin, "0").startswith(wanted.q.lstrip("0")))
        query = query.where(sa.or_(*begins))
    if after is not None:
        query = query.where(_C.sku > after)
    return conn.execute(query).mappings().all()


_WHOLE = sa.text("""
    SELECT (SELECT coalesce(jsonb_agg(jsonb_build_object('attribute', v.attribute,
                'channel', v.channel, 'locale', v.locale, 'value', v.value, 'source', v.source,
                'plan_id', v.plan_id) ORDER BY v.attribute, v.channel, v.locale), '[]')
            FROM catalog.attribute_values AS v WHERE v.sku = :sku) AS attributes,
        (SELECT coalesce(jsonb_agg(m.url ORDER BY m.position), '[]')
            FROM catalog.media AS m WHERE m.sku = :sku) AS media,
        (SELECT coalesce(jsonb_object_agg(k.component_sku, k.quantity), '{}')
            FROM catalog.kits AS k WHERE k.kit_sku = :sku) AS components,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('channel', c.channel, 'locale', c.locale,
                'required', c.required, 'present', c.present, 'missing', c.missing,
                'blocking', c.blocking, 'is_ready', c.is_ready) ORDER BY c.channel, c.locale), '[]')
            FROM catalog.completeness AS c WHERE c.sku = :sku) AS completeness,
        (SELECT s.score FROM catalog.product_scores AS s WHERE s.sku = :sku) AS score,
        (SELECT g.name FROM catalog.products AS p JOIN catalog.product_groups AS g
                USING (group_key) WHERE p.sku = :sku) AS group_name,
        (SELECT c.path FROM catalog.products AS p JOIN catalog.categories AS c
                USING (category_id) WHERE p.sku = :sku) AS category_path
""")


def product(conn: sa.Connection, sku: str) -> dict[str, Any] | None:
    """A product with all that belongs to it; None where there is none."""
    row = conn.execute(sa.select(*_SHOWN).where(_C.sku == sku)).mappings().one_or_none()
    if row is None:
        return None
    return {**row, **conn.execute(_WHOLE, {"sku": sku}).mappings().one()}


def unknown_products(conn: sa.Connection, skus: Collection[str]) -> set[str]:
    """Which of these SKUs the catalogue does not know."""
    known = conn.scalars(sa.select(_C.sku).where(_C.sku.in_(skus)))
    return set(skus) - set(known)


_PLAN = [
    column for column in IMPORT_PLANS.c if column.name not in ("recorded_at", "run_id", "import_id")
]


def plans(conn: sa.Connection, state: str | None, before: int | None, most: int) -> Rows:
    """Plans, the newest first."""
    query = sa.select(*_PLAN).order_by(IMPORT_PLANS.c.plan_id.desc()).limit(most)
    if state is not None:
        query = query.where(IMPORT_PLANS.c.state == state)
    if before is not None:
        query = query.where(IMPORT_PLANS.c.plan_id < before)
    return conn.execute(query).mappings().all()


def plan(conn: sa.Connection, plan_id: int) -> sa.RowMapping:
    """A plan by its key."""
    query = sa.select(*_PLAN).where(IMPORT_PLANS.c.plan_id == plan_id)
    return conn.execute(query).mappings().one()


def plan_rows(
    conn: sa.Connection, plan_id: int, action: str | None, after: int | None, most: int
) -> Rows:
    """Rows of a plan, in their order."""
    c = PLAN_ROWS.c
    shown = (c.row_no, c.sku, c.action, c.before, c.after, c.findings, c.kept_because)
    query = sa.select(*shown).where(c.plan_id == plan_id).order_by(c.row_no).limit(most)
    if action is not None:
        query = query.where(c.action == action)
    if after is not None:
        query = query.where(c.row_no > after)
    return conn.execute(query).mappings().all()
