"""From draft to force and back: who may, in which order, and what the database refuses itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from backoffice.conftest import ACCEPTED, CASE, NOW, Draft, backtested, settings, take_to

from ecom_assets.backoffice.model import RuleRefused, RuleState
from ecom_assets.backoffice.store import rules, trials
from ecom_assets.backoffice.store.acting import Actor, act
from ecom_assets.risk.rules import RiskPolicy
from ecom_assets.ruling import KINDS, kind_of
from ecom_assets.shared.versions import in_force_between
from resources.database import DatabaseResource

RISK = KINDS["risk"]
LATER = NOW + timedelta(days=1)


def labels(conn: sa.Connection, kind: str = "risk") -> list[str]:
    query = sa.text(
        "SELECT r.label FROM backoffice.rule_periods AS p JOIN backoffice.business_rules AS r"
        " USING (rule_id) WHERE p.kind = :kind ORDER BY p.valid_from_at NULLS FIRST"
    )
    return list(conn.scalars(query, {"kind": kind}))


def test_a_version_goes_from_draft_to_force_and_back(conn: sa.Connection, draft: Draft) -> None:
    rule = draft(review_from=0.2)
    assert (rule.label, rule.based_on, rule.state) == ("risk/2", "risk/1", RuleState.DRAFT)
    take_to(conn, rule, "approved")
    rules.shadow(conn, rule.label, NOW)
    assert trials.shadowed(conn) == [("risk/2", NOW)]
    rules.promote(conn, rule.label, "bob", LATER)
    assert labels(conn) == ["risk/1", "risk/2"]
    assert rules.find(conn, "risk/1").state is RuleState.SUPERSEDED
    back = rules.roll_back(conn, "risk", "carl", LATER + timedelta(hours=1))
    assert (back.label, back.state) == ("risk/1", RuleState.IN_FORCE)
    assert labels(conn) == ["risk/1", "risk/2", "risk/1"]
    assert rules.find(conn, "risk/2").state is RuleState.SUPERSEDED
    found = in_force_between(conn, "risk", RiskPolicy, NOW, LATER + timedelta(days=1))
    assert [(each.label, each.policy.review_from) for each in found] == [
        ("risk/1", 0.05), ("risk/2", 0.2), ("risk/1", 0.05)
    ]  # fmt: skip


def test_a_version_needs_tests_a_backtest_and_another_person(
    conn: sa.Connection, draft: Draft
) -> None:
    bare = draft(examples=())
    with pytest.raises(RuleRefused, match="has no examples"):
        trials.run_tests(conn, RISK, bare.label, NOW)
    rule = draft()
    with pytest.raises(RuleRefused, match="is not tested"):
        rules.propose(conn, RISK, rule.label, "ann", NOW)
    trials.run_tests(conn, RISK, rule.label, NOW)
    with pytest.raises(RuleRefused, match="has no backtest"):
        rules.propose(conn, RISK, rule.label, "ann", NOW)
    backtested(conn, rule)
    with pytest.raises(RuleRefused, match="is tested; only proposed can become approved"):
        rules.approve(conn, rule.label, "bob", NOW)
    rules.propose(conn, RISK, rule.label, "carl", NOW)
    for name in ("ann", "ANN", "carl"):
        with pytest.raises(RuleRefused, match="another person must decide"):
            rules.approve(conn, rule.label, name, NOW)
    with pytest.raises(RuleRefused, match="a name is needed"):
        rules.approve(conn, rule.label, " ", NOW)
    with pytest.raises(RuleRefused, match="is proposed; only approved or shadow"):
        rules.promote(conn, rule.label, "bob", NOW)
    rules.reject(conn, rule.label, "bob", NOW, "too strict")
    with pytest.raises(RuleRefused, match="is rejected"):
        rules.withdraw(conn, rule.label)


def test_tests_that_fail_are_told_and_keep_the_draft_a_draft(
    conn: sa.Connection, draft: Draft
) -> None:
    wrong = {"name": "dear", "given": CASE | {"probability": 0.5}, "expected": {"outcome": "x"}}
    odd = {"name": "odd", "given": {"probability": 1}, "expected": {"outcome": "x"}}
    rule = draft(examples=(ACCEPTED, wrong, odd))
    assert trials.run_tests(conn, RISK, rule.label, NOW) == [
        "dear: outcome is 'review', expected 'x'", "odd: given.payment_state is missing",
    ]  # fmt: skip
    assert rules.find(conn, rule.label).state is RuleState.DRAFT
    (trial,) = trials.trials_of(conn, rule.label)
    assert (trial["stage"], trial["subjects"], trial["changed"]) == ("test", 3, 2)


@pytest.mark.parametrize(
    "examples",
    [[{"name": "x", "given": CASE}], [ACCEPTED, ACCEPTED], [{**ACCEPTED, "given": {}}], [3]],
)
def test_examples_of_another_form_are_refused(draft: Draft, examples: list[object]) -> None:
    with pytest.raises(RuleRefused, match=r"^example"):
        draft(examples=examples)


def test_what_a_version_says_never_changes(conn: sa.Connection, draft: Draft) -> None:
    draft()
    for change in (
        "UPDATE backoffice.business_rules SET parameters = '{}'",
        "UPDATE backoffice.business_rules SET examples = '[1]'",
        "UPDATE backoffice.business_rules SET created_by = 'x'",
        "UPDATE backoffice.business_rules SET state = 'approved', decided_by = 'x'"
        " WHERE label = 'risk/2'",
        "DELETE FROM backoffice.business_rules WHERE label = 'risk/2'",
        "DELETE FROM backoffice.rule_periods",
    ):
        with pytest.raises(sa.exc.IntegrityError), conn.begin_nested():
            conn.execute(sa.text(change))


def test_periods_of_a_kind_never_overlap(conn: sa.Connection, draft: Draft) -> None:
    rule = draft()
    with pytest.raises(sa.exc.IntegrityError, match="one_at_a_time"), conn.begin_nested():
        conn.execute(
            sa.text(
                "INSERT INTO backoffice.rule_periods (kind, rule_id, valid_from_at, begun_by)"
                " VALUES ('risk', :rule_id, '2024-01-01', 'x')"
            ),
            {"rule_id": rule.rule_id},
        )


def test_the_author_cannot_approve_even_by_hand(conn: sa.Connection, draft: Draft) -> None:
    rule = draft()
    take_to(conn, rule, "proposed")
    with pytest.raises(sa.exc.IntegrityError, match="four_eyes"), conn.begin_nested():
        conn.execute(
            sa.text(
                "UPDATE backoffice.business_rules SET state = 'approved', decided_by = 'Ann'"
                " WHERE label = 'risk/2'"
            )
        )


def test_nothing_begins_before_what_is_in_force(conn: sa.Connection, draft: Draft) -> None:
    first, second = draft(review_from=0.1), draft(review_from=0.2)
    for rule in (first, second):
        take_to(conn, rule, "approved")
    rules.promote(conn, first.label, "bob", LATER)
    with pytest.raises(RuleRefused, match=r"risk/2 came into force since risk/3 was drafted"):
        rules.promote(conn, second.label, "bob", LATER + timedelta(days=1))
    with pytest.raises(RuleRefused, match="is in force from"):
        rules.roll_back(conn, "risk", "bob", LATER)
    with pytest.raises(RuleRefused, match="no version of routing was in force before"):
        rules.roll_back(conn, "routing", "bob", LATER)


def test_of_two_who_promote_at_once_one_is_refused(database: DatabaseResource) -> None:
    with database.begin() as conn:
        made = [
            rules.draft(conn, RISK, settings("risk", review_from=each), "ann", NOW, [ACCEPTED])
            for each in (0.1, 0.2)
        ]
        for rule in made:
            take_to(conn, rule, "approved")
    both = Barrier(2)

    def promote(label: str) -> str:
        both.wait()
        try:
            with database.begin() as conn:
                return rules.promote(conn, label, "bob", LATER).label
        except RuleRefused:
            return "refused"

    with ThreadPoolExecutor(2) as people:
        ends = sorted(people.map(promote, [rule.label for rule in made]))
    assert ends[0] == "refused"
    with database.begin() as conn:
        assert labels(conn) == ["risk/1", ends[1]]


def test_every_step_is_in_the_audit_log(conn: sa.Connection, draft: Draft) -> None:
    act(conn, Actor("ann", "command"))
    take_to(conn, draft(), "approved")
    said = conn.execute(
        sa.text(
            "SELECT actor, action, after ->> 'state' AS state FROM backoffice.audit_entries"
            " WHERE subject = 'backoffice.business_rules/risk/2' ORDER BY audit_entry_id"
        )
    ).all()
    assert [tuple(row) for row in said] == [
        ("ann", "insert", "draft"), ("ann", "update", "tested"), ("ann", "update", "proposed"),
        ("ann", "update", "approved"),
    ]  # fmt: skip


def test_a_rule_that_cannot_be_replayed_needs_no_backtest(
    conn: sa.Connection, draft: Draft
) -> None:
    example = {
        "name": "week", "given": {"reserved_as_of": "2024-01-01"},
        "expected": {"expires_at": "2024-01-08T00:00:00+00:00"},
    }  # fmt: skip
    rule = draft("reservation", [example], promise_stands="7 days")
    assert trials.run_tests(conn, kind_of(rule.label), rule.label, NOW) == []
    assert rules.propose(conn, kind_of("reservation"), rule.label, "ann", NOW).state == "proposed"


def test_unknown_names_are_refused(conn: sa.Connection) -> None:
    with pytest.raises(RuleRefused, match="there is no rule risk/9"):
        rules.find(conn, "risk/9")
    with pytest.raises(RuleRefused, match=r"known are risk, fraud_rules"):
        kind_of("weather")
    with pytest.raises(RuleRefused, match=r"risk\.speed is not a setting"):
        rules.draft(conn, RISK, settings("risk", speed=1), "ann", NOW)
