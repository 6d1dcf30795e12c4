"""Make a plan: rows understood, judged, compared with the catalogue and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa

from ecom_assets.catalog.model import Plan, PlanSource
from ecom_assets.catalog.store import comparing
from ecom_assets.catalog.store.comparing import COLUMNS
from ecom_assets.catalog.store.details import gather
from ecom_assets.catalog.store.judging import judge
from ecom_assets.catalog.store.parsing import parse
from ecom_assets.catalog.store.plans import find_plan
from ecom_assets.catalog.store.staging import (
    DETAILS,
    PROPOSED,
    copy_rows,
    lock_products,
    open_tables,
)
from ecom_assets.catalog.tables import IMPORT_PLANS, PLAN_ROWS, PRODUCTS

_ONE_CURRENCY = sa.text("""
    SELECT min(currency) FROM catalog.products HAVING min(currency) = max(currency)
""")
_NEW_PRODUCT = sa.text("""
    UPDATE catalog_proposed AS n
    SET category = coalesce(n.category, 'uncategorised'),
        currency = coalesce(n.currency, :currency), status = coalesce(n.status, 'active'),
        is_active = coalesce(n.is_active, true)
    WHERE NOT EXISTS (SELECT FROM catalog.products AS p WHERE p.sku = n.sku)
        AND num_nulls(n.category, n.currency, n.status, n.is_active) > 0
""")
# Two sums of 64 bits, which do not depend on an order, stand for all planned changes.
_CONTENT = sa.text("""
    SELECT count(*) FILTER (WHERE action = 'create') AS rows_create,
        count(*) FILTER (WHERE action = 'update') AS rows_update,
        count(*) FILTER (WHERE action = 'skip') AS rows_skip,
        count(*) FILTER (WHERE action = 'error') AS rows_error,
        count(*) AS rows_read,
        CAST(sum(hashtextextended(told, 1)) AS text) || ' '
            || CAST(sum(hashtextextended(told, 2)) AS text) AS content
    FROM catalog.plan_rows CROSS JOIN LATERAL (
        SELECT CASE WHEN after IS NOT NULL
            THEN concat_ws(' ', row_no, action, sku, CAST(before AS text), CAST(after AS text))
        END AS told
    ) AS changes
    WHERE plan_id = :plan_id
""")


def make_plan(
    conn: sa.Connection,
    source: PlanSource,
    blocks: Iterable[tuple[int, bytes]],
    at: datetime,
    run: str,
    currency: str | None = None,
) -> Plan:
    """Plan what rows would change; the catalogue stays as it is.

    Args:
        conn: connection inside a transaction; other changes of products wait for its end.
        source: where the rows come from; settings may be filled while `blocks` are read.
        blocks: staged rows as `reading` gives them.
        at: when the plan is asked for.
        run: Dagster run or command.
        currency: ISO 4217 code of prices that state none; else that of the whole catalogue.

    Returns:
        The plan; the one there is where the same rows were planned against the same state.
    """
    lock_products(conn)
    open_tables(conn)
    for _, data in blocks:
        copy_rows(conn, data)
    currency = currency or conn.scalar(_ONE_CURRENCY)
    parse(conn, currency)
    judge(conn, currency)
    conn.execute(_NEW_PRODUCT, {"currency": currency})
    gather(conn)
    return _keep(conn, source, at, run, currency)


def _keep(
    conn: sa.Connection, source: PlanSource, at: datetime, run: str, currency: str | None
) -> Plan:
    settings = {**source.settings, **({"currency": currency} if currency else {})}
    values = {
        "hash": uuid4().hex, "source": source.name, "format": source.format,
        "file_digest": source.digest, "settings": settings, "planned_at": at, "run_id": run,
        "rows_read": 0, "rows_create": 0, "rows_update": 0, "rows_skip": 0, "rows_error": 0,
    }  # fmt: skip
    with conn.begin_nested() as attempt:
        new = sa.insert(IMPORT_PLANS).values(values).returning(IMPORT_PLANS.c.plan_id)
        plan_id = conn.execute(new).scalar_one()
        conn.execute(_rows(plan_id))
        content = conn.execute(_CONTENT, {"plan_id": plan_id}).mappings().one()
        counts = {name: count for name, count in content.items() if name.startswith("rows_")}
        told = [source.name, source.format, source.digest, settings, dict(content)]
        name, known = _free_hash(conn, json.dumps(told, sort_keys=True, default=str))
        if known is not None:
            attempt.rollback()
            return known
        mine = IMPORT_PLANS.c.plan_id == plan_id
        conn.execute(sa.update(IMPORT_PLANS).where(mine).values(hash=name, **counts))
    return find_plan(conn, name)


def _free_hash(conn: sa.Connection, content: str) -> tuple[str, Plan | None]:
    """A hash for the content, and the plan that still waits under it, if any.

    A plan that was applied or reverted keeps its hash; the same changes planned again get another.
    """
    attempt = 0
    while True:
        name = hashlib.sha256(f"{content} {attempt}".encode()).hexdigest()
        state = conn.scalar(sa.select(IMPORT_PLANS.c.state).where(IMPORT_PLANS.c.hash == name))
        if state in {None, "planned"}:
            return name, find_plan(conn, name) if state else None
        attempt += 1


def _rows(plan_id: int) -> sa.Insert:
    """All rows of the plan, each with what it does."""
    row, given = DETAILS.c, PROPOSED
    joined = DETAILS.outerjoin(given, given.c.row_no == row.row_no).outerjoin(
        PRODUCTS, PRODUCTS.c.sku == given.c.sku
    )
    is_new = PRODUCTS.c.sku.is_(None)
    is_equal = sa.and_(
        sa.not_(comparing.changed(given, COLUMNS)), row.after == sa.literal_column("'{}'::jsonb")
    )
    action = sa.case(
        (row.is_error, "error"), (row.is_skip, "skip"), (is_new, "create"), (is_equal, "skip"),
        else_="update",
    )  # fmt: skip
    told = (
        sa.select(
            row.row_no, row.sku, action.label("action"), row.findings,
            *_values(is_new),
        )
        .select_from(joined)
        .subquery("told")
    )  # fmt: skip
    changes = told.c.action.in_(["create", "update"])
    source = sa.select(
        sa.literal(plan_id), told.c.row_no, told.c.sku, told.c.action, told.c.findings,
        sa.case((told.c.action == "update", told.c.before)),
        sa.case((changes, told.c.after)),
    )  # fmt: skip
    names = ["plan_id", "row_no", "sku", "action", "findings", "before", "after"]
    return sa.insert(PLAN_ROWS).from_select(names, source)


def _values(is_new: sa.ColumnElement[bool]) -> tuple[sa.Label[object], sa.Label[object]]:
    """The values before and after; the columns are compared where there is a product to compare."""
    row, given = DETAILS.c, PROPOSED
    changed = sa.and_(~row.is_error, ~row.is_skip)
    before = comparing.before(given, COLUMNS).op("||")(row.before)
    fresh = comparing.whole(given, COLUMNS)
    after = sa.case((is_new, fresh), else_=comparing.after(given, COLUMNS))
    after = after.op("||")(row.after).op("||")(row.group_after)
    return (
        sa.case((sa.and_(changed, ~is_new), before)).label("before"),
        sa.case((changed, after)).label("after"),
    )
