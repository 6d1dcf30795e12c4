"""Settings of rules, cells of files, loops: what may not come in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.pricing import store
from ecom_assets.pricing.cells import (
    Refusal,
    amount_of,
    currency_of,
    moment_of,
    quantity_of,
    sku_of,
)
from ecom_assets.pricing.model import InvalidRule
from ecom_assets.pricing.validation import check_settings, flips, loop_of
from fixtures.priced_shop import PricedShop, day


@pytest.mark.parametrize(
    ("kind", "settings", "problem"),
    [
        ("magic", {}, "kind must be one of"),
        ("cost_plus", {}, "needs markup_bps"),
        ("cost_plus", {"markup_bps": -1}, "whole number from 0"),
        ("cost_plus", {"markup_bps": True}, "whole number"),
        ("cost_plus", {"markup_bps": 1, "colour": 2}, "knows no colour"),
        ("follow_competitor", {"position": "first"}, "lowest, second, mean"),
        ("cover_markdown", {"tiers": []}, "list of"),
        ("cover_markdown", {"tiers": [[1]]}, "list of"),
        ("ageing_markdown", {"tiers": [[30, 10_000]]}, "discount of tiers"),
    ],
)
def test_settings_that_make_no_sense_are_named(
    kind: str, settings: dict[str, object], problem: str
) -> None:
    with pytest.raises(InvalidRule, match=problem):
        check_settings(kind, settings)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("538", 53_800), (" 1,234.50 ", 123_450), ("12,34,567", 123_456_700), ("Nill", None),
     ("", None), ("2295.0", 229_500), ("0.01", 1)],
)  # fmt: skip
def test_amounts_as_people_write_them(text: str, amount: int | None) -> None:
    assert amount_of(text, "INR") == amount


@pytest.mark.parametrize(
    ("text", "currency", "reason"),
    [("#REF!", "INR", "price_is_an_error"), ("12 EUR", "EUR", "price_not_a_number"),
     ("-5", "EUR", "price_not_a_number"), ("0", "EUR", "price_not_positive"),
     ("1.005", "EUR", "price_too_precise"), ("10.5", "JPY", "price_too_precise"),
     ("9" * 30, "EUR", "price_too_large"), ("1e3", "EUR", "price_not_a_number"),
     ("٣", "EUR", "price_not_a_number")],
)  # fmt: skip
def test_amounts_that_are_none(text: str, currency: str, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        amount_of(text, currency)
    assert refused.value.reason == reason


@given(st.integers(1, 10**11), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_an_amount_survives_being_written(minor: int, currency: str) -> None:
    from ecom_assets.shared.money import to_text

    assert amount_of(to_text(minor, currency).split()[0], currency) == minor


def test_other_cells() -> None:
    assert (sku_of(" 00123 "), quantity_of(""), quantity_of("10.0")) == ("00123", 1, 10)
    assert currency_of(" inr ") == "INR"
    assert moment_of("2026-05-01") == datetime(2026, 5, 1, tzinfo=UTC)
    for cell, text, reason in ((sku_of, "#REF!", "sku_is_an_error"), (sku_of, " ", "sku_missing"),
                               (currency_of, "RS", "currency_unknown"),
                               (quantity_of, "0", "quantity_not_a_number"),
                               (moment_of, "May", "date_unreadable")):  # fmt: skip
        with pytest.raises(Refusal) as refused:
            cell(text)
        assert refused.value.reason == reason


def test_lists_that_follow_each_other_are_refused(shop: PricedShop) -> None:
    web, shelf, third = (shop.list_id(name) for name in ("web", "shelf", "third"))
    pairs = ((shelf, web), (third, shelf), (web, third))
    for place, (follower, followed) in enumerate(pairs):
        settings = {"price_list_id": followed, "offset_bps": -100}
        add = (shop.conn, f"r{place}", "follow_list", settings, day(0), "ann")
        if place < 2:
            store.add_rule(*add, price_list_id=follower)
            continue
        with pytest.raises(InvalidRule, match=r"follow each other: .* -> "):
            store.add_rule(*add, price_list_id=follower)


def test_a_list_follows_another_by_a_margin(shop: PricedShop) -> None:
    shop.take_prices(channel="shelf", A=1_100)
    store.limit(shop.conn, shop.list_id("shelf"), margin_bps=500)
    settings = {"price_list_id": shop.list_id(), "offset_bps": 500}
    store.add_rule(shop.conn, "dearer", "follow_list", settings, day(0), "ann",
                   price_list_id=shop.list_id("shelf"))  # fmt: skip
    assert shop.lines(shop.plan(day(1), "shelf"))["A"]["new_minor"] == 1_050


def test_a_rule_changes_by_a_new_version(shop: PricedShop) -> None:
    shop.rule("plus", "cost_plus", day(0), markup_bps=1)
    shop.rule("plus", "cost_plus", day(2), markup_bps=2)
    found = [store.rules_at(shop.conn, shop.list_id(), day(n)) for n in (-1, 1, 2)]
    assert [[rule.label for rule in rules] for rules in found] == [[], ["plus@1"], ["plus@2"]]
    with pytest.raises(InvalidRule, match="begins later"):
        shop.rule("plus", "cost_plus", day(1), markup_bps=3)
    with pytest.raises(InvalidRule, match="no rule"):
        store.end_rule(shop.conn, "gone", day(3))


def test_loops_and_turns() -> None:
    follows = {1: frozenset({2}), 2: frozenset({3}), 3: frozenset({2})}
    assert loop_of(follows, 1) == ()
    assert loop_of(follows, 2) == (2, 3, 2)
    assert flips([(10, "a"), (9, "b"), (10, "a"), (9, "b")]) == 2
    assert flips([(10, "a"), (9, "a"), (10, "a")]) == 0
    assert flips([(10, "a"), (9, "b"), (8, "a")]) == 0
