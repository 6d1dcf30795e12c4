"""The choice at its edges: currencies, promises, reasons, several sites, workers, crashes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.shared.flow import Stage, claim, drain, waiting
from ecom_assets.shared.journal import LEDGER, TIMELINE
from ecom_assets.shared.states import ORDER_STATES
from ecom_assets.transport.model import LARGEST_WEIGHT_G, Rate, RateCard, Service, Zone
from ecom_assets.transport.policy import POLICY, Policy
from ecom_assets.transport.rules import REASONS
from ecom_assets.transport.store import choose_carriers, ship_parcels
from ecom_assets.transport.tables import CARRIER_CHOICES, SHIPMENTS
from fixtures.allocated_shop import NOON, Shop, small_card
from resources.database import DatabaseResource

START = NOON - timedelta(days=400)
WORLD = Zone("world", 0, float("inf"))


def one_zone(*offers: tuple[str, int, str], quality: float = 1.0) -> RateCard:
    """A card of services `(code, price, currency)` that take two days anywhere."""
    return RateCard(
        tuple(Service(code, 30_000, 0, quality) for code, _, _ in offers),
        (WORLD,),
        tuple(
            Rate(code, "world", 0, 30_000, price, currency, 2.0, 0.5, START)
            for code, price, currency in offers
        ),
    )


def choose(shop: Shop, *orders: int, policy: Policy = POLICY) -> Mapping[str, int]:
    shop.wait_for(Stage.CARRIER, *orders)
    claim(shop.conn, Stage.CARRIER)
    return choose_carriers(shop.conn, "run-1", policy)


def offer(shop: Shop, card: RateCard, **values: Any) -> dict[str, str]:
    """The reasons by service for an order of one unlisted product."""
    shop.take(card)
    shop.add_sites("A")
    order = shop.add_order(**values)
    shop.allocate(order, "ball")
    choose(shop, order)
    x = CARRIER_CHOICES.c
    return dict(shop.conn.execute(sa.select(x.service_code, x.reason)).tuples().all())


@pytest.mark.parametrize(
    ("currency", "words"),
    [
        ("EUR", "12.34 EUR dearer than chosen"),
        ("JPY", "1234 JPY dearer than chosen"),
        ("KWD", "1.234 KWD dearer than chosen"),
    ],
)
def test_a_difference_has_the_places_of_its_currency(shop: Shop, currency: str, words: str) -> None:
    card = one_zone(("a", 100, currency), ("b", 1_334, currency))
    assert offer(shop, card, currency=currency)["b"] == words


def test_rates_in_foreign_currencies_are_compared_in_the_first_by_code(shop: Shop) -> None:
    card = one_zone(("a", 1, "USD"), ("b", 900, "CHF"), ("c", 700, "CHF"))
    assert offer(shop, card) == {
        "a": "rate in USD, parcel compared in CHF",
        "b": "2.00 CHF dearer than chosen",
        "c": "cheapest",
    }


def test_one_rate_in_the_orders_currency_is_enough(shop: Shop) -> None:
    card = one_zone(("a", 1, "CHF"), ("b", 90_000, "EUR"))
    assert offer(shop, card)["b"] == "only service that can carry it"


def test_a_currency_no_fitting_service_has_does_not_count(shop: Shop) -> None:
    # `big` is in the order's currency and too weak; comparing in EUR would leave none.
    card = one_zone(("big", 1, "EUR"), ("usd", 5, "USD"))
    weak = tuple(replace(s, max_weight_g=100) if s.service_code == "big" else s
                 for s in card.services)  # fmt: skip
    assert offer(shop, replace(card, services=weak)) == {
        "big": "over max weight 0.1 kg",
        "usd": "only service that can carry it",
    }


@pytest.mark.parametrize(
    ("promised_at", "words"),
    [
        (None, "cheapest"),
        (NOON + timedelta(days=2), "cheapest, 50 % on time"),
        (NOON + timedelta(days=30), "cheapest, 100 % on time"),
        (NOON - timedelta(days=30), "cheapest, 0 % on time"),
        (datetime.max.replace(tzinfo=NOON.tzinfo), "cheapest, 100 % on time"),
    ],
)
def test_the_chance_to_keep_the_promise(
    shop: Shop, promised_at: datetime | None, words: str
) -> None:
    card = one_zone(("a", 100, "EUR"), ("b", 200, "EUR"))
    assert offer(shop, card, promised_at=promised_at)["a"] == words


def test_quality_counts_by_the_value_of_the_goods(shop: Shop) -> None:
    card = one_zone(("a", 100, "EUR"), ("b", 200, "EUR"))
    careful = (replace(card.services[0], quality=0.0), card.services[1])
    assert offer(shop, replace(card, services=careful))["b"] == (
        "best balance of cost, punctuality and damage"
    )


def test_a_policy_that_does_not_care_takes_the_cheapest(shop: Shop) -> None:
    shop.take(small_card())
    shop.add_sites("A")
    order = shop.add_order(promised_at=NOON + timedelta(days=1))
    shop.allocate(order, "ball")
    choose(shop, order, policy=Policy("careless-1", late_cost_minor=0, damage_share=0))
    row = shop.conn.execute(sa.select(LEDGER.c.outcome, LEDGER.c.version)).one()
    assert row == ("slow", "careless-1")


def test_every_reason_the_rules_document_is_given_somewhere(shop: Shop) -> None:
    shop.take(small_card())
    shop.add_sites("A")
    shop.add_product("known", weight_g=100, shipping_weight_g=100)
    shop.add_product("heavy", weight_g=31_000, shipping_weight_g=31_000)
    shop.add_product("anvil", weight_g=90_000, shipping_weight_g=90_000)
    late = NOON + timedelta(days=99)
    given = {
        ("known", late, 5.0): {"cheapest", "keeps_promise"},
        ("known", NOON, 5.0): {"cheapest"},
        ("other", None, None): {
            "cheapest", "without_promise", "distance_unknown", "weight_estimated",
        },
        ("heavy", None, 5.0): {"no_eligible_carrier", "without_promise"},
        ("anvil", late, 5.0): {"no_eligible_carrier"},
    }  # fmt: skip
    expected = {}
    for (sku, promised_at, distance_km), reasons in given.items():
        order = shop.add_order(promised_at=promised_at)
        shop.allocate(order, sku, distance_km=distance_km)
        expected[order] = reasons
    choose(shop, *expected)
    found = shop.conn.execute(sa.select(LEDGER.c.order_id, LEDGER.c.reasons)).tuples()
    assert {order: set(reasons) for order, reasons in found} == expected
    assert set().union(*expected.values()) | {"only_eligible"} == set(REASONS)


def test_the_only_service_says_so_in_the_ledger(shop: Shop) -> None:
    offer(shop, one_zone(("a", 100, "EUR")))
    reasons = shop.conn.execute(sa.select(LEDGER.c.reasons)).scalar_one()
    assert reasons == ["only_eligible", "cheapest", "without_promise", "weight_estimated"]


def test_the_inputs_in_the_ledger_are_those_of_the_parcel(shop: Shop) -> None:
    shop.take(small_card())
    shop.add_sites("Склад №1")
    sides = {"length_mm": 100, "width_mm": 200, "height_mm": 300}
    shop.add_product("box", weight_g=1, shipping_weight_g=400, **sides)
    order = shop.add_order()
    later = NOON + timedelta(hours=5)
    for quantity, at in ((2, NOON), (1, later)):
        shop.allocate(order, "box", quantity=quantity, price=333, site_code="Склад №1",
                      available_at=at, distance_km=12.5)  # fmt: skip
    choose(shop, order)
    row = shop.conn.execute(sa.select(LEDGER.c.subject, LEDGER.c.inputs)).one()
    assert row.subject == "Склад №1"
    assert row.inputs == {
        "units": 3, "weight_g": 1_200, "volume_mm3": 18_000_000, "goods_minor": 999,
        "currency": "EUR", "distance_km": 12.5, "zone": "near", "promised_at": None,
        "ready_at": later.isoformat(), "candidates": 2, "eligible": 2,
    }  # fmt: skip


def test_a_side_that_is_unknown_leaves_the_volume_out(shop: Shop) -> None:
    shop.take(small_card())
    shop.add_sites("A")
    shop.add_product("rod", shipping_weight_g=100, length_mm=9_000, width_mm=900)
    order = shop.add_order()
    shop.allocate(order, "rod")
    choose(shop, order)
    assert set(shop.conn.scalars(sa.select(CARRIER_CHOICES.c.billable_weight_g))) == {100}


def test_a_weight_beyond_all_bounds_is_held_not_an_error(shop: Shop) -> None:
    shop.take(small_card())
    shop.add_sites("A")
    vast = {"length_mm": 2**31 - 1, "width_mm": 2**31 - 1, "height_mm": 2**31 - 1}
    shop.add_product("moon", shipping_weight_g=2**31 - 1, **vast)
    order = shop.add_order()
    shop.allocate(order, "moon", quantity=1_000)
    assert choose(shop, order)["without_carrier"] == 1
    weights = set(shop.conn.scalars(sa.select(CARRIER_CHOICES.c.billable_weight_g)))
    assert weights == {LARGEST_WEIGHT_G}


def test_parcels_of_one_order_are_chosen_apart(shop: Shop) -> None:
    shop.take(small_card())
    shop.add_sites("A", "B")
    order = shop.add_order(promised_at=NOON + timedelta(days=6))
    shop.allocate(order, "ball")
    shop.allocate(order, "ball", site_code="B", available_at=NOON + timedelta(days=4))
    choose(shop, order)
    x = CARRIER_CHOICES.c
    chosen = shop.conn.execute(sa.select(x.site_code, x.service_code).where(x.is_chosen)).tuples()
    assert dict(chosen.all()) == {"A": "slow", "B": "fast"}


def test_an_order_without_any_allocation_is_held(shop: Shop) -> None:
    shop.take(small_card())
    order = shop.add_order()
    assert choose(shop, order) == {"parcels": 0, "candidates": 0, "without_carrier": 1}
    detail = shop.conn.execute(sa.select(TIMELINE.c.detail)).scalar_one()
    assert (detail["reason"], detail["sites"]) == ("no_carrier", [])


def test_nothing_claimed_changes_nothing(shop: Shop) -> None:
    assert choose(shop) == {"parcels": 0, "candidates": 0, "without_carrier": 0}
    assert waiting(shop.conn) == {}


class PowerCut(Exception):
    """Stands for a killed run."""


def fill(database: DatabaseResource, count: int) -> list[int]:
    with database.begin() as conn:
        shop = Shop(conn)
        shop.take(small_card())
        shop.add_sites("A", "B")
        orders = [shop.add_order(at=NOON + timedelta(hours=n % 7)) for n in range(count)]
        for order in orders:
            shop.allocate(order, "ball", quantity=1 + order % 3, site_code="AB"[order % 2])
        shop.wait_for(Stage.CARRIER, *orders)
    return orders


STEPS = {Stage.CARRIER: choose_carriers, Stage.SHIP: ship_parcels}


@pytest.mark.parametrize("stage", [Stage.CARRIER, Stage.SHIP])
def test_a_run_that_dies_before_its_commit_leaves_nothing(
    database: DatabaseResource, stage: Stage
) -> None:
    orders = fill(database, 3)
    if stage is Stage.SHIP:
        drain(database.begin, Stage.CARRIER, partial(choose_carriers, run="before"))

    def die(conn: sa.Connection) -> Mapping[str, int]:
        STEPS[stage](conn, "killed")
        raise PowerCut

    with pytest.raises(PowerCut):
        drain(database.begin, stage, die)
    with database.begin() as conn:
        assert waiting(conn) == {stage.value: 3}
        assert "killed" not in set(conn.scalars(sa.select(TIMELINE.c.run_id)))
        assert "killed" not in set(conn.scalars(sa.select(LEDGER.c.run_id)))
        assert set(conn.scalars(sa.select(ORDER_STATES.c.fulfilment_state))) == {"allocated"}
    totals = drain(database.begin, stage, partial(STEPS[stage], run="again"))
    assert (totals["orders"], totals["parcels"]) == (len(orders), len(orders))


def test_workers_at_once_ship_every_parcel_once(database: DatabaseResource) -> None:
    orders = fill(database, 40)

    def work(_: int) -> int:
        return sum(
            drain(database.begin, stage, partial(step, run="run-1"), chunk=3)["orders"]
            for stage, step in STEPS.items()
        )

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    work(0)
    with database.begin() as conn:
        shipped = conn.scalars(sa.select(SHIPMENTS.c.order_id).order_by(SHIPMENTS.c.order_id))
        assert list(shipped) == orders
        chosen = sa.select(sa.func.count()).where(CARRIER_CHOICES.c.is_chosen)
        assert conn.execute(chosen).scalar_one() == len(orders)
