"""The choice in SQL: equal to the rule, recorded with its reasons, held where nothing fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.shared.flow import Stage, claim, waiting
from ecom_assets.shared.holds import HOLDS, release
from ecom_assets.shared.journal import LEDGER, TIMELINE
from ecom_assets.shared.states import ORDER_STATES
from ecom_assets.transport.model import Candidate, Parcel, Rate, RateCard, Service, Zone
from ecom_assets.transport.policy import POLICY
from ecom_assets.transport.rules import REASONS, choose, keep_first_bands
from ecom_assets.transport.store import choose_carriers
from ecom_assets.transport.store.choices import CANDIDATES, weights
from ecom_assets.transport.store.lanes import lay_out_card
from ecom_assets.transport.tables import CARRIER_CHOICES
from ecom_assets.transport.tables import SERVICES as SERVICES_TABLE
from fixtures.allocated_shop import NOON, Shop


def choose_all(shop: Shop, *orders: int) -> Mapping[str, int]:
    shop.wait_for(Stage.CARRIER, *orders)
    claim(shop.conn, Stage.CARRIER)
    return choose_carriers(shop.conn, "run-1")


def rows(conn: sa.Connection, table: sa.Table) -> list[dict[str, Any]]:
    return [dict(row) for row in conn.execute(sa.select(table)).mappings()]


def test_every_service_is_kept_with_its_reason(shop: Shop, card: RateCard) -> None:
    shop.take(card)
    shop.add_sites("A")
    shop.add_product("ball", weight_g=700, shipping_weight_g=700)
    order = shop.add_order(promised_at=NOON + timedelta(days=2))
    shop.allocate(order, "ball", quantity=3)
    assert choose_all(shop, order) == {"parcels": 1, "candidates": 2, "without_carrier": 0}
    found = {row["service_code"]: row for row in rows(shop.conn, CARRIER_CHOICES)}
    assert found["fast"]["reason"] == "cheapest that keeps the promise, 98 % on time"
    assert found["slow"]["reason"] == "7.00 EUR cheaper than chosen, 0 % on time"
    assert [found["fast"]["is_chosen"], found["slow"]["is_chosen"]] == [True, False]
    assert found["fast"]["billable_weight_g"] == 2_100
    assert found["fast"]["eta_at"] == NOON + timedelta(days=1)
    assert waiting(shop.conn) == {"ship": 1}


def test_the_decision_is_in_the_ledger(shop: Shop, card: RateCard) -> None:
    shop.take(card)
    shop.add_sites("A", "B")
    shop.add_product("ball", weight_g=None, shipping_weight_g=700)
    order = shop.add_order()
    shop.allocate(order, "ball")
    shop.allocate(order, "ball", site_code="B", distance_km=None)
    choose_all(shop, order)
    first, second = sorted(rows(shop.conn, LEDGER), key=lambda row: str(row["subject"]))
    assert (first["kind"], first["subject"], first["outcome"]) == ("carrier_choice", "A", "slow")
    assert first["inputs"]["weight_g"] == 700
    assert first["inputs"]["candidates"] == first["inputs"]["eligible"] == 2
    assert first["reasons"] == ["cheapest", "without_promise", "weight_estimated"]
    assert second["reasons"][2:] == ["distance_unknown", "weight_estimated"]
    assert set(first["reasons"] + second["reasons"]) <= set(REASONS)


def test_an_order_no_service_can_carry_is_held(shop: Shop, card: RateCard) -> None:
    shop.take(card)
    shop.add_sites("A", "B")
    shop.add_product("anvil", weight_g=90_000, shipping_weight_g=90_000)
    heavy, light = shop.add_order(), shop.add_order()
    shop.allocate(heavy, "anvil")
    shop.allocate(heavy, "unlisted", site_code="B")
    shop.allocate(light, "unlisted")
    assert choose_all(shop, heavy, light)["without_carrier"] == 1
    state = {row["order_id"]: row for row in rows(shop.conn, ORDER_STATES)}
    assert (state[heavy]["hold_state"], state[heavy]["fulfilment_state"]) == ("held", "allocated")
    assert state[light]["hold_state"] == "none"
    (event,) = rows(shop.conn, TIMELINE)
    assert (event["order_id"], event["event"]) == (heavy, "no_carrier")
    assert (event["detail"]["reason"], event["detail"]["sites"]) == ("no_carrier", ["A"])
    assert waiting(shop.conn) == {"ship": 1}
    (hold,) = rows(shop.conn, HOLDS)
    assert (hold["order_id"], hold["reason"], hold["released_at"]) == (heavy, "no_carrier", None)
    outcomes = {(row["order_id"], row["subject"]): row["outcome"]
                for row in rows(shop.conn, LEDGER)}  # fmt: skip
    assert outcomes == {(heavy, "A"): "none", (heavy, "B"): "slow", (light, "A"): "slow"}


def test_without_a_rate_card_orders_are_held_not_lost(shop: Shop) -> None:
    shop.add_sites("A")
    order = shop.add_order()
    shop.allocate(order, "ball")
    assert choose_all(shop, order) == {"parcels": 1, "candidates": 0, "without_carrier": 1}


def test_a_released_order_is_judged_anew(shop: Shop, card: RateCard) -> None:
    shop.add_sites("A")
    order = shop.add_order()
    shop.allocate(order, "ball")
    for _ in range(2):
        assert choose_all(shop, order)["without_carrier"] == 1
        assert waiting(shop.conn) == {}
        assert release(shop.conn, sa.select(sa.literal(order)), "ann", NOON) == 1
        assert waiting(shop.conn) == {"carrier": 1}
    shop.take(card)
    assert choose_all(shop, order) == {"parcels": 1, "candidates": 2, "without_carrier": 0}
    attempts = [(row["attempt"], row["outcome"]) for row in rows(shop.conn, LEDGER)]
    assert sorted(attempts) == [(1, "none"), (2, "none"), (3, "slow")]
    events = [row["event"] for row in rows(shop.conn, TIMELINE)]
    assert sorted(events) == ["no_carrier"] * 2 + ["order_released"] * 2


def test_equal_scores_go_to_the_code_that_sorts_first(shop: Shop, card: RateCard) -> None:
    # By code points, upper case first, whatever the language of the database.
    twins = tuple(replace(card.services[0], service_code=code) for code in ("a-day", "B-day"))
    rates = tuple(replace(card.rates[0], service_code=service.service_code) for service in twins)
    shop.take(RateCard(twins, card.zones, rates))
    shop.add_sites("A")
    order = shop.add_order()
    shop.allocate(order, "ball")
    choose_all(shop, order)
    found = {row["service_code"]: row["reason"] for row in rows(shop.conn, CARRIER_CHOICES)}
    assert found == {"B-day": "cheapest", "a-day": "same price as chosen"}


SERVICE_CODES = ("B-day", "a-day", "c-day")
MOMENTS = st.sampled_from([datetime(2018, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4)])
ARCHIVED = st.none() | st.none() | MOMENTS
SERVICES = st.tuples(
    *(
        st.builds(
            Service, st.just(code), st.sampled_from([5_000, 20_000, 40_000]),
            st.sampled_from([0, 4_000, 5_000]), st.sampled_from([0.9, 0.99, 1.0]), ARCHIVED,
        )
        for code in SERVICE_CODES
    )
).flatmap(lambda three: st.sampled_from([three, three, three[1:]]))  # fmt: skip
ZONES = (
    st.tuples(ARCHIVED, ARCHIVED)
    .flatmap(lambda at: st.permutations([
        Zone("n", 0, 50), Zone("Mid", 50, 300, at[0]), Zone("overlap", 40, 60),
        Zone("far", 400, 1_000, at[1]),
    ]))
    .flatmap(lambda zones: st.integers(0, 9).map(lambda most: tuple(zones[:most])))
)  # fmt: skip
RATES = st.lists(
    st.builds(
        Rate, st.sampled_from(SERVICE_CODES), st.sampled_from(["n", "Mid", "overlap", "far"]),
        st.sampled_from([0, 0, 15_000]), st.sampled_from([15_000, 50_000]),
        st.sampled_from([0, 500, 700, 1_250]), st.sampled_from(["EUR", "EUR", "EUR", "JPY"]),
        st.integers(0, 40).map(lambda n: n / 4), st.sampled_from([0.0, 0.5, 2.0]),
        MOMENTS, st.sampled_from([None, datetime(2018, 4, 15, tzinfo=UTC)]),
    ).filter(lambda rate: rate.from_g < rate.to_g),
    min_size=10, max_size=40,
)  # fmt: skip
PARCELS = st.builds(
    Parcel,
    weight_g=st.integers(1, 45_000),
    volume_mm3=st.integers(0, 40).map(lambda litres: litres * 1_000_000),
    goods_minor=st.integers(0, 50_000),
    currency=st.sampled_from(["EUR", "GBP"]),
    distance_km=st.none() | st.floats(0, 1_200) | st.sampled_from([0.0, 40, 50, 60, 300, 400]),
    ready_at=MOMENTS,
    promised_at=st.none(),
).flatmap(
    lambda parcel: st.sampled_from([None, -1, 0.5, 2, 3, 5, 8, 12]).map(
        lambda days: replace(
            parcel,
            promised_at=None if days is None else parcel.ready_at + timedelta(days=days),
        )
    )
)


def put(shop: Shop, parcel: Parcel) -> int:
    """An order whose one parcel is the given one."""
    order = shop.add_order(promised_at=parcel.promised_at, currency=parcel.currency)
    sku = f"sku-{order}"
    sides = {"length_mm": 1_000, "width_mm": 1_000, "height_mm": parcel.volume_mm3 // 1_000_000}
    shop.add_product(sku, shipping_weight_g=parcel.weight_g, **(sides if parcel.volume_mm3 else {}))
    shop.allocate(
        order, sku, price=parcel.goods_minor, distance_km=parcel.distance_km,
        available_at=parcel.ready_at,
    )  # fmt: skip
    return order


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    services=SERVICES, zones=ZONES, rates=RATES, parcels=st.lists(PARCELS, min_size=1, max_size=6)
)
def test_sql_chooses_what_the_rule_chooses(
    shop: Shop, services: tuple[Service, ...], zones: tuple[Zone, ...], rates: list[Rate],
    parcels: list[Parcel],
) -> None:  # fmt: skip
    known = {s.service_code for s in services}, {z.zone_code for z in zones}
    usable = [r for r in rates if r.service_code in known[0] and r.zone_code in known[1]]
    card = RateCard(services, zones, tuple(keep_first_bands(usable)))
    with shop.conn.begin_nested() as savepoint:
        shop.take(card)
        shop.add_sites("A")
        orders = {put(shop, parcel): parcel for parcel in parcels}
        choose_all(shop, *orders)
        found = rows(shop.conn, CARRIER_CHOICES)
        lay_out_card(shop.conn, len(orders), as_then=True)
        then = shop.conn.execute(CANDIDATES, weights(shop.conn, POLICY)).mappings().all()
        savepoint.rollback()
    for order, parcel in orders.items():
        for chosen, as_then in ((found, False), (then, True)):
            mine = {row["service_code"]: row for row in chosen if row["order_id"] == order}
            _compare(mine, choose(parcel, card, as_then=as_then))


def _compare(mine: Mapping[str, Mapping[Any, Any]], expected: list[Candidate]) -> None:
    assert set(mine) == {candidate.service_code for candidate in expected}
    for candidate in expected:
        row = mine[candidate.service_code]
        for name in type(candidate).__slots__:
            value = getattr(candidate, name)
            same = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert row[name] == same, (name, row, candidate)


def test_what_is_archived_is_chosen_no_more(shop: Shop, card: RateCard) -> None:
    shop.take(card)
    shop.add_sites("A")
    before, after = shop.add_order(), shop.add_order()
    shop.allocate(before, "ball")
    shop.allocate(after, "ball")
    choose_all(shop, before)
    kept = shop.conn.scalars(sa.select(CARRIER_CHOICES.c.service_code)).all()
    later = NOON + timedelta(days=9)
    shop.conn.execute(sa.update(SERVICES_TABLE).values(archived_at=later).where(
        SERVICES_TABLE.c.service_code == "slow"))  # fmt: skip
    choose_all(shop, after)
    shown = sa.select(CARRIER_CHOICES.c.service_code, CARRIER_CHOICES.c.order_id)
    found = shop.conn.execute(shown).tuples().all()
    assert sorted(kept) == sorted(code for code, order in found if order == before)
    assert [code for code, order in found if order == after] == ["fast"]
    shop.conn.execute(sa.text("UPDATE transport.carriers SET archived_at = now()"))
    third = shop.add_order()
    shop.allocate(third, "ball")
    assert choose_all(shop, third) == {"parcels": 1, "candidates": 0, "without_carrier": 1}
