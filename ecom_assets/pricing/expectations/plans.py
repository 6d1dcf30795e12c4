"""Expectations of plans, their lines and approvals."""

from __future__ import annotations

from ecom_assets.pricing.tables import APPROVALS, PLAN_LINES, PRICE_PLANS
from ecom_assets.shared.expectations import TableExpectations, no_rows
from ecom_assets.shared.structure import refers_to, structure

_AS_PLANNED = no_rows(
    "in_effect_as_planned",
    "SELECT plan_id FROM {batch} WHERE state = 'drifted'",
    "What a plan made effective is what buyers get.",
)
_LINES_COUNTED = no_rows(
    "lines_as_counted",
    "SELECT plan.plan_id FROM {batch} AS plan LEFT JOIN ("
    "SELECT plan_id, count(*) AS lines FROM pricing.plan_lines GROUP BY plan_id"
    ") AS line ON line.plan_id = plan.plan_id"
    " WHERE plan.state <> 'planned' AND coalesce(line.lines, 0) <> plan.lines",
    "A plan has as many lines as it says.",
)
_MOVED_BY_A_RULE = no_rows(
    "moved_by_a_rule",
    "SELECT plan_id, sku, min_quantity FROM {batch}"
    " WHERE outcome IN ('change', 'new', 'end') AND rule = '' AND reasons = '{{}}'",
    "What moves a price is named.",
)
_HELD_FOR_A_REASON = no_rows(
    "held_for_a_reason",
    "SELECT plan_id, sku, min_quantity FROM {batch} WHERE outcome = 'hold' AND reasons = '{{}}'",
    "A product that was not repriced says why.",
)
_ASKED = no_rows(
    "asked_for_approval",
    "SELECT approval.plan_id FROM {batch} AS approval"
    " JOIN pricing.price_plans AS plan ON plan.plan_id = approval.plan_id"
    " WHERE NOT plan.is_approval_needed OR plan.requested_by <> approval.requested_by",
    "Only plans that asked for it were approved, on behalf of who asked.",
)

PLANS = (
    TableExpectations(PRICE_PLANS, (*structure(PRICE_PLANS), _AS_PLANNED, _LINES_COUNTED)),
    TableExpectations(
        PLAN_LINES,
        (
            *structure(PLAN_LINES),
            refers_to(PLAN_LINES, "plan_id", PRICE_PLANS.c.plan_id),
            _MOVED_BY_A_RULE,
            _HELD_FOR_A_REASON,
        ),
    ),
    TableExpectations(APPROVALS, (*structure(APPROVALS), _ASKED)),
)
