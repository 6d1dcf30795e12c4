"""Imports of whole shops on record as plans that are applied already."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from ecom_assets.catalog.store import comparing
from ecom_assets.catalog.tables import IMPORT_PLANS, PLAN_ROWS, PRODUCTS
from ecom_assets.shared.imports import IMPORTS

_SETTLE = sa.text("""
    UPDATE catalog.import_plans AS p SET rows_read = c.created + c.updated,
        rows_create = c.created, rows_update = c.updated,
        applied_no = (SELECT coalesce(max(applied_no), 0) + 1 FROM catalog.import_plans),
        hash = encode(sha256(convert_to('feed ' || p.plan_id || p.hash, 'UTF8')), 'hex'),
        state = 'applied', applied_at = p.planned_at, applied_run_id = p.run_id
    FROM (
        SELECT count(*) FILTER (WHERE action = 'create') AS created,
            count(*) FILTER (WHERE action = 'update') AS updated
        FROM catalog.plan_rows WHERE plan_id = :plan_id
    ) AS c
    WHERE p.plan_id = :plan_id
""")
_RUN = sa.select(IMPORTS.c.run_id)


def record_feed(conn: sa.Connection, rows: sa.Select[Any], import_id: int | None) -> None:
    """Keep what a feed is about to change; nothing is kept where it changes nothing.

    Args:
        conn: connection inside the transaction that then takes the feed, products locked.
        rows: the newest row of each SKU of the feed.
        import_id: import the feed belongs to.
    """
    run = conn.scalar(_RUN.where(IMPORTS.c.import_id == import_id)) or "import"
    values: dict[str, Any] = {
        # The moment is for people who look for the plan; nothing is decided by it.
        "hash": uuid4().hex, "source": "feed", "format": "feed", "file_digest": "",
        "settings": {}, "planned_at": sa.func.now(), "import_id": import_id, "run_id": run,
        "rows_read": 0, "rows_create": 0, "rows_update": 0, "rows_skip": 0, "rows_error": 0,
    }  # fmt: skip
    with conn.begin_nested() as attempt:
        new = sa.insert(IMPORT_PLANS).values(values).returning(IMPORT_PLANS.c.plan_id)
        plan_id = conn.execute(new).scalar_one()
        if conn.execute(_changes(plan_id, rows)).rowcount:
            conn.execute(_SETTLE, {"plan_id": plan_id})
        else:
            attempt.rollback()


def _changes(plan_id: int, rows: sa.Select[Any]) -> sa.Insert:
    """New and changed products of the feed as rows of the plan."""
    given = rows.cte("given").prefix_with("MATERIALIZED", dialect="postgresql")
    names = [name for name in comparing.COLUMNS if name in given.c]
    is_new = PRODUCTS.c.sku.is_(None)
    # What the table fills in for a new product is part of what the plan made.
    fresh = comparing.whole(given, names).op("||")(
        sa.literal_column('\'{"status": "active", "is_active": true, "is_kit": false}\'::jsonb')
    )
    source = (
        sa.select(
            sa.literal(plan_id),
            sa.func.row_number().over(order_by=given.c.sku),
            given.c.sku,
            sa.case((is_new, "create"), else_="update"),
            sa.case((~is_new, comparing.before(given, names))),
            sa.case((is_new, fresh), else_=comparing.after(given, names)),
        )
        .select_from(given.outerjoin(PRODUCTS, PRODUCTS.c.sku == given.c.sku))
        .where(sa.or_(is_new, comparing.changed(given, names)))
    )
    columns = ["plan_id", "row_no", "sku", "action", "before", "after"]
    return sa.insert(PLAN_ROWS).from_select(columns, source)
