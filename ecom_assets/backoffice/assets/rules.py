"""Business rules as assets: what is in force, and what versions not in force would decide."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.backoffice.model import RuleRefused
from ecom_assets.backoffice.store import rules as store
from ecom_assets.backoffice.store import trials
from ecom_assets.backoffice.tables import RULE_PERIODS, RULE_TRIALS, RULES
from ecom_assets.shared import metadata
from ecom_assets.shared.journal import LEDGER
from resources.database import DatabaseResource

BACKTEST_DAYS = 90

TryRule = Callable[[DatabaseResource, str, Any, datetime, datetime, str, Any], int]
"""Decides a past range anew by a version's parameters; put together by the composition root."""

_IN_FORCE = (
    sa.select(
        RULES.c.label, RULE_PERIODS.c.valid_from_at, RULE_PERIODS.c.begun_by, RULES.c.decided_by,
        RULES.c.parameters,
    )
    .join(RULES, RULES.c.rule_id == RULE_PERIODS.c.rule_id)
    .where(RULE_PERIODS.c.valid_to_at.is_(None))
    .order_by(RULES.c.kind)
)  # fmt: skip
_UNDER_WAY = (
    sa.select(
        RULES.c.label, RULES.c.state, RULES.c.created_by, RULES.c.based_on, RULES.c.note,
        RULES.c.shadow_from_at,
    )
    .where(RULES.c.state.in_(["draft", "tested", "proposed", "approved", "shadow"]))
    .order_by(RULES.c.label)
)  # fmt: skip
_HISTORY = (
    sa.select(
        RULES.c.label, RULE_PERIODS.c.valid_from_at, RULE_PERIODS.c.valid_to_at,
        RULE_PERIODS.c.begun_by, RULE_PERIODS.c.ended_because,
    )
    .join(RULES, RULES.c.rule_id == RULE_PERIODS.c.rule_id)
    .order_by(RULE_PERIODS.c.rule_period_id.desc())
)  # fmt: skip
# The newest part of the ledger: a count over all of it would grow with the shop.
_NEWEST = sa.select(LEDGER.c.version).order_by(LEDGER.c.decision_id.desc()).limit(10_000).subquery()
_USED = (
    sa.select(_NEWEST.c.version, sa.func.count())
    .group_by(_NEWEST.c.version)
    .order_by(sa.func.count().desc(), _NEWEST.c.version)
)


@dg.asset(
    key=["backoffice", "business_rules"],
    kinds={"postgres"},
    description="Business rules by version: what is in force since when and by whom, what is under"
    " way, and which versions decided the newest orders.",
)
def rules(database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """Show what decides; people change it through drafts and approvals."""
    with database.begin() as conn:
        used = conn.execute(_USED).tuples().all()
        shown = {
            **metadata.advanced(conn, RULES, {}),
            "in_force": metadata.preview(conn, _IN_FORCE, most=20),
            "under_way": metadata.preview(conn, _UNDER_WAY, most=20),
            "history": metadata.preview(conn, _HISTORY, most=20),
            "newest_decisions_by_version": metadata.bar_plot(
                [label for label, _ in used], [count for _, count in used],
                "Versions of the newest decisions", "decisions",
            ),
        }  # fmt: skip
    return dg.MaterializeResult(metadata=shown)


class TrialConfig(dg.Config):
    """Which version is tried on what.

    Attributes:
        label: the version to backtest, such as `risk/2`; all that are in shadow, if empty.
        days: how many days before `as_of` a backtest covers.
        as_of: end of the range, ISO 8601; now, if empty.
    """

    label: str = ""
    days: int = BACKTEST_DAYS
    as_of: str = ""


_NEWEST_TRIALS = (
    sa.select(
        RULES.c.label, *(RULE_TRIALS.c[name] for name in ("stage", "from_at", "to_at")),
        RULE_TRIALS.c.subjects, RULE_TRIALS.c.changed, RULE_TRIALS.c.compared_with,
        RULE_TRIALS.c.replay_id,
    )
    .join(RULES, RULES.c.rule_id == RULE_TRIALS.c.rule_id)
    .order_by(RULE_TRIALS.c.rule_trial_id.desc())
)  # fmt: skip


@dg.asset(
    key=["backoffice", "rule_trials"],
    deps=[
        ["backoffice", "business_rules"],
        ["risk", "decisions"],
        ["transport", "carrier_choices"],
    ],
    kinds={"postgres"},
    description="What versions not in force would have decided: a backtest over the last 90 days,"
    " or beside the rule in force for the orders since the last shadow run. Nothing is changed.",
)
def rule_trials(
    context: dg.AssetExecutionContext,
    config: TrialConfig,
    database: DatabaseResource,
    try_rule: dg.ResourceParam[TryRule],
) -> dg.MaterializeResult[Any]:
    """Decide past orders anew by a draft, or new ones by versions in shadow; keep the diff."""
    as_of = _moment(config.as_of)
    run, made = context.run.run_id, 0
    try:
        for label, stage, from_at in _wanted(database, config, as_of):
            with database.begin() as conn:
                rule = store.find(conn, label)
            replay_id = try_rule(
                database, rule.kind, rule.parameters, from_at, as_of, run, context.log.info
            )
            with database.begin() as conn:
                trials.record_replay(conn, label, stage, replay_id, as_of, run)
            made += 1
    except ValueError as error:
        # The same request fails the same way: a retry would only repeat it.
        raise dg.Failure(str(error), allow_retries=False) from error
    with database.begin() as conn:
        return dg.MaterializeResult(metadata=_shown(conn, made))


def _moment(text: str) -> datetime:
    # The wall clock is right here: where no moment is given, the range ends when it is asked for.
    found = datetime.fromisoformat(text) if text else datetime.now(UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _wanted(
    database: DatabaseResource, config: TrialConfig, as_of: datetime
) -> Iterator[tuple[str, str, datetime]]:
    if config.label:
        if config.days < 1:
            raise RuleRefused(f"days is {config.days}, at least 1 is needed")
        yield config.label, "backtest", as_of - timedelta(days=config.days)
        return
    with database.begin() as conn:
        found = trials.shadowed(conn)
    yield from ((label, "shadow", since) for label, since in found if since < as_of)


def _shown(conn: sa.Connection, made: int) -> dict[str, Any]:
    newest = conn.execute(
        sa.select(RULE_TRIALS.c.summary, RULES.c.label)
        .join(RULES, RULES.c.rule_id == RULE_TRIALS.c.rule_id)
        .where(RULE_TRIALS.c.stage != "test")
        .order_by(RULE_TRIALS.c.rule_trial_id.desc())
        .limit(1)
    ).first()
    totals = newest.summary.get("totals", []) if newest else []
    changes = [each["amount_after_minor"] - each["amount_before_minor"] for each in totals]
    return {
        **metadata.advanced(conn, RULE_TRIALS, {"trials": made}),
        "newest": metadata.preview(conn, _NEWEST_TRIALS),
        "money_effect": dg.MetadataValue.md(
            metadata.as_table(
                ["decision", "currency", "orders", "changed", "before_minor", "after_minor"],
                [
                    [each[name] for name in ("kind", "currency", "orders", "changed",
                                             "amount_before_minor", "amount_after_minor")]
                    for each in totals
                ],
            )
        ),
        "money_effect_plot": metadata.bar_plot(
            [f"{each['kind']} {each['currency']}" for each in totals], changes,
            f"Change by {newest.label if newest else 'no rule'}", "minor units",
        ),
    }  # fmt: skip


ASSETS = [rules, rule_trials]
