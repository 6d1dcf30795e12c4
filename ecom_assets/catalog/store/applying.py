"""Apply a plan by its hash, and take it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from ecom_assets.catalog.model import Applied, Plan, PlanRefused
from ecom_assets.catalog.store import moving
from ecom_assets.catalog.store.judging import judge
from ecom_assets.catalog.store.plans import find_plan
from ecom_assets.catalog.store.staging import FINDINGS, lock_products
from ecom_assets.catalog.tables import PLAN_ROWS

SHOWN = 10
"""Rows a refusal names."""

_APPLIED = sa.text("""
    UPDATE catalog.import_plans SET state = 'applied', applied_at = :at, applied_run_id = :run,
        applied_no = (SELECT coalesce(max(applied_no), 0) + 1 FROM catalog.import_plans)
    WHERE plan_id = :plan_id
""")
_REVERTED = sa.text("""
    UPDATE catalog.import_plans
    SET state = 'reverted', reverted_at = :at, reverted_run_id = :run WHERE plan_id = :plan_id
""")
# What stands in the way of taking a row back, besides values that are no longer the plan's.
_IN_THE_WAY = sa.text("""
    SELECT m.row_no, 'changed_since' AS reason FROM catalog_moves AS m
    WHERE m.action = 'create' AND EXISTS (
        SELECT FROM catalog.plan_rows AS later JOIN catalog.import_plans AS p USING (plan_id)
        WHERE later.sku = m.sku AND later.action = 'update' AND p.applied_no > (
                SELECT applied_no FROM catalog.import_plans WHERE plan_id = :plan_id
            ) AND (p.state = 'applied' OR later.kept_because IS NOT NULL)
    )
    UNION ALL
    SELECT m.row_no, 'in_use' FROM catalog_moves AS m
    WHERE m.action = 'create' AND (
        EXISTS (SELECT FROM orders.order_lines AS l WHERE l.sku = m.sku)
        OR EXISTS (SELECT FROM inventory.positions AS s WHERE s.sku = m.sku)
        OR EXISTS (
            SELECT FROM catalog.kits AS k WHERE k.component_sku = m.sku AND NOT EXISTS (
                SELECT FROM catalog_moves AS o WHERE o.sku = k.kit_sku AND o.action = 'create'
            )
        )
    )
    UNION ALL
    SELECT m.row_no, 'gtin_taken' FROM catalog_moves AS m JOIN catalog.products AS p
        ON p.gtin = m.becomes ->> 'gtin' AND p.sku <> m.sku
""")
# A kit that stays keeps its components, as long as there is one that would go.
_HELD_BY_KITS = sa.text("""
    SELECT m.row_no FROM catalog_moves AS m WHERE m.action = 'create' AND EXISTS (
        SELECT FROM catalog.kits AS k WHERE k.component_sku = m.sku AND NOT EXISTS (
            SELECT FROM catalog_moves AS o WHERE o.sku = k.kit_sku AND o.action = 'create'
        )
    )
""")
_KEEP = sa.text("""
    WITH given AS (
        SELECT CAST(key AS bigint) AS row_no, value AS reason
        FROM jsonb_each_text(CAST(:reasons AS jsonb))
    ), marked AS (
        UPDATE catalog.plan_rows AS r SET kept_because = g.reason
        FROM given AS g WHERE r.plan_id = :plan_id AND r.row_no = g.row_no
    ), values_left AS (
        DELETE FROM catalog_given_values AS v USING given AS g WHERE v.row_no = g.row_no
    )
    DELETE FROM catalog_moves AS m USING given AS g WHERE m.row_no = g.row_no
""")
# Where a value comes from again after the plan that changed it is gone.
_LINEAGE_AGAIN = sa.text("""
    UPDATE catalog.attribute_values AS v
    SET source = l.source, plan_id = l.plan_id, run_id = l.run_id
    FROM catalog_given_values AS g CROSS JOIN LATERAL (
        SELECT * FROM catalog.lineage AS known WHERE known.sku = g.sku AND known.field = g.key
    ) AS l
    WHERE (v.sku, v.attribute, v.channel, v.locale) = (g.sku, g.attribute, g.channel, g.locale)
""")
_REMOVE = [
    sa.text("""
        DELETE FROM catalog.attribute_values AS v USING catalog_moves AS m
        WHERE v.sku = m.sku AND m.action = 'create'
    """),
    sa.text("""
        DELETE FROM catalog.media AS d USING catalog_moves AS m
        WHERE d.sku = m.sku AND m.action = 'create'
    """),
    sa.text("""
        DELETE FROM catalog.kits AS k USING catalog_moves AS m
        WHERE k.kit_sku = m.sku AND m.action = 'create'
    """),
]
_REMOVE_PRODUCTS = sa.text("""
    DELETE FROM catalog.products AS p USING catalog_moves AS m
    WHERE p.sku = m.sku AND m.action = 'create'
""")
_REMOVE_GROUPS = sa.text("""
    DELETE FROM catalog.product_groups AS g
    WHERE g.group_key IN (
            SELECT was ->> 'group_key' FROM catalog_moves WHERE was ? 'group_name'
        )
        AND NOT EXISTS (SELECT FROM catalog.products AS p WHERE p.group_key = g.group_key)
""")


def apply_plan(conn: sa.Connection, name: str, at: datetime, run: str) -> Applied:
    """Write what a plan says.

    Args:
        conn: connection inside a transaction that is given up if the plan is refused.
        name: its hash, or the beginning of it.
        at: when it is applied.
        run: Dagster run or command.

    Raises:
        PlanRefused: it is no plan that waits, the catalogue moved under it, or its values are
            no longer valid; the message names the rows.
    """
    plan = _locked(conn, name, "planned")
    moving.open_moves(conn, plan, back=False)
    if rows := moving.moved(conn):
        raise PlanRefused(
            f"plan {plan.hash[:12]} was made for an older state: {_told(rows)}; plan the file again"
        )
    moving.propose(conn)
    judge(conn, None)
    _refuse_findings(conn, plan)
    moving.create_groups(conn)
    created = moving.create_products(conn)
    updated = moving.update_products(conn)
    moving.write_details(conn, plan, run)
    conn.execute(_APPLIED, {"plan_id": plan.plan_id, "at": at, "run": run})
    return Applied(find_plan(conn, plan.hash), created, updated)


_DECIDED = sa.text("""
    UPDATE catalog.import_plans SET decided_by = :by, decision_note = :note WHERE plan_id = :plan_id
""")
_REJECTED = sa.text("""
    UPDATE catalog.import_plans SET state = 'rejected', decided_by = :by, decision_note = :note
    WHERE plan_id = :plan_id
""")


def approve_plan(
    conn: sa.Connection, name: str, at: datetime, run: str, by: str, note: str
) -> Applied:
    """Apply a plan as `apply_plan` does, and keep who let it happen, and why."""
    applied = apply_plan(conn, name, at, run)
    decided = {"plan_id": find_plan(conn, name).plan_id, "by": by, "note": note}
    conn.execute(_DECIDED, decided)
    return applied


def reject_plan(conn: sa.Connection, name: str, by: str, note: str) -> None:
    """Give a plan up that waits; the catalogue stays as it is.

    Raises:
        PlanRefused: it is no plan that waits.
    """
    plan = _locked(conn, name, "planned")
    conn.execute(_REJECTED, {"plan_id": plan.plan_id, "by": by, "note": note})


def revert_plan(conn: sa.Connection, name: str, at: datetime, run: str) -> Applied:
    """Restore the values from before a plan, row by row where nobody has changed them since.

    Args:
        conn: connection inside a transaction.
        name: the plan's hash, or the beginning of it.
        at: when it is reverted.
        run: Dagster run or command.

    Raises:
        PlanRefused: the plan is not applied, or no row of it can be taken back.
    """
    plan = _locked(conn, name, "applied")
    moving.open_moves(conn, plan, back=True)
    kept = _keep_what_must_stay(conn, plan)
    updated = moving.update_products(conn)
    moving.write_details(conn, plan, run)
    for statement in _REMOVE:
        conn.execute(statement)
    removed = conn.execute(_REMOVE_PRODUCTS).rowcount
    conn.execute(_REMOVE_GROUPS)
    if kept and not (updated or removed):
        raise PlanRefused(f"no row of plan {plan.hash[:12]} can be taken back: {_told(kept)}")
    conn.execute(_REVERTED, {"plan_id": plan.plan_id, "at": at, "run": run})
    conn.execute(_LINEAGE_AGAIN)
    return Applied(find_plan(conn, plan.hash), removed, updated, len(kept))


def _locked(conn: sa.Connection, name: str, state: str) -> Plan:
    lock_products(conn)
    plan = find_plan(conn, name)
    if plan.state != state:
        raise PlanRefused(f"plan {plan.hash[:12]} is {plan.state}, not {state}")
    return plan


def _refuse_findings(conn: sa.Connection, plan: Plan) -> None:
    found = FINDINGS.c
    wrong = sa.select(found.row_no, found.field, found.code, found.value).where(found.is_error)
    rows = conn.execute(wrong.order_by(found.row_no).limit(SHOWN)).all()
    if rows:
        told = "; ".join(f"row {row.row_no} {row.field}: {row.code} ({row.value})" for row in rows)
        raise PlanRefused(f"plan {plan.hash[:12]} is no longer valid: {told}")


def _keep_what_must_stay(conn: sa.Connection, plan: Plan) -> Mapping[int, tuple[str, list[str]]]:
    """Mark the rows that cannot be taken back and leave them out of the moves."""
    import json

    mine = {"plan_id": plan.plan_id}
    changed = moving.moved(conn)
    reasons = {row_no: str(reason) for row_no, reason in conn.execute(_IN_THE_WAY, mine).tuples()}
    reasons |= dict.fromkeys(changed, "changed_since")
    skus = {row_no: sku for row_no, (sku, _) in changed.items()}
    told: dict[int, tuple[str, list[str]]] = {}
    while reasons:
        rows = sa.select(PLAN_ROWS.c.row_no, PLAN_ROWS.c.sku).where(
            PLAN_ROWS.c.plan_id == plan.plan_id, PLAN_ROWS.c.row_no.in_(list(reasons))
        )
        skus |= dict(conn.execute(rows).tuples().all())
        told |= {row_no: (skus[row_no], [reason]) for row_no, reason in reasons.items()}
        conn.execute(_KEEP, {**mine, "reasons": json.dumps(reasons)})
        reasons = dict.fromkeys(conn.execute(_HELD_BY_KITS).scalars(), "in_use")
    return told


def _told(rows: Mapping[int, tuple[str, list[str]]]) -> str:
    first = sorted(rows.items())[:SHOWN]
    told = "; ".join(f"row {row_no} {sku} ({', '.join(what)})" for row_no, (sku, what) in first)
    return told + (f"; and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
