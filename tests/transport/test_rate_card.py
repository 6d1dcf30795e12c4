"""Rate cards come in through the feeds; what cannot be used is parked with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.shared.quarantine import QUARANTINE
from ecom_assets.transport.model import Rate, RateCard, Service, Zone
from ecom_assets.transport.rules import keep_first_bands
from ecom_assets.transport.tables import RATES
from fixtures.allocated_shop import Shop

START = datetime(2017, 1, 1, tzinfo=UTC)
RATE = Rate("fast", "near", 0, 1_000, 500, "EUR", 1.0, 0.5, START)

Parked = list[tuple[str, str, str]]


def parked(conn: sa.Connection) -> Parked:
    """Source, subject and reason of every row in the quarantine."""
    q = QUARANTINE.c
    return [tuple(row) for row in conn.execute(sa.select(q.source, q.subject, q.reason))]


def prices(conn: sa.Connection) -> dict[int, int]:
    """Price by lower bound of the band."""
    return dict(conn.execute(sa.select(RATES.c.from_g, RATES.c.price_minor)).tuples().all())


def test_unchanged_rows_are_not_written_again(shop: Shop, card: RateCard) -> None:
    assert shop.take(card) == 1 + 2 + 2 + 8
    assert shop.take(card) == 0
    dearer = [replace(card.rates[0], price_minor=9_999), *card.rates[1:]]
    assert shop.take(replace(card, rates=tuple(dearer))) == 1
    assert parked(shop.conn) == []


def test_of_overlapping_bands_the_first_stays(shop: Shop, card: RateCard) -> None:
    rates = (
        replace(RATE, from_g=500, to_g=2_000, price_minor=1),
        RATE,
        replace(RATE, price_minor=400),
        replace(RATE, from_g=1_000, to_g=3_000, price_minor=600),
    )
    shop.take(replace(card, rates=rates))
    assert prices(shop.conn) == {0: 400, 1_000: 600}
    assert parked(shop.conn) == [("transport.rates", "fast/near", "overlapping_band")] * 2
    rows = shop.conn.scalars(sa.select(QUARANTINE.c.row)).all()
    assert [(row["from_g"], row["price_minor"]) for row in rows] == [(0, 500), (500, 1)]


def test_a_stored_band_comes_before_the_feed(shop: Shop, card: RateCard) -> None:
    shop.take(replace(card, rates=(RATE,)))
    shop.take(replace(card, rates=(replace(RATE, from_g=500, to_g=2_000, price_minor=1),)))
    assert prices(shop.conn) == {0: 500}
    assert [reason for _, _, reason in parked(shop.conn)] == ["overlapping_band"]


def test_a_later_start_is_a_new_price_not_an_overlap(shop: Shop, card: RateCard) -> None:
    later = replace(RATE, price_minor=700, valid_from_at=START + timedelta(days=365))
    assert shop.take(replace(card, rates=(RATE, later))) == 1 + 2 + 2 + 2
    assert parked(shop.conn) == []


@pytest.mark.parametrize(
    ("rate", "reason"),
    [
        (replace(RATE, service_code="teleport"), "unknown_service"),
        (replace(RATE, zone_code="moon"), "unknown_zone"),
        (replace(RATE, from_g=1_000), "empty_band"),
        (replace(RATE, price_minor=-1), "negative_price"),
        (replace(RATE, transit_days=float("nan")), "bad_transit_time"),
        (replace(RATE, transit_spread_days=-0.5), "bad_transit_time"),
        (replace(RATE, valid_to_at=START), "empty_period"),
    ],
)
def test_a_bad_rate_is_parked_and_the_good_one_kept(
    shop: Shop, card: RateCard, rate: Rate, reason: str
) -> None:
    shop.take(replace(card, rates=(rate, replace(RATE, from_g=1_000, to_g=2_000))))
    assert prices(shop.conn) == {1_000: 500}
    assert [found for _, _, found in parked(shop.conn)] == [reason]


def test_bad_services_and_zones_are_parked(shop: Shop) -> None:
    services = (Service("best", 0, 0, 0.9), Service("ok", 1, 0, 0.9), Service("ok", 2, 0, 0.9))
    zones = (Zone("none", 5, 5), Zone("near", 0, 9), Zone("near", 0, 8))
    shop.take(RateCard(services, zones, ()))
    assert sorted(parked(shop.conn)) == [
        ("transport.services", "best", "bad_figures"),
        ("transport.services", "ok", "duplicate_key"),
        ("transport.zones", "near", "duplicate_key"),
        ("transport.zones", "none", "bad_range"),
    ]


BANDS = st.lists(
    st.builds(
        lambda zone, low, width, price, day: Rate(
            "fast", zone, low, low + width, price, "EUR", 1.0, 0.5, START + timedelta(days=day)
        ),
        st.sampled_from(["near", "remote"]),
        st.integers(0, 12),
        st.integers(1, 6),
        st.integers(1, 3),
        st.integers(0, 1),
    ),
    max_size=14,
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rates=BANDS)
def test_sql_keeps_the_bands_that_the_rule_keeps(
    shop: Shop, card: RateCard, rates: list[Rate]
) -> None:
    key = RATES.c.service_code, RATES.c.zone_code, RATES.c.from_g, RATES.c.to_g
    with shop.conn.begin_nested() as savepoint:
        shop.take(replace(card, rates=tuple(rates)))
        found = shop.conn.execute(sa.select(*key, RATES.c.price_minor, RATES.c.valid_from_at))
        kept = sorted(tuple(row) for row in found)
        savepoint.rollback()
    assert kept == sorted(
        (r.service_code, r.zone_code, r.from_g, r.to_g, r.price_minor, r.valid_from_at)
        for r in keep_first_bands(rates)
    )
