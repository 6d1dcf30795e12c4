"""Read plans: by hash, their rows, their accounts and the lineage of values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from ecom_assets.catalog.model import Plan, PlanRefused
from ecom_assets.catalog.tables import IMPORT_PLANS, PLAN_ROWS

_COLUMNS = [IMPORT_PLANS.c[each.name] for each in fields(Plan)]
SHORTEST_HASH = 6
"""Characters of a hash that a person must give at least."""

LISTED = sa.select(
    IMPORT_PLANS.c.hash.label("plan"), IMPORT_PLANS.c.source, IMPORT_PLANS.c.format,
    IMPORT_PLANS.c.state, IMPORT_PLANS.c.rows_create.label("create"),
    IMPORT_PLANS.c.rows_update.label("update"), IMPORT_PLANS.c.rows_skip.label("skip"),
    IMPORT_PLANS.c.rows_error.label("error"), IMPORT_PLANS.c.planned_at,
).order_by(IMPORT_PLANS.c.plan_id.desc())  # fmt: skip
"""Plans, the newest first."""

# A row with two findings shows two lines; what it changes is one line a field.
_DIFFERENCES = sa.text("""
    SELECT r.row_no AS row, r.sku, r.action, f.field, r.before ->> f.field AS before,
        r.after ->> f.field AS after
    FROM catalog.plan_rows AS r CROSS JOIN LATERAL (
        SELECT jsonb_object_keys(coalesce(r.before, '{}') || r.after) AS field
    ) AS f
    WHERE r.plan_id = :plan_id AND r.action = ANY (CAST(:actions AS text[]))
    ORDER BY r.row_no, f.field LIMIT :most
""")
_FINDINGS = sa.text("""
    SELECT r.row_no AS row, r.sku, r.action, f.finding ->> 'field' AS field,
        f.finding ->> 'code' AS code, f.finding ->> 'value' AS value
    FROM catalog.plan_rows AS r
        CROSS JOIN LATERAL jsonb_array_elements(r.findings) AS f (finding)
    WHERE r.plan_id = :plan_id AND (r.action = 'error' OR NOT :only_errors)
    ORDER BY r.row_no, f.finding ->> 'field' LIMIT :most
""")
_CODES = sa.text("""
    SELECT f.finding ->> 'code' AS code, f.finding ->> 'field' AS field,
        CAST(f.finding ->> 'is_error' AS boolean) AS is_error, count(*) AS rows
    FROM catalog.plan_rows AS r
        CROSS JOIN LATERAL jsonb_array_elements(r.findings) AS f (finding)
    WHERE r.plan_id = :plan_id AND r.findings <> '[]'
    GROUP BY 1, 2, 3 ORDER BY 3 DESC, 4 DESC, 1, 2
""")
_FIELDS = sa.text("""
    SELECT f.field, count(*) FILTER (WHERE r.action = 'create') AS created,
        count(*) FILTER (WHERE r.action = 'update') AS updated
    FROM catalog.plan_rows AS r CROSS JOIN LATERAL (
        SELECT jsonb_object_keys(coalesce(r.before, '{}') || r.after) AS field
    ) AS f
    WHERE r.plan_id = :plan_id AND r.action IN ('create', 'update')
    GROUP BY f.field ORDER BY count(*) DESC, f.field
""")
_KEPT = sa.text("""
    SELECT row_no AS row, sku, action, kept_because FROM catalog.plan_rows
    WHERE plan_id = :plan_id AND kept_because IS NOT NULL ORDER BY row_no LIMIT :most
""")
_LINEAGE = sa.text("""
    SELECT field, value #>> '{}' AS value, source, plan_id, row_no, run_id, applied_at
    FROM catalog.lineage WHERE sku = :sku ORDER BY field
""")

Rows = list[dict[str, Any]]
"""Rows by column, for people."""


def rows_of(result: sa.CursorResult[Any]) -> Rows:
    """All rows of a result."""
    return [dict(row) for row in result.mappings()]


def find_plan(conn: sa.Connection, name: str) -> Plan:
    """The plan of a hash, or of the beginning of one.

    Raises:
        PlanRefused: there is none, or several begin so.
    """
    if len(name) < SHORTEST_HASH or not all(mark in "0123456789abcdef" for mark in name):
        raise PlanRefused(f"a plan's hash has at least {SHORTEST_HASH} characters of 0-9 and a-f")
    begins = IMPORT_PLANS.c.hash.startswith(name, autoescape=True)
    found = conn.execute(sa.select(*_COLUMNS).where(begins).limit(2)).all()
    if not found:
        raise PlanRefused(f"there is no plan {name}")
    if len(found) > 1:
        raise PlanRefused(f"several plans begin with {name}; give more of the hash")
    return Plan(*found[0])


def plan_of_digest(conn: sa.Connection, digest: str) -> Plan | None:
    """The first plan made of a file, if any."""
    made = sa.select(*_COLUMNS).where(IMPORT_PLANS.c.file_digest == digest)
    row = conn.execute(made.order_by(IMPORT_PLANS.c.plan_id).limit(1)).one_or_none()
    return Plan(*row) if row else None


def differences(
    conn: sa.Connection, plan: Plan, most: int, actions: Sequence[str] = ("create", "update")
) -> Rows:
    """What a plan changes, a line per row and field, with the value before and after."""
    given = {"plan_id": plan.plan_id, "most": most, "actions": list(actions)}
    return rows_of(conn.execute(_DIFFERENCES, given))


def findings(conn: sa.Connection, plan: Plan, most: int, only_errors: bool = True) -> Rows:
    """What was found of the rows, naming row and field."""
    given = {"plan_id": plan.plan_id, "most": most, "only_errors": only_errors}
    return rows_of(conn.execute(_FINDINGS, given))


def finding_counts(conn: sa.Connection, plan: Plan) -> Rows:
    """How often each thing was found."""
    return rows_of(conn.execute(_CODES, {"plan_id": plan.plan_id}))


def field_counts(conn: sa.Connection, plan: Plan) -> Rows:
    """How many rows change each field."""
    return rows_of(conn.execute(_FIELDS, {"plan_id": plan.plan_id}))


def kept(conn: sa.Connection, plan: Plan, most: int) -> Rows:
    """Rows whose change outlived the reversal of their plan, with the reason."""
    return rows_of(conn.execute(_KEPT, {"plan_id": plan.plan_id, "most": most}))


def lineage(conn: sa.Connection, sku: str) -> Rows:
    """Where each value of a product came from: source, plan, row of the plan, run."""
    return rows_of(conn.execute(_LINEAGE, {"sku": sku}))


def changed_skus(plan: Plan) -> sa.Select[Any]:
    """A select of the products a plan makes or changes."""
    is_change = PLAN_ROWS.c.action.in_(["create", "update"])
    return sa.select(PLAN_ROWS.c.sku).where(PLAN_ROWS.c.plan_id == plan.plan_id, is_change)
