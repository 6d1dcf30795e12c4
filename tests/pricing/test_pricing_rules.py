"""The vectors say what the plain rules say, and no price is outside its limits unexplained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecom_assets.pricing.limits import floor_for_margin
from ecom_assets.pricing.model import (
    BPS,
    MOST_FLIPS,
    MOST_MINOR,
    Item,
    Limit,
    Line,
    Outcome,
    Policy,
    Reason,
    Rule,
    RuleKind,
)
from ecom_assets.pricing.repricing import NONE, reprice_all
from ecom_assets.pricing.repricing.columns import (
    LIMIT_BIT,
    OUTCOMES,
    REASON_BIT,
    columns_of,
    names_of,
)
from ecom_assets.pricing.rules import reprice

AMOUNTS = st.integers(1, 3_000) | st.integers(1, MOST_MINOR)
CATEGORIES = st.sampled_from(["toys", "books"])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def items(draw: st.DrawFn) -> Item:
    """A product with prices in force that hang together, as the database keeps them."""
    old = draw(maybe(AMOUNTS))
    modulus = draw(maybe(st.integers(2, 1_000)))
    return Item(
        sku=draw(st.sampled_from(["a", "b", "c"])),
        category=draw(CATEGORIES),
        old=old,
        regular=None if old is None else max(old, draw(AMOUNTS)),
        anchor=draw(maybe(AMOUNTS)),
        prior=draw(maybe(AMOUNTS)),
        flips=draw(st.integers(0, MOST_FLIPS)),
        cost=draw(maybe(st.just(0) | AMOUNTS)),
        minimum=draw(maybe(AMOUNTS)),
        margin_bps=draw(maybe(st.integers(0, 9_500))),
        ceiling=draw(maybe(AMOUNTS)),
        map_price=draw(maybe(AMOUNTS)),
        step_bps=draw(maybe(st.integers(1, BPS))),
        charm_modulus=modulus,
        charm_ending=None if modulus is None else draw(st.integers(0, modulus - 1)),
        offer_lowest=draw(maybe(AMOUNTS)),
        offer_second=draw(maybe(AMOUNTS)),
        offer_mean=draw(maybe(AMOUNTS)),
        followed=draw(maybe(AMOUNTS)),
        cover_days=draw(maybe(st.integers(0, 99_999))),
        age_days=draw(maybe(st.integers(0, 5_000))),
        promotion_bps=draw(maybe(st.integers(1, 9_500))),
        test_bps=draw(st.integers(-1_500, 1_500)),
        elasticity_milli=draw(maybe(st.integers(0, 9_000))),
        width_milli=draw(maybe(st.integers(0, 5_000))),
    )


OFFSETS = st.fixed_dictionaries(
    {}, optional={"offset_minor": st.integers(-500, 500), "offset_bps": st.integers(-900, 900)}
)
TIERS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 9_500)).map(list), min_size=1, max_size=3
).map(lambda tiers: {"tiers": tiers})
PARAMETERS: dict[RuleKind, st.SearchStrategy[Any]] = {
    RuleKind.COST_PLUS: st.builds(lambda n: {"markup_bps": n}, st.integers(0, 30_000)),
    RuleKind.FOLLOW_COMPETITOR: st.builds(
        lambda position, offset: {"position": position, **offset},
        st.sampled_from(["lowest", "second", "mean"]), OFFSETS,
    ),
    RuleKind.FOLLOW_LIST: OFFSETS.map(lambda offset: {"price_list_id": 7, **offset}),
    RuleKind.MARGIN_OPTIMAL: st.builds(
        lambda width, reach: {"most_width_milli": width, "reach_bps": reach},
        st.integers(1, 4_000), st.integers(1, 5_000),
    ),
    RuleKind.COVER_MARKDOWN: TIERS,
    RuleKind.AGEING_MARKDOWN: TIERS,
    RuleKind.PROMOTION: st.just({}),
}  # fmt: skip


@st.composite
def one_rule(draw: st.DrawFn) -> Rule:
    kind = draw(st.sampled_from(list(RuleKind)))
    return Rule(
        "", draw(st.integers(1, 3)), kind, draw(PARAMETERS[kind]),
        draw(st.sampled_from(["", "", "toys", "gone"])), draw(st.sampled_from(["", "", "a"])),
        is_approved_by_hand=draw(st.booleans()),
    )  # fmt: skip


RULES = st.lists(one_rule(), max_size=6).map(
    lambda rules: [replace(rule, name=f"r{place}") for place, rule in enumerate(rules)]
)
POLICIES = st.builds(Policy, st.integers(0, 3_000), st.integers(0, 1_000_000))


def in_vectors(found: list[Item], rules: list[Rule], policy: Policy) -> list[Line]:
    """Plan lines of the vectors in the form of the reference."""
    lines = reprice_all(columns_of(found), rules, policy)

    def amount(value: Any) -> int | None:
        return None if value == NONE else int(value)

    return [
        Line(
            OUTCOMES[lines.outcome[i]], amount(lines.proposed[i]), amount(lines.new[i]),
            amount(lines.regular[i]), amount(lines.reference[i]), lines.labels[lines.rule[i]],
            names_of(int(lines.bound[i]), LIMIT_BIT), names_of(int(lines.reasons[i]), REASON_BIT),
            bool(lines.asks[i]),
        )
        for i in range(len(found))
    ]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(items(), min_size=1, max_size=6), RULES, POLICIES)
def test_vectors_and_plain_rules_agree(
    found: list[Item], rules: list[Rule], policy: Policy
) -> None:
    assert in_vectors(found, rules, policy) == [reprice(item, rules, policy) for item in found]


@settings(max_examples=400, deadline=None)
@given(items(), RULES, POLICIES)
def test_a_price_is_within_all_limits_or_says_why_not(
    item: Item, rules: list[Rule], policy: Policy
) -> None:
    line = reprice(item, rules, policy)
    if line.outcome is Outcome.HOLD:
        assert line.reasons
        assert (line.new, line.is_approval_needed) == (item.old, False)
        return
    assert line.new is not None
    assert item.cost is not None
    assert line.new >= floor_for_margin(item.cost, 0, policy.tax_bps), "margin is never negative"
    assert line.new >= max(item.minimum or 0, item.map_price or 0)
    assert line.new >= floor_for_margin(item.cost, item.margin_bps or 0, policy.tax_bps)
    assert line.new <= (item.ceiling or MOST_MINOR)
    if item.anchor and item.step_bps and Reason.STEP_EXCEEDED not in line.reasons:
        assert abs(line.new - item.anchor) * BPS <= item.step_bps * item.anchor
    if item.charm_modulus and not {Reason.NO_CHARM, Reason.STEP_EXCEEDED} & set(line.reasons):
        assert line.new % item.charm_modulus == item.charm_ending
    if line.reference is not None:
        assert line.new < line.reference == item.prior
    if not line.bound:
        assert line.new == line.proposed, "a price that is not as proposed names the limit"
    assert line.regular is not None
    assert line.regular >= line.new


@settings(max_examples=200, deadline=None)
@given(items(), RULES, POLICIES)
def test_repricing_twice_changes_nothing_more(
    item: Item, rules: list[Rule], policy: Policy
) -> None:
    # Without a step and an elasticity, both of which look at the price in force by intention, and
    # without markdowns on a price that nobody says anew.
    rules = [rule for rule in rules if rule.kind is not RuleKind.MARGIN_OPTIMAL]
    item = replace(item, step_bps=None)
    first = reprice(item, rules, policy)
    if first.outcome in (Outcome.CHANGE, Outcome.NEW):
        again = replace(item, old=first.new, regular=first.regular)
        second = reprice(again, rules, policy)
        said = any(rule.kind in (RuleKind.COST_PLUS, RuleKind.FOLLOW_COMPETITOR,
                                 RuleKind.FOLLOW_LIST) for rule in rules)  # fmt: skip
        if said and first.rule:
            assert second.new == first.new


PLAIN = Item("a", "toys", old=1_000, regular=1_000, anchor=1_000, prior=1_000, cost=600,
             minimum=700)  # fmt: skip
COST_PLUS = Rule("plus", 1, RuleKind.COST_PLUS, {"markup_bps": 5_000})
FOLLOW = Rule("follow", 2, RuleKind.FOLLOW_COMPETITOR, {"position": "lowest", "offset_minor": -1})
CASES: list[tuple[str, Item, list[Rule], Any]] = [
    ("cost plus half", PLAIN, [COST_PLUS], (900, (), ())),
    ("one below the cheapest", replace(PLAIN, offer_lowest=951), [FOLLOW, COST_PLUS],
     (950, (), ())),
    ("no offer, next rule", PLAIN, [FOLLOW, COST_PLUS], (900, (), (Reason.NO_OFFER,))),
    ("not below the minimum", replace(PLAIN, offer_lowest=500), [FOLLOW],
     (700, (Limit.MINIMUM,), ())),
    ("not below cost", replace(PLAIN, minimum=1, offer_lowest=500), [FOLLOW],
     (600, (Limit.COST,), ())),
    ("the margin", replace(PLAIN, minimum=None, margin_bps=4_000, offer_lowest=500), [FOLLOW],
     (1_000, (Limit.MARGIN,), ())),
    ("MAP", replace(PLAIN, map_price=980), [COST_PLUS], (980, (Limit.MAP,), ())),
    ("the ceiling", replace(PLAIN, ceiling=850), [COST_PLUS], (850, (Limit.CEILING,), ())),
    ("the step of a day", replace(PLAIN, step_bps=500), [COST_PLUS], (950, (Limit.STEP,), ())),
    ("charm", replace(PLAIN, charm_modulus=100, charm_ending=99), [COST_PLUS],
     (899, (Limit.CHARM,), ())),
    ("charm not through the floor", replace(PLAIN, minimum=900, charm_modulus=100,
     charm_ending=99), [COST_PLUS], (999, (Limit.CHARM,), ())),
    ("no charm between floor and ceiling", replace(PLAIN, minimum=900, ceiling=950,
     charm_modulus=100, charm_ending=99), [COST_PLUS], (900, (), (Reason.NO_CHARM,))),
    ("a floor further than a step", replace(PLAIN, step_bps=100, minimum=1_200), [COST_PLUS],
     (1_200, (Limit.MINIMUM, Limit.STEP), (Reason.STEP_EXCEEDED,))),
    ("floor above ceiling", replace(PLAIN, ceiling=650), [COST_PLUS],
     (1_000, (Limit.MINIMUM, Limit.CEILING), (Reason.LIMITS_CONFLICT,))),
    ("a blank minimum", replace(PLAIN, minimum=None), [COST_PLUS],
     (1_000, (), (Reason.NO_MINIMUM,))),
    ("an unknown cost", replace(PLAIN, cost=None), [COST_PLUS], (1_000, (), (Reason.NO_COST,))),
    ("rules that undo each other", replace(PLAIN, flips=3), [COST_PLUS],
     (1_000, (), (Reason.LOOP,))),
    ("nobody speaks", PLAIN, [], (1_000, (), (Reason.NO_RULE,))),
    ("a wide interval", replace(PLAIN, elasticity_milli=2_000, width_milli=900),
     [Rule("best", 1, RuleKind.MARGIN_OPTIMAL, {"most_width_milli": 500, "reach_bps": 2_000})],
     (1_000, (), (Reason.NO_RULE, Reason.UNCERTAIN))),
    ("the best margin within reach", replace(PLAIN, elasticity_milli=2_000, width_milli=300),
     [Rule("best", 1, RuleKind.MARGIN_OPTIMAL, {"most_width_milli": 500, "reach_bps": 2_000})],
     (1_100, (), ())),
    ("the larger markdown", replace(PLAIN, cover_days=200, age_days=400),
     [COST_PLUS, Rule("cover", 1, RuleKind.COVER_MARKDOWN, {"tiers": [[100, 500], [150, 1_000]]}),
      Rule("age", 1, RuleKind.AGEING_MARKDOWN, {"tiers": [[365, 2_000]]})],
     (720, (), (Reason.MARKED_DOWN,))),
    ("a reduction that is none", replace(PLAIN, promotion_bps=1_000, prior=800),
     [COST_PLUS, Rule("sale", 1, RuleKind.PROMOTION)],
     (810, (Limit.PRIOR_PRICE,), (Reason.NOT_ANNOUNCED, Reason.PROMOTED))),
]  # fmt: skip


@pytest.mark.parametrize(("item", "rules", "wanted"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
def test_cases_of_the_trade(item: Item, rules: list[Rule], wanted: Any) -> None:
    line = reprice(item, rules, Policy())
    assert (line.new, line.bound, set(line.reasons)) == (wanted[0], wanted[1], set(wanted[2]))


def test_a_line_names_every_rule_that_shaped_it() -> None:
    cover = Rule("cover", 3, RuleKind.COVER_MARKDOWN, {"tiers": [[0, 1_000]]})
    sale = Rule("sale", 1, RuleKind.PROMOTION)
    item = replace(PLAIN, cover_days=9, promotion_bps=500, minimum=100)
    line = reprice(item, [COST_PLUS, cover, sale], Policy())
    assert line.rule == "plus@1+cover@3+sale@1"
    assert (line.regular, line.proposed, line.reference) == (900, 770, 1_000)


def test_tax_is_part_of_the_floor_and_of_cost_plus() -> None:
    line = reprice(replace(PLAIN, offer_lowest=1), [FOLLOW], Policy(tax_bps=2_000))
    assert (line.new, line.bound) == (720, (Limit.COST,))


def test_a_large_move_asks_for_approval() -> None:
    line = reprice(PLAIN, [COST_PLUS], Policy(approve_above_bps=999))
    assert line.is_approval_needed
    assert Reason.LARGE in line.reasons
    assert not reprice(PLAIN, [COST_PLUS], Policy(approve_above_bps=1_000)).is_approval_needed
