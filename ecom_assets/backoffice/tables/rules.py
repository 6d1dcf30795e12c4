"""Business rules by version, when each was in force, and what trials of them found."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from ecom_assets.shared.columns import (
    area_table,
    document,
    identity,
    integer,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
)

RULES = area_table(
    "backoffice",
    "business_rules",
    "Business rules by version. What a version says never changes, only how far it has come.",
    identity("rule_id", "surrogate key"),
    text("kind", "which decision it governs, such as risk or routing"),
    integer("version", "counts from 1 per kind"),
    text("label", "what the ledger names, such as risk/2"),
    document("parameters", "settings, checked by the kind's policy"),
    document("examples", "its own tests: given and expected, by name",
             server_default=sa.text("'[]'::jsonb")),
    text("based_on", "label of the version in force when it was drafted; empty for the first",
         nullable=True),
    text("note", "why it was drafted", server_default=""),
    text("state", "draft, tested, proposed, approved, shadow, in_force, superseded, rejected or"
         " withdrawn"),
    text("created_by", "who drafted it"),
    moment("created_at", "when it was drafted"),
    text("proposed_by", "who proposed it", nullable=True),
    moment("proposed_at", "when it was proposed", nullable=True),
    text("decided_by", "who approved or rejected it; never who drafted or proposed it",
         nullable=True),
    moment("decided_at", "when it was approved or rejected", nullable=True),
    text("comment", "why it was approved or rejected", server_default=""),
    moment("shadow_from_at", "from when it decides beside the version in force", nullable=True),
    recorded_at(),
    sa.UniqueConstraint("kind", "version"),
    sa.UniqueConstraint("label"),
    sa.UniqueConstraint("rule_id", "kind"),
    sa.CheckConstraint("version >= 1", name="version_positive"),
    sa.CheckConstraint(
        "state IN ('draft', 'tested', 'proposed', 'approved', 'shadow', 'in_force', 'superseded',"
        " 'rejected', 'withdrawn')",
        name="state_known",
    ),
    sa.CheckConstraint(
        "lower(decided_by) <> lower(created_by) AND lower(decided_by) <> lower(proposed_by)",
        name="four_eyes",
    ),
    sa.CheckConstraint(
        "state NOT IN ('approved', 'shadow', 'in_force', 'superseded') OR decided_by IS NOT NULL",
        name="approved_before_force",
    ),
)  # fmt: skip

RULE_PERIODS = area_table(
    "backoffice",
    "rule_periods",
    "When each version of a rule was in force; one at a time per kind, without a gap.",
    identity("rule_period_id", "surrogate key"),
    text("kind", "kind of the rule"),
    reference("rule_id", "the version"),
    moment("valid_from_at", "first moment of deciding; for ever before, if empty", nullable=True),
    moment("valid_to_at", "end, excluded; open, if empty", nullable=True),
    text("begun_by", "who put it in force"),
    text("ended_because", "superseded or rolled_back; open, if empty", nullable=True),
    recorded_at(),
    sa.ForeignKeyConstraint(
        ["rule_id", "kind"], ["backoffice.business_rules.rule_id", "backoffice.business_rules.kind"]
    ),
    sa.CheckConstraint("valid_to_at > valid_from_at", name="ends_after_start"),
    sa.CheckConstraint(
        "(valid_to_at IS NULL) = (ended_because IS NULL)"
        " AND ended_because IN ('superseded', 'rolled_back')",
        name="end_has_cause",
    ),
    ExcludeConstraint(
        (sa.column("kind"), "="),
        (sa.func.tstzrange(sa.column("valid_from_at"), sa.column("valid_to_at")), "&&"),
        name="rule_periods_one_at_a_time",
    ),
    sa.Index(None, "rule_id"),
)

RULE_TRIALS = area_table(
    "backoffice",
    "rule_trials",
    "What versions not in force would have decided: tests, backtests and shadow runs.",
    identity("rule_trial_id", "surrogate key"),
    reference("rule_id", "the version", "backoffice.business_rules.rule_id"),
    text("stage", "test, backtest or shadow"),
    moment("from_at", "first moment of deciding; empty for a test", nullable=True),
    moment("to_at", "end, excluded; empty for a test", nullable=True),
    text("compared_with", "label of the version in force at the end of the range; empty for a test",
         nullable=True),
    reference("replay_id", "row of decisions.replays it was made by; empty for a test",
              nullable=True),
    integer("subjects", "examples of a test, orders of a range"),
    integer("changed", "examples that failed, orders decided differently"),
    document("summary", "what failed, or the replay's figures with money per currency"),
    moment("tried_as_of", "business moment of the trial"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("stage IN ('test', 'backtest', 'shadow')", name="stage_known"),
    sa.CheckConstraint("changed BETWEEN 0 AND subjects", name="changed_within_subjects"),
    sa.CheckConstraint(
        "(stage = 'test') = (replay_id IS NULL) AND (stage = 'test') = (from_at IS NULL)"
        " AND (from_at IS NULL) = (to_at IS NULL)",
        name="range_has_replay",
    ),
    sa.Index(None, "rule_id", "stage"),
)  # fmt: skip
