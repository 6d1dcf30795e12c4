"""Rules by version: drafting, proposing, approving, putting in force and taking back.

Who changes what is in force locks the kind first, so that of two at once the second sees what the
first did. What a version says is kept by a trigger of the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.backoffice.examples import check_form
from ecom_assets.backoffice.model import FourEyes, Kind, Rule, RuleRefused, RuleState
from ecom_assets.backoffice.tables import RULE_PERIODS, RULE_TRIALS, RULES
from ecom_assets.shared.policies import InvalidPolicy, policy_of, settings_of

_LOCK = sa.text(
    "SELECT pg_advisory_xact_lock(hashtextextended('backoffice.business_rules/' || :kind, 0))"
)
_FIELDS = [RULES.c[name] for name in Rule.__slots__]
_OPEN = sa.text("""
    SELECT p.rule_period_id, p.rule_id, r.label, p.valid_from_at
    FROM backoffice.rule_periods AS p JOIN backoffice.business_rules AS r USING (rule_id)
    WHERE p.kind = :kind AND p.valid_to_at IS NULL
""")
_BEFORE = sa.text("""
    SELECT p.rule_id, r.label
    FROM backoffice.rule_periods AS p JOIN backoffice.business_rules AS r USING (rule_id)
    WHERE p.kind = :kind AND p.rule_id <> :rule_id AND p.ended_because = 'superseded'
    ORDER BY p.valid_to_at DESC LIMIT 1
""")


def draft(
    conn: sa.Connection,
    kind: Kind,
    settings: Mapping[str, Any],
    by: str,
    at: datetime,
    examples: Sequence[Mapping[str, Any]] = (),
    note: str = "",
) -> Rule:
    """Keep a new version of a rule, which has no effect yet.

    Args:
        conn: connection inside a transaction.
        kind: of the rule.
        settings: all of them; nothing is taken from another version.
        by: who drafts it.
        at: business moment.
        examples: its own tests, see `examples`.
        note: why.

    Raises:
        RuleRefused: the settings make no policy, an example no example, or nobody drafts it.
    """
    try:
        policy = policy_of(kind.name, kind.form, settings)
    except InvalidPolicy as error:
        raise RuleRefused(str(error)) from error
    check_form(examples)
    hold(conn, kind.name)
    last = sa.select(sa.func.coalesce(sa.func.max(RULES.c.version), 0))
    version = conn.execute(last.where(RULES.c.kind == kind.name)).scalar_one() + 1
    values = {
        "kind": kind.name, "version": version, "label": f"{kind.name}/{version}",
        "parameters": settings_of(policy), "examples": list(examples), "note": note,
        "based_on": _open_period(conn, kind.name).label, "state": RuleState.DRAFT,
        "created_by": _named(by), "created_at": at,
    }  # fmt: skip
    made = conn.execute(sa.insert(RULES).values(values).returning(*_FIELDS)).one()
    return _rule(made)


def find(conn: sa.Connection, label: str) -> Rule:
    """The version of a label.

    Raises:
        RuleRefused: there is none.
    """
    found = conn.execute(sa.select(*_FIELDS).where(RULES.c.label == label)).first()
    if found is None:
        raise RuleRefused(f"there is no rule {label}")
    return _rule(found)


def versions(conn: sa.Connection, kind: str | None = None) -> list[Rule]:
    """All versions, of one kind or of all, newest first within a kind."""
    query = sa.select(*_FIELDS).order_by(RULES.c.kind, RULES.c.version.desc())
    if kind:
        query = query.where(RULES.c.kind == kind)
    return [_rule(row) for row in conn.execute(query)]


def label_in_force(conn: sa.Connection, kind: str) -> str:
    """The label of the version whose period is open."""
    return str(_open_period(conn, kind).label)


def mark_tested(conn: sa.Connection, rule: Rule) -> Rule:
    """A draft whose examples all passed; `trials.run_tests` calls it."""
    return _move(conn, _held(conn, rule.label), RuleState.TESTED)


def propose(conn: sa.Connection, kind: Kind, label: str, by: str, at: datetime) -> Rule:
    """Ask for approval of a version that was tested and, where that can be, backtested.

    Raises:
        RuleRefused: it is not tested, or no backtest says what it would have changed.
    """
    rule = _held(conn, label)
    if rule.state is RuleState.DRAFT:
        raise RuleRefused(f"{label} is not tested: its examples must pass first")
    tried = sa.exists().where(
        RULE_TRIALS.c.rule_id == rule.rule_id, RULE_TRIALS.c.stage == "backtest"
    )
    if kind.is_replayable and not conn.execute(sa.select(tried)).scalar():
        raise RuleRefused(f"{label} has no backtest, so nobody knows what it would have changed")
    return _move(conn, rule, RuleState.PROPOSED, proposed_by=_named(by), proposed_at=at)


def approve(conn: sa.Connection, label: str, by: str, at: datetime, comment: str = "") -> Rule:
    """Approve a proposed version; it is not in force yet.

    Raises:
        RuleRefused: it is not proposed, or the author approves.
    """
    return _decide(conn, label, RuleState.APPROVED, by, at, comment)


def reject(conn: sa.Connection, label: str, by: str, at: datetime, comment: str = "") -> Rule:
    """Reject a proposed version, for good.

    Raises:
        RuleRefused: it is not proposed, or the author rejects instead of withdrawing.
    """
    return _decide(conn, label, RuleState.REJECTED, by, at, comment)


def _decide(
    conn: sa.Connection, label: str, state: RuleState, by: str, at: datetime, comment: str
) -> Rule:
    rule, name = _held(conn, label), _named(by)
    if name.lower() in {rule.created_by.lower(), (rule.proposed_by or "").lower()}:
        raise FourEyes(f"{name} drafted or proposed {label}; another person must decide")
    return _move(conn, rule, state, decided_by=name, decided_at=at, comment=comment)


def withdraw(conn: sa.Connection, label: str) -> Rule:
    """Give up a version that is not in force.

    Raises:
        RuleRefused: it is or was in force, or is given up already.
    """
    return _move(conn, _held(conn, label), RuleState.WITHDRAWN)


def shadow(conn: sa.Connection, label: str, at: datetime) -> Rule:
    """Let an approved version decide beside the one in force, without effect, from a moment on.

    Raises:
        RuleRefused: it is not approved.
    """
    return _move(conn, _held(conn, label), RuleState.SHADOW, shadow_from_at=at)


def promote(conn: sa.Connection, label: str, by: str, at: datetime) -> Rule:
    """Put an approved version in force from a moment on; the one before it ends then.

    Orders due before the moment are decided by the version before it, whenever that happens.

    Raises:
        RuleRefused: it is not approved, another version came into force since it was drafted, or
            the one in force begins later.
    """
    rule = _held(conn, label)
    _refuse_move(rule, RuleState.IN_FORCE, (RuleState.APPROVED, RuleState.SHADOW))
    period = _open_period(conn, rule.kind)
    if period.label != rule.based_on:
        raise RuleRefused(
            f"{period.label} came into force since {label} was drafted on {rule.based_on};"
            " draft and test it again"
        )
    return _put_in_force(conn, rule, period, by, at, "superseded")


def roll_back(conn: sa.Connection, kind: str, by: str, at: datetime) -> Rule:
    """Put the version before the one in force back, from a moment on.

    Raises:
        RuleRefused: there was no version before, or the one in force begins later.
    """
    hold(conn, kind)
    period = _open_period(conn, kind)
    before = conn.execute(_BEFORE, {"kind": kind, "rule_id": period.rule_id}).first()
    if before is None:
        raise RuleRefused(f"no version of {kind} was in force before {period.label}")
    return _put_in_force(conn, find(conn, before.label), period, by, at, "rolled_back")


def _put_in_force(
    conn: sa.Connection, rule: Rule, period: sa.Row[Any], by: str, at: datetime, because: str
) -> Rule:
    if period.valid_from_at is not None and period.valid_from_at >= at:
        raise RuleRefused(
            f"{period.label} is in force from {period.valid_from_at.isoformat()}, not before"
            f" {at.isoformat()}"
        )
    conn.execute(
        sa.update(RULE_PERIODS)
        .where(RULE_PERIODS.c.rule_period_id == period.rule_period_id)
        .values(valid_to_at=at, ended_because=because)
    )
    values = {"kind": rule.kind, "rule_id": rule.rule_id, "valid_from_at": at,
              "begun_by": _named(by)}  # fmt: skip
    conn.execute(sa.insert(RULE_PERIODS).values(values))
    _move(conn, find(conn, period.label), RuleState.SUPERSEDED)
    return _move(conn, rule, RuleState.IN_FORCE)


def _held(conn: sa.Connection, label: str) -> Rule:
    """The version, with its kind locked until the transaction ends."""
    hold(conn, find(conn, label).kind)
    return find(conn, label)


def hold(conn: sa.Connection, kind: str) -> None:
    """Keep what is in force of a kind as it is until the transaction ends."""
    conn.execute(_LOCK, {"kind": kind})


def _open_period(conn: sa.Connection, kind: str) -> sa.Row[Any]:
    found = conn.execute(_OPEN, {"kind": kind}).first()
    if found is None:
        raise RuleRefused(f"no version of {kind} is in force")
    return found


_FROM = {
    RuleState.TESTED: (RuleState.DRAFT,),
    RuleState.PROPOSED: (RuleState.TESTED,),
    RuleState.APPROVED: (RuleState.PROPOSED,),
    RuleState.REJECTED: (RuleState.PROPOSED,),
    RuleState.SHADOW: (RuleState.APPROVED,),
    RuleState.IN_FORCE: (RuleState.APPROVED, RuleState.SHADOW, RuleState.SUPERSEDED),
    RuleState.SUPERSEDED: (RuleState.IN_FORCE,),
    RuleState.WITHDRAWN: (
        RuleState.DRAFT, RuleState.TESTED, RuleState.PROPOSED, RuleState.APPROVED,
        RuleState.SHADOW,
    ),
}  # fmt: skip


def _refuse_move(rule: Rule, state: RuleState, known: Sequence[RuleState]) -> None:
    if rule.state not in known:
        states = " or ".join(each.value for each in known)
        raise RuleRefused(f"{rule.label} is {rule.state}; only {states} can become {state}")


def _move(conn: sa.Connection, rule: Rule, state: RuleState, **values: Any) -> Rule:
    _refuse_move(rule, state, _FROM[state])
    statement = sa.update(RULES).where(RULES.c.rule_id == rule.rule_id)
    made = conn.execute(statement.values(state=state, **values).returning(*_FIELDS))
    return _rule(made.one())


def _named(by: str) -> str:
    if not by.strip():
        raise RuleRefused("somebody must answer for it: a name is needed")
    return by.strip()


def _rule(row: sa.Row[Any]) -> Rule:
    return Rule(**{**row._mapping, "state": RuleState(row.state)})
