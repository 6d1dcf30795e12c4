"""Tables of the risk area."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    minor,
    moment,
    number,
    recorded_at,
    reference,
    run_id,
    text,
    texts,
)

DECISIONS = area_table(
    "risk",
    "decisions",
    "What was decided about the risk of each order.",
    reference("order_id", "order", "orders.orders.order_id", primary_key=True),
    text("outcome", "accepted, review, rejected or awaiting_payment"),
    texts("reasons", "codes of the rules that led to the outcome"),
    number("probability", "fraud probability the decision was made with"),
    minor("expected_loss_minor", "probability times the order's total, in the order's currency"),
    text("rule_version", "version of the rule set"),
    moment("decided_as_of", "business moment of the decision"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint(
        "outcome IN ('accepted', 'review', 'rejected', 'awaiting_payment')", name="outcome_known"
    ),
    sa.Index(None, "outcome"),
)
