"""Changes that people and programs ask for: a small plan each, applied at once if all is well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.catalog.model import FALLBACK_G, Plan, PlanSource
from ecom_assets.catalog.reading.staged import FIELDS, encode
from ecom_assets.catalog.store.applying import apply_plan
from ecom_assets.catalog.store.completeness import judge_completeness, judge_scores
from ecom_assets.catalog.store.planning import make_plan
from ecom_assets.catalog.store.plans import findings
from ecom_assets.catalog.tables import IMPORT_PLANS, PRODUCTS
from ecom_assets.catalog.wishes import Wish

# One stated weight moves the median of its category: that is for the next import to settle.
_WEIGH = sa.text("""
    UPDATE catalog.products AS p SET shipping_weight_g = coalesce(p.weight_g, (
            SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY o.weight_g)
            FROM catalog.products AS o WHERE o.category = p.category
        ), (
            SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY o.weight_g)
            FROM catalog.products AS o
        ), :fallback_g)
    FROM catalog.plan_rows AS r
    WHERE r.plan_id = :plan_id AND r.action IN ('create', 'update') AND p.sku = r.sku
        AND (r.action = 'create' OR coalesce(r.before, '{}') || r.after ?| '{weight_g,category}')
        AND p.shipping_weight_g IS DISTINCT FROM p.weight_g
""")
_ASKED = sa.update(IMPORT_PLANS).values(requested_by=sa.bindparam("by"))


@dataclass(frozen=True, slots=True)
class Change:
    """What became of wishes.

    Attributes:
        plan: the plan that was applied; None where nothing was.
        created: products made.
        updated: products changed.
        unchanged: rows that say what is so already.
        errors: what is wrong, by row number, field and code.
    """

    plan: Plan | None
    created: int
    updated: int
    unchanged: int
    errors: list[dict[str, Any]]


def change_products(
    conn: sa.Connection,
    wishes: Sequence[Wish],
    at: datetime,
    run: str,
    by: str,
    is_partial: bool = False,
) -> Change:
    """Make and change products as wished, by a plan that can be taken back like any other.

    Args:
        conn: connection inside a transaction.
        wishes: one per product.
        at: when it is asked for.
        run: what stands in the place of a run.
        by: who asks.
        is_partial: whether good rows are taken where others are bad; else none is.
    """
    point = conn.begin_nested()
    plan = plan_wishes(conn, wishes, at, run, by)
    errors = findings(conn, plan, len(wishes) * 20, only_errors=True) if plan.rows_error else []
    changes = plan.rows_create + plan.rows_update
    if not changes or (errors and not is_partial):
        # A plan of nothing must not wait for somebody's approval.
        point.rollback()
        return Change(None, 0, 0, plan.rows_skip, errors)
    done = apply_plan(conn, plan.hash, at, run)
    point.commit()
    settle(conn, done.plan, run)
    return Change(done.plan, done.created, done.updated, plan.rows_skip, errors)


def plan_wishes(
    conn: sa.Connection, wishes: Sequence[Wish], at: datetime, run: str, by: str
) -> Plan:
    """Plan what wishes would change; the catalogue stays as it is."""
    currencies = _currencies(conn, [wish.sku for wish in wishes])
    items = [
        wish.item(row_no, currencies.get(wish.sku)).staged()
        for row_no, wish in enumerate(wishes, 1)
    ]
    emptied = {
        row_no: wish.emptied for row_no, wish in enumerate(wishes, 1) if wish.emptied
    }  # fmt: skip
    source = PlanSource("api", "command")
    plan = make_plan(
        conn, source, [(len(items), encode(items, FIELDS))], at, run, emptied=emptied
    )  # fmt: skip
    ask(conn, plan, by)
    return plan


def ask(conn: sa.Connection, plan: Plan, by: str) -> None:
    """Keep who asked for a plan, who then does not approve it."""
    mine = (IMPORT_PLANS.c.plan_id == plan.plan_id, IMPORT_PLANS.c.requested_by == "")
    conn.execute(_ASKED.where(*mine), {"by": by})


def settle(conn: sa.Connection, plan: Plan, run: str) -> None:
    """Bring up to date what follows from the products that a plan changed or changed back."""
    conn.execute(_WEIGH, {"plan_id": plan.plan_id, "fallback_g": FALLBACK_G})
    judge_completeness(conn, run, plan.plan_id)
    judge_scores(conn, run, plan.plan_id)


def _currencies(conn: sa.Connection, skus: list[str]) -> dict[str, str]:
    query = sa.select(PRODUCTS.c.sku, PRODUCTS.c.currency).where(PRODUCTS.c.sku.in_(skus))
    return dict(conn.execute(query).tuples().all())
