"""Trials of versions that are not in force: their own tests, backtests, and shadow runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.backoffice.examples import failures
from ecom_assets.backoffice.model import Kind, Rule, RuleRefused, RuleState
from ecom_assets.backoffice.store import rules
from ecom_assets.backoffice.tables import RULE_TRIALS, RULES
from ecom_assets.decisions.tables import REPLAYS
from ecom_assets.shared.policies import policy_of

BY_HAND = "command"
"""Run id of what no run did."""

_SHADOWED = sa.text("""
    SELECT r.label, coalesce(max(t.to_at), r.shadow_from_at) AS from_at
    FROM backoffice.business_rules AS r
    LEFT JOIN backoffice.rule_trials AS t ON t.rule_id = r.rule_id AND t.stage = 'shadow'
    WHERE r.state = 'shadow'
    GROUP BY r.rule_id
    ORDER BY r.label
""")


def run_tests(
    conn: sa.Connection, kind: Kind, label: str, at: datetime, run: str = BY_HAND
) -> list[str]:
    """Run a version's own tests; a draft that passes becomes tested.

    Returns:
        What failed, a line each.

    Raises:
        RuleRefused: it has no examples, so nothing would be shown.
    """
    rule = rules.find(conn, label)
    if not rule.examples:
        raise RuleRefused(f"{label} has no examples, so its tests show nothing")
    failed = failures(
        kind, policy_of(label, kind.form, rule.parameters, label, False), rule.examples
    )
    names = {line.partition(":")[0] for line in failed}
    _record(
        conn, rule, at, run, stage="test", subjects=len(rule.examples), changed=len(names),
        summary={"failed": failed},
    )  # fmt: skip
    if not failed and rule.state is RuleState.DRAFT:
        rules.mark_tested(conn, rule)
    return failed


def record_replay(
    conn: sa.Connection, label: str, stage: str, replay_id: int, at: datetime, run: str
) -> int:
    """Keep what a replay by a version found.

    Args:
        conn: connection inside a transaction.
        label: the version.
        stage: backtest or shadow.
        replay_id: the finished replay.
        at: business moment of the trial.
        run: Dagster run id.

    Returns:
        Key of the trial.
    """
    rule = rules.find(conn, label)
    replay = conn.execute(sa.select(REPLAYS).where(REPLAYS.c.replay_id == replay_id)).one()
    return _record(
        conn, rule, at, run, stage=stage, from_at=replay.from_at, to_at=replay.to_at,
        compared_with=rules.label_in_force(conn, rule.kind), replay_id=replay_id,
        subjects=replay.orders, changed=replay.changed_orders, summary=replay.summary,
    )  # fmt: skip


def _record(conn: sa.Connection, rule: Rule, at: datetime, run: str, **values: Any) -> int:
    given = {"rule_id": rule.rule_id, "tried_as_of": at, "run_id": run, **values}
    made = sa.insert(RULE_TRIALS).values(given).returning(RULE_TRIALS.c.rule_trial_id)
    return int(conn.execute(made).scalar_one())


def shadowed(conn: sa.Connection) -> list[tuple[str, datetime]]:
    """Versions that decide beside those in force, and from when their orders are not seen yet."""
    return [(row.label, row.from_at) for row in conn.execute(_SHADOWED)]


def trials_of(conn: sa.Connection, label: str) -> list[Mapping[str, Any]]:
    """All trials of a version, oldest first."""
    query = (
        sa.select(RULE_TRIALS)
        .join(RULES, RULES.c.rule_id == RULE_TRIALS.c.rule_id)
        .where(RULES.c.label == label)
        .order_by(RULE_TRIALS.c.rule_trial_id)
    )
    return [dict(row) for row in conn.execute(query).mappings()]
