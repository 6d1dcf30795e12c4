"""From a plan to live prices and back; what may not happen on the way."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ecom_assets.pricing import store
from ecom_assets.pricing.store import PlanRefused
from ecom_assets.pricing.tables import PRICE_PLANS, PRICES
from fixtures.priced_shop import NOON, PricedShop, day


def test_a_plan_moves_nothing_until_it_is_applied_and_verified(shop: PricedShop) -> None:
    shop.rule("plus", "cost_plus", markup_bps=5_000)
    plan = shop.plan(day(1))
    assert shop.state(plan) == "ready"
    assert shop.price("A", day(1)) == 1_000
    assert store.apply(shop.conn, plan, "run").begun == 6
    assert store.verify(shop.conn, plan).state == "verified"
    assert (shop.price("A", day(1)), shop.price("A", day(0.9))) == (900, 1_000)


def test_every_line_says_old_new_rule_limit_and_reason(shop: PricedShop) -> None:
    shop.rule("follow", "follow_competitor", position="lowest")
    shop.rule("plus", "cost_plus", markup_bps=5_000)
    store.limit(shop.conn, shop.list_id(), sku="B", minimum_minor=950)
    store.limit(shop.conn, shop.list_id(), sku="C", map_minor=1)
    shop.take_offers(A=800)
    lines = shop.lines(shop.plan(day(1)))
    wanted = {
        "A": ("change", 1_000, 800, "follow@1", [], []),
        "B": ("change", 1_000, 950, "plus@1", ["minimum"], ["no_fresh_offer"]),
        "C": ("hold", 1_000, 1_000, "", [], ["minimum_blank"]),
    }
    names = ("outcome", "old_minor", "new_minor", "rule", "bound", "reasons")
    assert {sku: tuple(lines[sku][name] for name in names) for sku in wanted} == wanted


def test_a_plan_made_on_other_prices_is_stale_and_changes_nothing(shop: PricedShop) -> None:
    shop.rule("plus", "cost_plus", markup_bps=5_000)
    plan = shop.plan(day(1))
    shop.take_prices(day(0.5), A=1_100)
    done = store.apply(shop.conn, plan, "run")
    assert (done.state, done.moved_since) == ("stale", ("A",))
    assert shop.prices(day(2)) == {"A": 1_100, **dict.fromkeys("BCDEF", 1_000)}
    with pytest.raises(PlanRefused, match="is stale, not ready"):
        store.apply(shop.conn, plan, "run")


def test_nobody_approves_what_they_asked_for(shop: PricedShop) -> None:
    shop.rule("plus", "cost_plus", markup_bps=12_000)
    plan = shop.plan(day(1), by="ann")
    assert shop.state(plan) == "awaiting"
    with pytest.raises(PlanRefused, match="not ready"):
        store.apply(shop.conn, plan, "run")
    with pytest.raises(PlanRefused, match="another person must decide"):
        store.decide(shop.conn, plan, "ann", day(1), is_approved=True)
    store.decide(shop.conn, plan, "bob", day(1), is_approved=True)
    assert store.apply(shop.conn, plan, "run").state == "applied"
    assert shop.price("A", day(1)) == 1_320


def test_the_database_itself_wants_four_eyes(shop: PricedShop) -> None:
    shop.rule("plus", "cost_plus", markup_bps=12_000)
    plan = shop.plan(day(1))
    by_hand = sa.update(PRICE_PLANS).where(PRICE_PLANS.c.plan_id == plan)
    for values in ({"state": "ready"}, {"state": "ready", "approved_by": "ann"}):
        with pytest.raises(sa.exc.IntegrityError), shop.conn.begin_nested():
            shop.conn.execute(by_hand.values(values))


def test_a_refused_plan_stays_refused(shop: PricedShop) -> None:
    shop.rule("plus", "cost_plus", markup_bps=12_000)
    plan = shop.plan(day(1))
    store.decide(shop.conn, plan, "bob", day(1), is_approved=False, comment="too dear")
    assert shop.state(plan) == "refused"
    with pytest.raises(PlanRefused, match="is refused"):
        store.decide(shop.conn, plan, "bob", day(1), is_approved=True)


def test_a_rollback_brings_the_prices_before_back(shop: PricedShop) -> None:
    shop.add_products("G")
    before = shop.prices(day(1))
    shop.take_costs(day(1), G=100)
    store.limit(shop.conn, shop.list_id(), sku="G", minimum_minor=100)
    shop.rule("plus", "cost_plus", markup_bps=5_000)
    plan = shop.plan(day(1))
    store.apply(shop.conn, plan, "run")
    assert shop.price("G", day(1)) == 150
    undoing = store.roll_back(shop.conn, plan, "bob", day(2), "run")
    assert shop.prices(day(2)) == before
    assert (shop.state(plan), shop.state(undoing)) == ("undone", "applied")
    assert shop.price("A", day(1.5)) == 900, "what was asked then stays on record"
    with pytest.raises(PlanRefused, match="nothing to undo"):
        store.roll_back(shop.conn, plan, "bob", day(3), "run")


def test_a_rollback_leaves_alone_what_moved_on_since(shop: PricedShop) -> None:
    shop.rule("plus", "cost_plus", markup_bps=5_000)
    plan = shop.plan(day(1))
    store.apply(shop.conn, plan, "run")
    shop.take_prices(day(2), A=1_050)
    undoing = store.roll_back(shop.conn, plan, "bob", day(3), "run")
    line = shop.lines(undoing)["A"]
    assert (line["outcome"], line["reasons"]) == ("hold", ["moved_since"])
    assert shop.prices(day(3)) == {"A": 1_050, **dict.fromkeys("BCDEF", 1_000)}


def test_the_database_refuses_two_prices_at_once(shop: PricedShop) -> None:
    (row,) = shop.conn.execute(sa.select(PRICES).where(PRICES.c.sku == "A")).mappings()
    values = {name: value for name, value in row.items() if name not in ("price_id", "recorded_at")}
    for begin, end in ((day(1), day(2)), (day(-5), day(0.1)), (NOON, None)):
        with pytest.raises(sa.exc.IntegrityError, match="prices_never_overlap"), \
                shop.conn.begin_nested():  # fmt: skip
            shop.conn.execute(
                sa.insert(PRICES).values({**values, "valid_from_at": begin, "valid_to_at": end})
            )


def test_a_price_set_for_later_stays(shop: PricedShop) -> None:
    shop.take_prices(day(10), A=1_200)
    shop.rule("plus", "cost_plus", markup_bps=5_000)
    store.apply(shop.conn, shop.plan(day(1)), "run")
    assert [shop.price("A", day(n)) for n in (0.5, 1, 9.9, 10)] == [1_000, 900, 900, 1_200]


def test_a_markdown_is_shown_beside_the_lowest_price_of_thirty_days(shop: PricedShop) -> None:
    shop.take_prices(day(1), A=950)
    shop.take_prices(day(2), A=1_000)
    store.promote(shop.conn, name="may", discount_bps=2_000, is_combinable=False,
                  starts_at=day(3), ends_at=day(9))  # fmt: skip
    shop.rule("sale", "promotion")
    lines = shop.lines(shop.plan(day(3)))
    assert (lines["A"]["new_minor"], lines["A"]["reference_minor"]) == (800, 950)
    assert store.prior_price(shop.conn, shop.list_id(), "A", day(3)) == 950
    assert store.prior_price(shop.conn, shop.list_id(), "A", day(40)) == 1_000


def test_prices_that_go_to_and_fro_stop_the_rules(shop: PricedShop) -> None:
    for step in range(4):
        shop.rule(
            "plus" if step % 2 else "other",
            "cost_plus",
            day(step),
            markup_bps=5_000 + step % 2 * 500,
        )
        store.end_rule(shop.conn, "other" if step % 2 else "plus", day(step)) if step else None
        store.apply(shop.conn, shop.plan(day(step + 0.1)), "run")
    line = shop.lines(shop.plan(day(4)))["A"]
    assert (line["outcome"], line["reasons"]) == ("hold", ["rules_undo_each_other"])


def test_a_quantity_may_not_be_dearer_than_a_single_unit(shop: PricedShop) -> None:
    shop.take_prices(day(0.5), units=10, A=950)
    shop.rule("plus", "cost_plus", markup_bps=5_000)
    plan = shop.plan(day(1))
    assert shop.state(plan) == "blocked"
    found = {
        item["finding"]: item["lines"]
        for item in (store.plan_of(shop.conn, plan) or {})["findings"]
    }
    assert found["quantity_dearer"] == 1


def test_bad_prices_of_a_file_are_held_and_the_others_taken(shop: PricedShop) -> None:
    store.limit(shop.conn, shop.list_id(), sku="D", minimum_minor=900)
    taken = shop.take_prices(day(1), A=599, B=100_000, C=1_010, D=899, E=1_000, Z=5)
    lines = shop.lines(taken.plans[0][0])
    assert {sku: (line["outcome"], line["reasons"]) for sku, line in lines.items()} == {
        "A": ("hold", ["below_cost"]), "B": ("hold", ["far_from_price_in_force"]),
        "C": ("change", []), "D": ("hold", ["below_minimum"]), "E": ("keep", []), "Z": ("new", []),
    }  # fmt: skip
    account = taken.account
    assert (account.accepted, account.unchanged, account.flagged) == (2, 1, 3)
    assert shop.prices(day(1))["B"] == 1_000


def test_a_file_in_another_unit_is_blocked_as_a_whole(shop: PricedShop) -> None:
    taken = shop.take_prices(day(1), **dict.fromkeys("ABCDEF", 100_000))
    assert taken.plans[0][1] == "blocked"
    taken = shop.take_prices(day(2), **dict.fromkeys("ABCDEF", 1_900))
    assert taken.plans[0][1] == "blocked"
    assert set(shop.prices(day(3)).values()) == {1_000}
