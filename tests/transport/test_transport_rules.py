"""The rules of the carrier choice, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.transport.model import (
    LARGEST_WEIGHT_G,
    Candidate,
    Parcel,
    Rate,
    RateCard,
    Service,
    Zone,
)
from ecom_assets.transport.rules import (
    billable_weight_g,
    choose,
    on_time_probability,
    rate_in_force,
    zone_of,
)
from fixtures.allocated_shop import NOON

PARCEL = Parcel(2_000, 0, 10_000, "EUR", 10.0, NOON, NOON + timedelta(days=7))


def reasons(found: list[Candidate]) -> dict[str, str]:
    return {one.service_code: one.reason for one in found}


def chosen(found: list[Candidate]) -> str | None:
    return next((one.service_code for one in found if one.is_chosen), None)


def test_without_haste_the_cheaper_service_is_chosen(card: RateCard) -> None:
    found = choose(PARCEL, card)
    assert reasons(found) == {
        "fast": "7.00 EUR dearer than chosen, 100 % on time",
        "slow": "cheapest, 100 % on time",
    }


def test_a_promise_is_worth_money(card: RateCard) -> None:
    hurried = replace(PARCEL, promised_at=NOON + timedelta(days=2))
    assert reasons(choose(hurried, card)) == {
        "fast": "cheapest that keeps the promise, 98 % on time",
        "slow": "7.00 EUR cheaper than chosen, 0 % on time",
    }


def test_precious_goods_take_the_careful_service(card: RateCard) -> None:
    precious = replace(PARCEL, goods_minor=1_000_000, promised_at=None)
    assert reasons(choose(precious, card)) == {
        "fast": "best balance of cost, punctuality and damage",
        "slow": "7.00 EUR cheaper than chosen",
    }


def test_goods_in_another_currency_are_not_weighed_against_the_rates(card: RateCard) -> None:
    foreign = replace(PARCEL, goods_minor=1_000_000, promised_at=None, currency="GBP")
    assert chosen(choose(foreign, card)) == "slow"


def test_candidates_are_compared_in_one_currency(card: RateCard) -> None:
    mixed = replace(
        card,
        rates=tuple(replace(r, currency="USD") if r.service_code == "slow" else r
                    for r in card.rates),
    )  # fmt: skip
    assert reasons(choose(PARCEL, mixed)) == {
        "fast": "only service that can carry it, 100 % on time",
        "slow": "rate in USD, parcel compared in EUR",
    }


def test_what_is_too_heavy_says_so(card: RateCard) -> None:
    heavy = choose(replace(PARCEL, weight_g=31_200), card)
    assert reasons(heavy) == {
        "fast": "over max weight 30 kg",
        "slow": "no rate for 31.2 kg to zone near",
    }
    assert chosen(heavy) is None


def test_bulky_goods_pay_for_their_volume() -> None:
    bulky = replace(PARCEL, weight_g=1_000, volume_mm3=10_000_001)
    assert billable_weight_g(bulky, Service("s", 1, 5_000, 1)) == 2_001
    assert billable_weight_g(bulky, Service("s", 1, 0, 1)) == 1_000
    vast = replace(bulky, volume_mm3=10**18)
    assert billable_weight_g(vast, Service("s", 1, 5_000, 1)) == LARGEST_WEIGHT_G


@pytest.mark.parametrize(
    ("distance_km", "zone", "note"),
    [
        (0.0, "near", ""),
        (99.9, "near", ""),
        (100.0, "remote", ""),
        (None, "remote", "; distance unknown, farthest zone assumed"),
        (500.0, "remote", "; no zone covers the distance, farthest assumed"),
    ],
)
def test_the_zone_follows_from_the_distance(
    distance_km: float | None, zone: str, note: str
) -> None:
    zones = (Zone("near", 0, 100), Zone("remote", 100, 500))
    found, words = zone_of(distance_km, zones)
    assert (found.zone_code, words) == (zone, note)


def test_the_rate_of_the_moment_applies(card: RateCard) -> None:
    service, zone, old = card.services[0], card.zones[0], card.rates[0]
    offer = replace(old, price_minor=1, valid_from_at=NOON, valid_to_at=NOON + timedelta(hours=1))
    rates = (old, offer)
    at = [NOON - timedelta(seconds=1), NOON, NOON + timedelta(hours=1)]
    assert [rate_in_force(rates, service, zone, 5_000, when) for when in at] == [old, offer, old]
    assert rate_in_force(rates, service, zone, 5_001, NOON) is None


def test_a_rate_card_without_zones_has_no_candidates(card: RateCard) -> None:
    assert choose(PARCEL, replace(card, zones=())) == []


@given(spare=st.floats(-60, 60), spread=st.floats(0.1, 20))
def test_the_approximation_follows_the_normal_distribution(spare: float, spread: float) -> None:
    parcel = replace(PARCEL, promised_at=NOON + timedelta(days=70 + spare))
    rate = _rate(70.0, spread)
    exact = NormalDist(70, spread).cdf(70 + spare)
    assert on_time_probability(parcel, rate) == pytest.approx(exact, abs=2e-4)


def test_certain_transit_is_late_or_not() -> None:
    parcel = replace(PARCEL, promised_at=NOON + timedelta(days=3))
    assert on_time_probability(parcel, _rate(3.0, 0.0)) == 1.0
    assert on_time_probability(parcel, _rate(3.01, 0.0)) == 0.0
    assert on_time_probability(replace(parcel, promised_at=None), _rate(99.0, 1.0)) == 1.0


def _rate(days: float, spread: float) -> Rate:
    return Rate("fast", "near", 0, 1, 0, "EUR", days, spread, NOON)
