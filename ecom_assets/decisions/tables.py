"""Tables of the decisions area; the ledger and the timeline are declared in `shared.journal`."""

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
)

REPLAYS = area_table(
    "decisions",
    "replays",
    "Past ranges of orders that were decided anew under other rules, without any effect.",
    identity("replay_id", "surrogate key"),
    moment("from_at", "first moment of deciding in the range"),
    moment("to_at", "end of the range, excluded"),
    document("rules", "settings that differed from those in force, by section"),
    text("model_version", "fraud model used; empty where the recorded scores held", nullable=True),
    document("policies", "all settings the range was decided by, by section"),
    text("state", "unfinished until all outcomes are there, then finished"),
    integer("orders", "orders in the range", server_default="0"),
    integer("changed_orders", "orders of which any decision came out differently",
            server_default="0"),
    document("summary", "figures of the whole: money, splits, lateness, approvals",
             server_default=sa.text("'{}'::jsonb")),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("state IN ('unfinished', 'finished')", name="state_known"),
    sa.CheckConstraint("from_at < to_at", name="range_not_empty"),
    sa.CheckConstraint("changed_orders <= orders", name="changed_within_orders"),
)  # fmt: skip

REPLAY_OUTCOMES = area_table(
    "decisions",
    "replay_outcomes",
    "What each decision of a replay's orders was and would have been, per currency of its money.",
    reference("replay_id", "replay", primary_key=True),
    reference("order_id", "order", primary_key=True),
    text("kind", "risk_decision, allocation or carrier_choice", primary_key=True),
    sa.Column("currency", sa.CHAR(3), primary_key=True, comment="ISO 4217 code of the amounts"),
    moment("decided_as_of", "business moment of the order's decision"),
    text("before", "what was decided: outcome, units per site, or service per site"),
    text("after", "what would have been decided"),
    flag("is_changed", "whether the decision differs in any part"),
    minor("amount_before_minor",
          "total of an accepted order, handling of its parcels, or price of their services"),
    minor("amount_after_minor", "the same under the replay's rules"),
    integer("parcels_before", "parcels with this currency; 0 for a risk decision"),
    integer("parcels_after", "the same under the replay's rules"),
    integer("late_before", "parcels expected after the promise; of carrier choices only"),
    integer("late_after", "the same under the replay's rules"),
    sa.ForeignKeyConstraint(["replay_id"], ["decisions.replays.replay_id"], ondelete="CASCADE"),
    sa.CheckConstraint(
        "kind IN ('risk_decision', 'allocation', 'carrier_choice')", name="kind_known"
    ),
)  # fmt: skip
