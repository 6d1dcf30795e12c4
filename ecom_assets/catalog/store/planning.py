"""Make a plan: rows understood, judged, compared with the catalogue and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa

from ecom_assets.catalog.model import Plan, PlanSource
from ecom_assets.catalog.store import comparing
from ecom_assets.catalog.store.comparing import COLUMNS
from ecom_assets.catalog.store.details import gather
from ecom_assets.catalog.store.emptying import empty_fields
from ecom_assets.catalog.store.judging import judge
from ecom_assets.catalog.store.parsing import parse
from ecom_assets.catalog.store.plans import find_plan
from ecom_assets.catalog.store.staging import (
    ACTIONS,
    DETAILS,
    PROPOSED,
    analyze,
    copy_rows,
    lock_products,
    open_tables,
)
from ecom_assets.catalog.tables import IMPORT_PLANS, PLAN_ROWS, PRODUCTS

_ONE_CURRENCY = sa.text("""
    SELECT min(currency) FROM catalog.products HAVING min(currency) = max(currency)
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


_UNCHANGED = sa.text("""
    INSERT INTO catalog.plan_rows (plan_id, row_no, sku, action, findings)
    SELECT :plan_id, d.row_no, d.sku, a.action, d.findings
    FROM catalog_details AS d JOIN catalog_actions AS a USING (row_no)
    WHERE a.action IN ('skip', 'error')
""")


def make_plan(
    conn: sa.Connection,
    source: PlanSource,
    blocks: Iterable[tuple[int, bytes]],
    at: datetime,
    run: str,
    currency: str | None = None,
    emptied: Mapping[int, Sequence[str]] | None = None,
) -> Plan:
    """Plan what rows would change; the catalogue stays as it is.

    Args:
        conn: connection inside a transaction; other changes of products wait for its end.
        source: where the rows come from; settings may be filled while `blocks` are read.
        blocks: staged rows as `reading` gives them.
        at: when the plan is asked for.
        run: Dagster run or command.
        currency: ISO 4217 code of prices that state none; else that of the whole catalogue.
        emptied: fields that rows empty, by number of the row.

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
    gather(conn)
    empty_fields(conn, emptied or {})
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
        conn.execute(_ACTIONS)
        analyze(conn, ACTIONS)
        conn.execute(_UNCHANGED, {"plan_id": plan_id})
        conn.execute(_changes(plan_id, currency))
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


def _changes(plan_id: int, currency: str | None) -> sa.Insert:
    """The rows that make or change a product, with the values before and after."""
    row, given = DETAILS.c, PROPOSED
    joined = (
        DETAILS.join(ACTIONS, ACTIONS.c.row_no == row.row_no)
        .join(given, given.c.row_no == row.row_no)
        .outerjoin(PRODUCTS, PRODUCTS.c.sku == given.c.sku)
    )
    is_new = ACTIONS.c.action == "create"
    before = comparing.before(given, COLUMNS).op("||")(row.before)
    fresh = comparing.whole(given, COLUMNS, currency).op("||")(row.group_after)
    after = sa.case(
        (is_new, fresh), else_=comparing.after(given, COLUMNS).op("||")(row.group_after)
    )
    source = (
        sa.select(
            sa.literal(plan_id), row.row_no, row.sku, ACTIONS.c.action, row.findings,
            sa.case((~is_new, before)), after.op("||")(row.after),
        )
        .select_from(joined)
        .where(ACTIONS.c.action.in_(["create", "update"]))
    )  # fmt: skip
    names = ["plan_id", "row_no", "sku", "action", "findings", "before", "after"]
    return sa.insert(PLAN_ROWS).from_select(names, source)


def _what_rows_do() -> sa.Insert:
    """What each row does; a row that makes a product has none to be compared with."""
    row, given = DETAILS.c, PROPOSED
    joined = DETAILS.outerjoin(given, given.c.row_no == row.row_no).outerjoin(
        PRODUCTS, PRODUCTS.c.sku == given.c.sku
    )
    is_changed = sa.or_(
        comparing.changed(given, COLUMNS),
        row.after != sa.literal_column("'{}'::jsonb"),
        row.before != sa.literal_column("'{}'::jsonb"),
    )
    action = sa.case(
        (row.is_error, "error"), (row.is_skip, "skip"), (PRODUCTS.c.sku.is_(None), "create"),
        (is_changed, "update"), else_="skip",
    )  # fmt: skip
    source = sa.select(row.row_no, action).select_from(joined)
    return sa.insert(ACTIONS).from_select(["row_no", "action"], source)


_ACTIONS = _what_rows_do()
