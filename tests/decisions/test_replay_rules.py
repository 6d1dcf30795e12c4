"""Documents of rules: what they may say, and what is said of those that may not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.decisions.model import BadRequest, Request
from ecom_assets.replaying import IN_FORCE, policies
from ecom_assets.warehouse.rules import RankingRule


def test_an_empty_document_leaves_everything_in_force() -> None:
    assert policies({}) == dict(IN_FORCE)
    assert policies({"risk": {}, "routing": {}}) == dict(IN_FORCE)


def test_settings_replace_those_in_force_and_no_others() -> None:
    found = policies(
        {
            "risk": {"review_cost_eur": 10},
            "routing": {"ranking": ["nearest", "fewest_splits"]},
            "carrier": {"late_cost_minor": 50, "damage_share": 0.5},
        }
    )
    assert (found["risk"].review_cost_eur, found["risk"].reject_from) == (10.0, 0.9)
    assert found["routing"].ranking == (RankingRule.NEAREST, RankingRule.FEWEST_SPLITS)
    assert (found["carrier"].late_cost_minor, found["carrier"].damage_share) == (50, 0.5)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"risks": {}}, "risks is not a section; known are risk, routing, carrier"),
        ({"risk": 3}, "risk must be a table of settings, not 3"),
        ({"risk": {"reviw_from": 0.1}}, "risk.reviw_from is not a setting; known are reject_from,"),
        ({"carrier": {"version": "x"}}, "carrier.version is not a setting; known are late_cost"),
        ({"risk": {"review_from": "0.1"}}, "risk.review_from must be a number, not '0.1'"),
        ({"risk": {"review_from": True}}, "risk.review_from must be a number, not True"),
        ({"carrier": {"late_cost_minor": 1.5}}, "carrier.late_cost_minor must be a whole number"),
        ({"carrier": {"late_cost_minor": -1}}, "carrier.late_cost_minor is an amount and must be"),
        ({"carrier": {"damage_share": 2}}, "carrier.damage_share is a share and must be from 0"),
        ({"carrier": {"default_unit_weight_g": 0}}, "carrier.default_unit_weight_g must be at"),
        ({"risk": {"reject_from": float("nan")}}, "risk.reject_from is a probability and must"),
        ({"risk": {"new_country_eur": float("inf")}}, "risk.new_country_eur is an amount and"),
        ({"risk": {"reject_from": 0.01}}, "risk.review_from must not be above reject_from"),
        ({"routing": {"ranking": "nearest"}}, "routing.ranking must be a list of fewest_splits,"),
        ({"routing": {"ranking": ["near"]}}, "routing.ranking: 'near' is not a rule; known are f"),
        ({"routing": {"ranking": [1]}}, "routing.ranking: 1 is not a rule; known are fewest_spl"),
        ({"routing": {"ranking": []}}, "routing.ranking must name at least one rule, and each"),
        ({"routing": {"ranking": ["nearest", "nearest"]}}, "routing.ranking must name at least"),
    ],
)
def test_a_wrong_document_is_told_in_one_line(document: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        policies(document)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


VALUES: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, 1, -3, 0.5, float("nan"), "nearest", ["nearest"], [2], {}]
)
SETTINGS = st.sampled_from(["reject_from", "review_cost_eur", "ranking", "late_cost_minor", "x"])
SECTIONS = st.sampled_from(["risk", "routing", "carrier", "other"])


@given(SECTIONS, st.dictionaries(SETTINGS, VALUES, max_size=2) | VALUES)
def test_any_document_is_taken_or_refused(section: str, settings: object) -> None:
    try:
        found = policies({section: settings})
    except BadRequest:
        return
    assert set(found) == set(IN_FORCE)


def test_a_range_is_read_in_utc_unless_it_names_a_zone() -> None:
    plain = Request.of_texts("2026-01-01", "2026-01-02T12:30", {}, "")
    assert plain.from_at.isoformat() == "2026-01-01T00:00:00+00:00"
    assert plain.to_at.isoformat() == "2026-01-02T12:30:00+00:00"
    assert plain.model_version is None
    zoned = Request.of_texts("2026-01-01T00:00+02:00", "2026-01-02", {}, "m")
    assert zoned.from_at.utcoffset() is not None
    assert zoned.from_at < plain.from_at


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("yesterday", "2026-01-02", "from: 'yesterday' is not a date such as 2026-01-31"),
        ("2026-01-01", "2026-02-30", "to: '2026-02-30' is not a date such as 2026-01-31"),
        ("2026-01-02", "2026-01-02", "the range is empty: 2026-01-02 is not before 2026-01-02"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(first: str, last: str, said: str) -> None:
    with pytest.raises(BadRequest, match="^" + said.replace("(", "\\(")):
        Request.of_texts(first, last, {}, None)
