"""Settings become policies or are refused by kind and field; the seeds say what the code says."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.ruling import KINDS
from ecom_assets.shared.policies import InvalidPolicy, policy_of, settings_of

FLAWS: list[tuple[str, dict[str, Any], str]] = [
    ("risk", {"reject_from": 2.0}, "risk.reject_from is a probability"),
    ("risk", {"reject_from": "high"}, "risk.reject_from must be a number, not 'high'"),
    ("risk", {"reject_from": True}, "risk.reject_from must be a number, not True"),
    ("risk", {"speed": 1}, "risk.speed is not a setting; known are reject_from"),
    ("routing", {"ranking": ["fastest"]}, "routing.ranking[1]: 'fastest' is not known"),
    ("routing", {"ranking": []}, "routing.ranking must name at least one rule"),
    ("routing", {"ranking": "nearest"}, "routing.ranking must be a list"),
    ("routing", {"version": "x"}, "routing.version is not a setting"),
    ("carrier", {"late_cost_minor": 1.5}, "carrier.late_cost_minor must be a whole number"),
    ("carrier", {"late_cost_minor": -1}, "carrier.late_cost_minor is an amount"),
    ("payment_match", {"least_minor": -1}, "payment_match.least_minor must be from 0"),
    ("reservation", {"promise_stands": "soon"}, "reservation.promise_stands must be a span"),
    ("reservation", {"promise_stands": "0 days"}, "reservation.promise_stands must be longer"),
    ("fraud_rules", {"most": 1.0}, "fraud_rules.most is a probability"),
    ("fraud_rules", {"rules": [{"reason": "x", "feature": "y", "at_least": 1, "points": 1}]},
     "fraud_rules.rules: y is not a feature"),
    ("fraud_rules", {"rules": [{"reason": "x"}]}, "fraud_rules.rules[1].feature is missing"),
]  # fmt: skip


def default(kind: str) -> dict[str, Any]:
    return settings_of(KINDS[kind].form())


@pytest.mark.parametrize(("kind", "change", "said"), FLAWS, ids=lambda value: str(value)[:40])
def test_a_flaw_is_named_by_kind_and_field(kind: str, change: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        policy_of(kind, KINDS[kind].form, default(kind) | change)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_must_be_given(kind: str) -> None:
    for name in default(kind):
        settings = default(kind)
        del settings[name]
        with pytest.raises(InvalidPolicy, match=rf"^{kind}\.{name} is missing$"):
            policy_of(kind, KINDS[kind].form, settings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_is_read_back_as_it_was_written(kind: str) -> None:
    policy = policy_of(kind, KINDS[kind].form, default(kind))
    assert policy == KINDS[kind].form()


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_any_document_is_a_policy_or_refused(kind: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(default(kind))))
    settings = default(kind) | {name: data.draw(VALUES)}
    said = ""
    try:
        policy = policy_of(kind, KINDS[kind].form, settings)
    except InvalidPolicy as error:
        said = str(error)
    assert said.startswith(f"{kind}.") or settings_of(policy).keys() == settings.keys()


def test_the_first_versions_say_what_the_code_said(conn: sa.Connection) -> None:
    rows = conn.execute(
        sa.text(
            "SELECT r.kind, r.label, r.parameters FROM backoffice.business_rules AS r"
            " JOIN backoffice.rule_periods USING (rule_id) WHERE valid_to_at IS NULL"
        )
    ).all()
    assert {row.kind for row in rows} == set(KINDS)
    for row in rows:
        kind = KINDS[row.kind]
        assert policy_of(row.label, kind.form, row.parameters) == kind.form()
    assert {row.label for row in rows} == {
        "risk/1", "allocation-2", "carrier-1", "payment_match/1", "reservation-1", "fraud_rules/1",
    }  # fmt: skip
