"""Price plans with their lines, and the approvals they needed."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    document,
    flag,
    identity,
    integer,
    minor,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
    texts,
)

PRICE_PLANS = area_table(
    "pricing",
    "price_plans",
    "Proposed changes of one price list, checked, approved where that is asked, and applied.",
    identity("plan_id", "surrogate key"),
    reference("price_list_id", "list", "pricing.price_lists.price_list_id"),
    text("kind", "reprice, import or rollback"),
    text(
        "state",
        "planned, blocked, awaiting (approval), ready, refused, stale, applied, verified, drifted"
        " or undone",
    ),
    moment("planned_as_of", "business moment the inputs are of"),
    moment("effective_at", "when its prices begin"),
    text("requested_by", "who or what asked for it"),
    document("rules", "the rules that made it, each with version and settings"),
    document("inputs", "what else it was made from"),
    document("findings", "what the checks of the plan saw", server_default="[]"),
    integer("lines", "lines of the plan"),
    integer("moved", "lines that move a price"),
    integer("held", "lines that were not repriced, each with its reason"),
    flag("is_approval_needed", "whether a person must approve it", server_default=sa.false()),
    text("approved_by", "who approved it", nullable=True),
    reference("undoes_plan_id", "plan it takes back", "pricing.price_plans.plan_id", nullable=True),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("kind IN ('reprice', 'import', 'rollback')", name="kind_known"),
    sa.CheckConstraint(
        "state IN ('planned', 'blocked', 'awaiting', 'ready', 'refused', 'stale', 'applied',"
        " 'verified', 'drifted', 'undone')",
        name="state_known",
    ),
    sa.CheckConstraint(
        "kind = 'import' OR effective_at >= planned_as_of", name="effective_after_planned"
    ),
    sa.CheckConstraint(
        "lines >= 0 AND moved >= 0 AND held >= 0 AND moved + held <= lines", name="counts_add_up"
    ),
    # Whatever writes: no plan that asks for a second pair of eyes is effective without one.
    sa.CheckConstraint(
        "NOT is_approval_needed OR approved_by IS NOT NULL"
        " OR state NOT IN ('ready', 'applied', 'verified', 'drifted', 'undone')",
        name="approved_before_effect",
    ),
    sa.CheckConstraint("approved_by <> requested_by", name="four_eyes"),
    sa.Index(None, "price_list_id", "planned_as_of"),
)

PLAN_LINES = area_table(
    "pricing",
    "plan_lines",
    "What a plan does to each price, by which rule, which limit bound, and why.",
    # No foreign key: a million lines are written at once, by what has just made their plan.
    reference("plan_id", "plan, see pricing.price_plans", primary_key=True, autoincrement=False),
    text("sku", "what", primary_key=True),
    integer("min_quantity", "units of a line from which the price holds", primary_key=True),
    text("outcome", "change, new, keep, hold or end"),
    minor("old_minor", "price before", nullable=True),
    minor("proposed_minor", "what the rules proposed before the limits", nullable=True),
    minor("new_minor", "price after", nullable=True),
    minor("regular_minor", "price before markdowns and promotions", nullable=True),
    minor("reference_minor", "lowest price of the last 30 days, where a reduction is announced",
          nullable=True),
    reference("base_price_id", "price row it was planned on", nullable=True),
    text("rule", "rule and version; empty where none applied"),
    texts("bound", "limits that shaped the price, see pricing.model.Limit"),
    texts("reasons", "why, in codes"),
    flag("is_approval_needed", "whether the line asks for approval"),
    sa.CheckConstraint(
        "outcome IN ('change', 'new', 'keep', 'hold', 'end')", name="outcome_known"
    ),
    sa.CheckConstraint("new_minor > 0 AND old_minor > 0", name="prices_minor_positive"),
    sa.CheckConstraint(
        "(outcome <> 'change' OR old_minor IS NOT NULL AND new_minor IS NOT NULL"
        " AND base_price_id IS NOT NULL)"
        " AND (outcome <> 'new' OR old_minor IS NULL AND new_minor IS NOT NULL)"
        " AND (outcome NOT IN ('keep', 'hold') OR new_minor IS NOT DISTINCT FROM old_minor)"
        " AND (outcome <> 'end' OR new_minor IS NULL AND base_price_id IS NOT NULL)",
        name="prices_minor_as_outcome",
    ),
)  # fmt: skip

APPROVALS = area_table(
    "pricing",
    "approvals",
    "Who approved or refused a plan; never the one who asked for it.",
    reference("plan_id", "plan", "pricing.price_plans.plan_id", primary_key=True),
    text("requested_by", "who or what asked for the plan"),
    text("decision", "approved or refused"),
    text("decided_by", "who decided"),
    moment("decided_at", "business moment"),
    text("comment", "what the person said"),
    recorded_at(),
    sa.CheckConstraint("decision IN ('approved', 'refused')", name="decision_known"),
    sa.CheckConstraint("decided_by <> requested_by", name="four_eyes"),
)
