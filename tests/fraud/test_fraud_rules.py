"""The additive rules, alone and over frames."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.fraud.features import NAMES
from ecom_assets.fraud.rules import MOST, RULES, Bucket, assess, bucket
from ecom_assets.fraud.scoring import score_by_rules
from ecom_assets.risk.rules import POLICY

documents = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 499.99, 500.0]), max_size=12
)


def test_every_rule_reads_a_feature() -> None:
    assert {rule.feature for rule in RULES} <= set(NAMES)


def test_reasons_are_listed_strongest_first() -> None:
    points = [rule.points for rule in RULES]
    assert points == sorted(points, reverse=True)


@given(st.lists(documents, min_size=1, max_size=20))
def test_frames_score_like_single_orders(orders: list[dict[str, float]]) -> None:
    frame = pd.DataFrame(orders, columns=list(NAMES)).fillna(0.0)
    scores = score_by_rules(frame)
    expected = [assess(order) for order in orders]
    assert scores.probability.tolist() == pytest.approx([each.probability for each in expected])
    named = [tuple(filter(None, row)) for row in scores.reasons.tolist()]
    assert named == [each.reasons for each in expected]


@given(documents, st.sampled_from(RULES))
def test_one_more_rule_never_lowers_the_score(order: dict[str, float], rule: object) -> None:
    assert isinstance(rule, type(RULES[0]))
    before = assess({**order, rule.feature: 0.0}).probability
    assert assess({**order, rule.feature: rule.at_least}).probability >= before


def test_an_ordinary_order_gets_the_base_rate() -> None:
    assert assess({}).probability == pytest.approx(0.010987)


def test_rules_alone_never_reject() -> None:
    everything = {rule.feature: rule.at_least for rule in RULES}
    assert assess(everything).probability == MOST < POLICY.reject_from


@pytest.mark.parametrize(
    ("probability", "name"),
    [(0.0, Bucket.LOW), (0.1, Bucket.MEDIUM), (0.499999, Bucket.MEDIUM), (0.5, Bucket.HIGH)],
)
def test_probabilities_are_named(probability: float, name: Bucket) -> None:
    assert bucket(probability) is name
