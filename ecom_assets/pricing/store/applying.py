"""From a plan to live prices and back: approval, effect, proof, undoing.

Everything about one price list happens one after the other, under a lock of the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.pricing.store import checking
from ecom_assets.pricing.store.planning import open_plan
from ecom_assets.pricing.tables import APPROVALS, PRICE_PLANS


class PlanRefused(ValueError):
    """A plan that cannot do what was asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan: its state, prices that began, prices that ended, rows that moved."""

    state: str
    begun: int = 0
    ended: int = 0
    moved_since: tuple[str, ...] = ()


_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtext('pricing.prices'), CAST(:id AS integer))")


def lock_plan(conn: sa.Connection, plan_id: int) -> sa.Row[Any]:
    """The plan, with its list locked against other plans until the transaction ends.

    Raises:
        PlanRefused: there is no such plan.
    """
    row = conn.execute(sa.select(PRICE_PLANS).where(PRICE_PLANS.c.plan_id == plan_id)).first()
    if row is None:
        raise PlanRefused(f"there is no price plan {plan_id}")
    conn.execute(_LOCK, {"id": row.price_list_id % 2**31})
    locked = sa.select(PRICE_PLANS).where(PRICE_PLANS.c.plan_id == plan_id).with_for_update()
    return conn.execute(locked).one()


def decide(
    conn: sa.Connection, plan_id: int, by: str, at: datetime, is_approved: bool, comment: str = ""
) -> None:
    """Approve or refuse a plan that asks for it.

    Raises:
        PlanRefused: the plan does not wait for approval, or the person asked for it.
    """
    plan = lock_plan(conn, plan_id)
    if plan.state != "awaiting":
        raise PlanRefused(f"plan {plan_id} is {plan.state} and waits for no approval")
    if plan.requested_by == by:
        raise PlanRefused(f"{by} asked for plan {plan_id}: another person must decide")
    decision = "approved" if is_approved else "refused"
    conn.execute(
        sa.insert(APPROVALS).values(
            plan_id=plan_id,
            requested_by=plan.requested_by,
            decision=decision,
            decided_by=by,
            decided_at=at,
            comment=comment,
        )
    )
    _set(conn, plan_id, "ready" if is_approved else "refused",
         approved_by=by if is_approved else None)  # fmt: skip


def _set(conn: sa.Connection, plan_id: int, state: str, **values: Any) -> None:
    change = sa.update(PRICE_PLANS).where(PRICE_PLANS.c.plan_id == plan_id)
    conn.execute(change.values(state=state, **values))


# The row in force at the plan's moment, by line; a plan whose lines were made from others is stale.
_MOVED = sa.text("""
    SELECT line.sku || CASE WHEN line.min_quantity > 1 THEN ' from ' || line.min_quantity ELSE ''
        END AS named
    FROM pricing.plan_lines AS line
        LEFT JOIN pricing.prices AS p ON p.price_list_id = :price_list_id AND p.sku = line.sku
            AND p.min_quantity = line.min_quantity AND p.valid_from_at <= :effective_at
            AND (p.valid_to_at IS NULL OR p.valid_to_at > :effective_at)
    WHERE line.plan_id = :plan_id AND line.outcome IN ('change', 'new', 'end')
        AND p.price_id IS DISTINCT FROM line.base_price_id
    ORDER BY line.sku LIMIT 20
""")
# A price that began at the very moment of the plan never held: it is replaced, not ended.
_REPLACE = sa.text("""
    DELETE FROM pricing.prices AS p USING pricing.plan_lines AS line
    WHERE line.plan_id = :plan_id AND line.outcome IN ('change', 'end')
        AND p.price_id = line.base_price_id AND p.valid_from_at = :effective_at
    RETURNING p.price_list_id, p.sku, p.min_quantity, p.valid_to_at
""")
_END = sa.text("""
    UPDATE pricing.prices AS p SET valid_to_at = :effective_at
    FROM pricing.plan_lines AS line
    WHERE line.plan_id = :plan_id AND line.outcome IN ('change', 'end')
        AND p.price_id = line.base_price_id AND p.valid_from_at < :effective_at
""")
# A price that was set for later stays: the new one ends where it begins.
_BEGIN = sa.text("""
    INSERT INTO pricing.prices (price_list_id, sku, min_quantity, price_minor, regular_minor,
        reference_minor, valid_from_at, valid_to_at, rule, plan_id, run_id)
    SELECT :price_list_id, line.sku, line.min_quantity, line.new_minor,
        coalesce(line.regular_minor, line.new_minor), line.reference_minor, :effective_at,
        later.valid_from_at, line.rule, :plan_id, :run_id
    FROM pricing.plan_lines AS line
        LEFT JOIN (
            SELECT sku, min_quantity, min(valid_from_at) AS valid_from_at FROM pricing.prices
            WHERE price_list_id = :price_list_id AND valid_from_at > :effective_at
            GROUP BY sku, min_quantity
        ) AS later USING (sku, min_quantity)
    WHERE line.plan_id = :plan_id AND line.outcome IN ('change', 'new')
    ORDER BY line.sku, line.min_quantity
""")


def apply(conn: sa.Connection, plan_id: int, run: str) -> Applied:
    """Make a plan's prices effective: old rows end and new ones begin in this transaction.

    Returns:
        `stale`, with the products whose price moved since, where the plan was made on others;
        nothing is changed then but the plan's state.

    Raises:
        PlanRefused: the plan is not ready.
    """
    plan = lock_plan(conn, plan_id)
    if plan.state != "ready":
        raise PlanRefused(f"plan {plan_id} is {plan.state}, not ready")
    values = {
        "plan_id": plan_id, "price_list_id": plan.price_list_id, "run_id": run,
        "effective_at": plan.effective_at,
    }  # fmt: skip
    if moved := tuple(conn.execute(_MOVED, values).scalars()):
        _set(conn, plan_id, "stale")
        return Applied("stale", moved_since=moved)
    replaced = conn.execute(_REPLACE, values).rowcount
    ended = conn.execute(_END, values).rowcount
    begun = conn.execute(_BEGIN, values).rowcount
    _set(conn, plan_id, "applied")
    return Applied("applied", begun, ended + replaced)


_DIFFERENT = sa.text("""
    SELECT line.sku FROM pricing.plan_lines AS line
        LEFT JOIN pricing.prices AS p ON p.price_list_id = :price_list_id AND p.sku = line.sku
            AND p.min_quantity = line.min_quantity AND p.valid_from_at <= :effective_at
            AND (p.valid_to_at IS NULL OR p.valid_to_at > :effective_at)
    WHERE line.plan_id = :plan_id AND line.outcome IN ('change', 'new', 'end')
        AND (p.price_minor IS DISTINCT FROM line.new_minor)
    ORDER BY line.sku LIMIT 20
""")


def verify(conn: sa.Connection, plan_id: int) -> Applied:
    """Read the prices of an applied plan back as a buyer would get them.

    Raises:
        PlanRefused: the plan is not applied.
    """
    plan = lock_plan(conn, plan_id)
    if plan.state not in ("applied", "verified", "drifted"):
        raise PlanRefused(f"plan {plan_id} is {plan.state}, not applied")
    values = {name: getattr(plan, name) for name in ("plan_id", "price_list_id", "effective_at")}
    different = tuple(conn.execute(_DIFFERENT, values).scalars())
    state = "drifted" if different else "verified"
    _set(conn, plan_id, state)
    return Applied(state, moved_since=different)


# What a plan did, the other way round, on the prices in force now. A product whose price has moved
# on by another plan is left alone and named.
_UNDO = sa.text("""
    INSERT INTO pricing.plan_lines (plan_id, sku, min_quantity, outcome, old_minor, proposed_minor,
        new_minor, regular_minor, base_price_id, rule, bound, reasons, is_approval_needed)
    SELECT :plan_id, line.sku, line.min_quantity,
        CASE WHEN p.plan_id IS DISTINCT FROM :undone_id AND NOT was_ended THEN 'hold'
            WHEN line.outcome = 'change' THEN 'change' WHEN line.outcome = 'new' THEN 'end'
            ELSE 'new' END,
        p.price_minor, line.old_minor,
        CASE WHEN p.plan_id IS DISTINCT FROM :undone_id AND NOT was_ended THEN p.price_minor
            WHEN line.outcome = 'new' THEN NULL ELSE line.old_minor END,
        CASE WHEN line.outcome = 'new' THEN NULL
            ELSE greatest(coalesce(before.regular_minor, line.old_minor), line.old_minor) END,
        p.price_id, 'rollback', '{}',
        CASE WHEN p.plan_id IS DISTINCT FROM :undone_id AND NOT was_ended
            THEN ARRAY['moved_since'] ELSE '{}' END,
        false
    FROM pricing.plan_lines AS line
        LEFT JOIN pricing.prices AS p ON p.price_list_id = :price_list_id AND p.sku = line.sku
            AND p.min_quantity = line.min_quantity AND p.valid_from_at <= :at
            AND (p.valid_to_at IS NULL OR p.valid_to_at > :at)
        LEFT JOIN pricing.prices AS before ON before.price_id = line.base_price_id
        CROSS JOIN LATERAL (SELECT line.outcome = 'end' AND p.price_id IS NULL AS was_ended) AS e
    WHERE line.plan_id = :undone_id AND line.outcome IN ('change', 'new', 'end')
""")


def roll_back(conn: sa.Connection, plan_id: int, by: str, at: datetime, run: str) -> int:
    """Undo an applied plan by a plan of its own, effective at once; returns that plan's id.

    The prices before were in force already, so no approval is asked; what another plan moved since
    is held with its reason.

    Raises:
        PlanRefused: the plan is not in effect, or begins later than the moment.
    """
    plan = lock_plan(conn, plan_id)
    if plan.state not in ("applied", "verified", "drifted"):
        raise PlanRefused(f"plan {plan_id} is {plan.state}: there is nothing to undo")
    if at < plan.effective_at:
        raise PlanRefused(f"plan {plan_id} begins at {plan.effective_at.isoformat()}")
    undoing = open_plan(conn, plan.price_list_id, "rollback", at, at, by, run, [],
                        {"undoes": plan_id}, plan_id)  # fmt: skip
    values = {"plan_id": undoing, "undone_id": plan_id, "price_list_id": plan.price_list_id,
              "at": at}  # fmt: skip
    conn.execute(_UNDO, values)
    checking.conclude(conn, undoing)
    apply(conn, undoing, run)
    _set(conn, plan_id, "undone")
    return undoing
