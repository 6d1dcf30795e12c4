"""The zone of a parcel: per service, among its own zones, the same in SQL and in the rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import inf, nextafter
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.shared.flow import Stage, claim
from ecom_assets.shared.journal import LEDGER
from ecom_assets.transport.model import Parcel, Rate, RateCard, Service, Zone
from ecom_assets.transport.rules import choose, zone_of, zones_of
from ecom_assets.transport.store import choose_carriers
from ecom_assets.transport.tables import CARRIER_CHOICES
from fixtures.allocated_shop import NOON, Shop

LONG_AGO, HOUR = NOON - timedelta(days=365), timedelta(hours=1)
UNKNOWN = "; distance unknown, farthest zone assumed"
UNCOVERED = "; no zone covers the distance, farthest assumed"

CITY = Zone("city", 0, 20)
RING = Zone("ring", 20, 100)
LAND = Zone("land", 0, 500)
WORLD = Zone("world", 0, inf)
ABROAD = Zone("abroad", 500, inf)


def services(*codes: str) -> tuple[Service, ...]:
    return tuple(Service(code, 30_000, 0, 1.0) for code in codes)


def rate(
    service: str, zone: Zone, price: int = 500, start: datetime = LONG_AGO,
    end: datetime | None = None, up_to_g: int = 30_000,
) -> Rate:  # fmt: skip
    return Rate(service, zone.zone_code, 0, up_to_g, price, "EUR", 2.0, 0.5, start, end)


TWO_SHOPS = RateCard(
    services("bike", "post"),
    (CITY, RING, LAND, ABROAD),
    (rate("bike", CITY, 300), rate("bike", RING, 700), rate("post", LAND), rate("post", ABROAD)),
)
"""A shop with `city` and `ring`, another with `land` and `abroad`, in the same tables."""


def by_rule(card: RateCard, distance_km: float | None) -> dict[str, tuple[Any, ...]]:
    parcel = Parcel(500, 0, 1_000, "EUR", distance_km, NOON, None)
    return {
        one.service_code: (one.zone_code, one.cost_minor, one.reason)
        for one in choose(parcel, card)
    }


def by_sql(shop: Shop, card: RateCard, distance_km: float | None) -> dict[str, tuple[Any, ...]]:
    shop.take(card)
    shop.add_sites("A")
    order = shop.add_order()
    shop.allocate(order, "ball", distance_km=distance_km)
    shop.wait_for(Stage.CARRIER, order)
    claim(shop.conn, Stage.CARRIER)
    choose_carriers(shop.conn, "run-1")
    names = ("service_code", "zone_code", "cost_minor", "reason")
    rows = shop.conn.execute(sa.select(*(CARRIER_CHOICES.c[name] for name in names)))
    return {service: (zone, cost, reason) for service, zone, cost, reason in rows.tuples()}


@pytest.mark.parametrize(
    ("distance_km", "bike", "post"),
    [
        (0.0, ("city", 300), ("land", 500)),
        (nextafter(20, 0), ("city", 300), ("land", 500)),
        (20.0, ("ring", 700), ("land", 500)),
        (nextafter(100, 0), ("ring", 700), ("land", 500)),
        (nextafter(500, 0), ("ring", 700), ("land", 500)),
        (500.0, ("ring", 700), ("abroad", 500)),
        (19_999.0, ("ring", 700), ("abroad", 500)),
        (None, ("ring", 700), ("abroad", 500)),
    ],
)
def test_each_service_keeps_to_its_own_zones(
    shop: Shop, distance_km: float | None, bike: tuple[str, int], post: tuple[str, int]
) -> None:
    found = by_sql(shop, TWO_SHOPS, distance_km)
    assert found == by_rule(TWO_SHOPS, distance_km)
    assert (found["bike"][:2], found["post"][:2]) == (bike, post)


@pytest.mark.parametrize(
    ("distance_km", "zone"),
    [(0.0, "near"), (nextafter(100, 0), "near"), (100.0, "remote"), (1e9, "remote")],
)
def test_the_lower_bound_is_in_the_zone_and_the_upper_is_not(
    shop: Shop, card: RateCard, distance_km: float, zone: str
) -> None:
    assert {found[0] for found in by_sql(shop, card, distance_km).values()} == {zone}


def test_notes_are_those_of_the_service(shop: Shop) -> None:
    found = by_sql(shop, TWO_SHOPS, 300.0)
    assert found == by_rule(TWO_SHOPS, 300.0)
    assert found["bike"][2] == "2.00 EUR dearer than chosen" + UNCOVERED
    assert found["post"][2] == "cheapest"


@pytest.mark.parametrize(
    ("zones", "distance_km", "expected"),
    [
        ((LAND, CITY, WORLD), 5.0, "city"),
        ((LAND, CITY, WORLD), 20.0, "land"),
        ((LAND, CITY, WORLD), 500.0, "world"),
        # As wide as each other: the code that sorts first by code points, upper case first.
        ((Zone("b", 0, 10), Zone("B", 5, 15)), 7.0, "B"),
        ((Zone("a", 0, inf), Zone("Z", 3, inf)), 7.0, "Z"),
        # Nothing covers it: the one that starts farthest, then the code.
        ((CITY, Zone("r", 30, 40), Zone("R", 30, 35)), 25.0, "R"),
    ],
)
def test_the_narrowest_zone_wins_then_the_code(
    shop: Shop, zones: tuple[Zone, ...], distance_km: float, expected: str
) -> None:
    card = RateCard(services("post"), zones, tuple(rate("post", zone) for zone in zones))
    found = by_sql(shop, card, distance_km)
    assert found == by_rule(card, distance_km)
    assert found["post"][0] == expected


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [
        (NOON, None, "city"),
        (NOON + timedelta(microseconds=1), None, "land"),
        (LONG_AGO, NOON, "land"),
        (LONG_AGO, NOON + timedelta(microseconds=1), "city"),
    ],
)
def test_only_rates_in_force_make_a_zone_the_services_own(
    shop: Shop, start: datetime, end: datetime | None, zone: str
) -> None:
    rates = (rate("post", CITY, 300, start, end), rate("post", LAND))
    card = RateCard(services("post"), (CITY, LAND), rates)
    found = by_sql(shop, card, 5.0)
    assert found == by_rule(card, 5.0)
    assert found["post"][0] == zone


def test_a_gap_between_two_periods_is_not_in_force(shop: Shop) -> None:
    before, after = (LONG_AGO, NOON - HOUR), (NOON + HOUR, None)
    rates = tuple(rate("post", CITY, 300, start, end) for start, end in (before, after))
    card = RateCard(services("post"), (CITY, LAND), (*rates, rate("post", LAND)))
    assert by_sql(shop, card, 5.0)["post"][:2] == ("land", 500)


def test_a_weight_beyond_the_narrow_zones_bands_does_not_widen_the_zone(shop: Shop) -> None:
    rates = (rate("post", CITY, 300, up_to_g=400), rate("post", LAND))
    card = RateCard(services("post"), (CITY, LAND), rates)
    found = by_sql(shop, card, 5.0)
    assert found == by_rule(card, 5.0)
    assert found["post"] == ("city", None, "no rate for 0.5 kg to zone city")


@pytest.mark.parametrize(
    ("distance_km", "note"), [(5.0, ""), (None, UNKNOWN), (10_000.0, UNCOVERED)]
)
def test_a_service_without_any_rate_still_says_why(
    shop: Shop, distance_km: float | None, note: str
) -> None:
    expired = rate("old", LAND, end=NOON - HOUR)
    card = RateCard(services("new", "old"), (CITY, LAND), (expired,))
    found = by_sql(shop, card, distance_km)
    assert found == by_rule(card, distance_km)
    # Both zones start at 0 km, so the farthest is the one whose code sorts first.
    assert found["new"] == found["old"] == ("city", None, f"no rate for 0.5 kg to zone city{note}")


def test_the_ledger_names_the_zone_of_the_chosen_service(shop: Shop) -> None:
    by_sql(shop, TWO_SHOPS, 300.0)
    ((outcome, inputs),) = shop.conn.execute(sa.select(LEDGER.c.outcome, LEDGER.c.inputs))
    assert (outcome, inputs["zone"]) == ("post", "land")


def test_the_rule_alone_knows_which_zones_are_a_services_own() -> None:
    bike, post = TWO_SHOPS.services
    assert zones_of(bike, TWO_SHOPS, NOON) == [CITY, RING]
    assert zones_of(post, TWO_SHOPS, LONG_AGO - HOUR) == list(TWO_SHOPS.zones)


@pytest.mark.parametrize("zones", [(CITY, RING), (RING, CITY)])
def test_the_order_of_the_zones_does_not_matter(zones: Sequence[Zone]) -> None:
    assert zone_of(20.0, zones) == (RING, "")
    assert zone_of(None, zones) == (RING, UNKNOWN)
