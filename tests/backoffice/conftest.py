"""Drafts of rules, and people who take them through their life."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.backoffice.model import Rule
from ecom_assets.backoffice.store import rules, trials
from ecom_assets.ruling import KINDS, kind_of
from ecom_assets.shared.policies import settings_of

NOW = datetime(2024, 6, 1, tzinfo=UTC)
CASE = {
    "payment_state": "authorised", "probability": 0.01, "total_minor": 5_000, "minor_per_eur": 100,
}  # fmt: skip
ACCEPTED = {"name": "ordinary", "given": CASE, "expected": {"outcome": "accepted"}}
Draft = Callable[..., Rule]


def settings(kind: str, **changes: Any) -> dict[str, Any]:
    """The settings of a kind's first version with changes."""
    return settings_of(KINDS[kind].form()) | changes


@pytest.fixture
def draft(conn: sa.Connection) -> Draft:
    """Drafts a version by Ann; settings are those of the first version where nothing is said."""

    def make(kind: str = "risk", examples: Any = (ACCEPTED,), **changes: Any) -> Rule:
        given = settings(kind, **changes)
        return rules.draft(conn, KINDS[kind], given, "ann", NOW, examples, "a try")

    return make


def take_to(conn: sa.Connection, rule: Rule, state: str) -> None:
    """Take a draft as far as a state; Ann proposes, Bob approves."""
    steps: list[tuple[str, Callable[[], object]]] = [
        ("tested", lambda: trials.run_tests(conn, kind_of(rule.kind), rule.label, NOW)),
        ("proposed", lambda: _propose(conn, rule)),
        ("approved", lambda: rules.approve(conn, rule.label, "bob", NOW)),
    ]
    for name, step in steps:
        step()
        if name == state:
            return


def _propose(conn: sa.Connection, rule: Rule) -> None:
    backtested(conn, rule)
    rules.propose(conn, kind_of(rule.kind), rule.label, "ann", NOW)


def backtested(conn: sa.Connection, rule: Rule) -> None:
    """Put a finished replay of no orders on record as the backtest of a version."""
    replay = conn.execute(
        sa.text(
            "INSERT INTO decisions.replays (from_at, to_at, rules, policies, state, run_id)"
            " VALUES ('2024-03-01', '2024-06-01', '{}', '{}', 'finished', 'r') RETURNING replay_id"
        )
    ).scalar_one()
    trials.record_replay(conn, rule.label, "backtest", replay, NOW, "r")
