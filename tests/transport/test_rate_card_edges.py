"""Rate cards at their edges: what comes twice, what is out of range, what one bad row leaves be."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.shared import feeds
from ecom_assets.shared.quarantine import QUARANTINE
from ecom_assets.transport.model import LARGEST_WEIGHT_G, Rate, RateCard, Service, Zone
from ecom_assets.transport.rules import PROBLEMS
from ecom_assets.transport.store import take_rate_card
from ecom_assets.transport.tables import CARRIERS, RATES, SERVICES, ZONES
from fixtures.allocated_shop import Shop

START = datetime(2017, 1, 1, tzinfo=UTC)
RATE = Rate("fast", "near", 0, 1_000, 500, "EUR", 1.0, 0.5, START)
SERVICE = Service("fast", 30_000, 5_000, 0.999)
ZONE = Zone("near", 0, 100)
CARD = RateCard((SERVICE,), (ZONE,), (RATE,))
NAN, INF = float("nan"), float("inf")


def problems(conn: sa.Connection) -> list[tuple[str, str]]:
    """Table and reason of every parked row, in the order of parking."""
    q = QUARANTINE.c
    rows = conn.execute(sa.select(q.source, q.reason, q.detail).order_by(q.quarantine_id)).all()
    assert all(row.detail == PROBLEMS[row.reason] for row in rows)
    return [(row.source.removeprefix("transport."), row.reason) for row in rows]


def count(conn: sa.Connection, table: sa.Table) -> int:
    return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


@pytest.mark.parametrize(
    "service",
    [
        replace(SERVICE, max_weight_g=0),
        replace(SERVICE, max_weight_g=LARGEST_WEIGHT_G + 1),
        replace(SERVICE, dim_divisor=-1),
        replace(SERVICE, dim_divisor=2**40),
        replace(SERVICE, quality=-0.001),
        replace(SERVICE, quality=1.001),
        replace(SERVICE, quality=NAN),
        replace(SERVICE, quality=INF),
    ],
)
def test_a_service_with_impossible_figures_is_parked_with_its_rates(
    shop: Shop, service: Service
) -> None:
    assert shop.take(replace(CARD, services=(service,))) == 2
    assert problems(shop.conn) == [("services", "bad_figures"), ("rates", "unknown_service")]


@pytest.mark.parametrize(
    "service",
    [
        replace(SERVICE, max_weight_g=1, dim_divisor=0, quality=0.0),
        replace(SERVICE, max_weight_g=LARGEST_WEIGHT_G, quality=1.0),
    ],
)
def test_figures_at_their_bounds_are_taken(shop: Shop, service: Service) -> None:
    assert shop.take(replace(CARD, services=(service,))) == 4
    assert problems(shop.conn) == []


@pytest.mark.parametrize(
    ("from_km", "to_km"), [(-1.0, 5.0), (5.0, 5.0), (6.0, 5.0), (NAN, 5.0), (5.0, NAN), (INF, INF)]
)
def test_a_zone_without_a_range_is_parked_with_its_rates(
    shop: Shop, from_km: float, to_km: float
) -> None:
    assert shop.take(replace(CARD, zones=(Zone("near", from_km, to_km),))) == 2
    assert problems(shop.conn) == [("zones", "bad_range"), ("rates", "unknown_zone")]


@pytest.mark.parametrize(
    ("rate", "problem"),
    [
        (replace(RATE, from_g=-1), "empty_band"),
        (replace(RATE, to_g=0), "empty_band"),
        (replace(RATE, to_g=LARGEST_WEIGHT_G + 1), "empty_band"),
        (replace(RATE, currency="EURO"), "bad_currency"),
        (replace(RATE, currency="eur"), "bad_currency"),
        (replace(RATE, currency=""), "bad_currency"),
        (replace(RATE, transit_days=-0.1), "bad_transit_time"),
        (replace(RATE, transit_days=1e300), "bad_transit_time"),
        (replace(RATE, transit_days=INF), "bad_transit_time"),
        (replace(RATE, transit_spread_days=NAN), "bad_transit_time"),
        (replace(RATE, transit_spread_days=365.1), "bad_transit_time"),
        (replace(RATE, valid_to_at=START - timedelta(seconds=1)), "empty_period"),
    ],
)
def test_a_rate_out_of_range_is_parked_and_the_next_one_taken(
    shop: Shop, rate: Rate, problem: str
) -> None:
    other = replace(RATE, from_g=2_000, to_g=3_000)
    assert shop.take(replace(CARD, rates=(rate, other))) == 4
    assert problems(shop.conn) == [("rates", problem)]


def test_a_rate_at_its_bounds_is_taken(shop: Shop) -> None:
    widest = replace(
        RATE, to_g=LARGEST_WEIGHT_G, price_minor=0, transit_days=365.0, transit_spread_days=0.0,
        valid_to_at=START + timedelta(microseconds=1),
    )  # fmt: skip
    assert shop.take(replace(CARD, rates=(widest,))) == 4
    assert problems(shop.conn) == []


def test_a_bad_card_that_comes_again_is_parked_once(shop: Shop) -> None:
    bad = replace(CARD, rates=(RATE, replace(RATE, from_g=5, to_g=4), replace(RATE, from_g=1)))
    assert shop.take(bad) == 4
    before = problems(shop.conn)
    assert shop.take(bad) == 0
    assert problems(shop.conn) == before
    assert sorted(before) == [("rates", "empty_band"), ("rates", "overlapping_band")]


def test_another_bad_row_of_the_same_kind_is_parked_too(shop: Shop) -> None:
    for price in (-1, -2):
        shop.take(replace(CARD, rates=(replace(RATE, price_minor=price),)))
    assert problems(shop.conn) == [("rates", "negative_price")] * 2


def test_a_refused_change_leaves_the_stored_row_as_it_was(shop: Shop) -> None:
    shop.take(CARD)
    assert shop.take(replace(CARD, zones=(Zone("near", 7, 3),))) == 0
    assert shop.conn.execute(sa.select(ZONES.c.from_km, ZONES.c.to_km)).one() == (0, 100)
    assert problems(shop.conn) == [("zones", "bad_range")]


def test_an_update_keeps_the_surrogate_key_of_a_rate(shop: Shop) -> None:
    shop.take(CARD)
    before = shop.conn.execute(sa.select(RATES.c.rate_id)).scalar_one()
    longer = replace(RATE, to_g=2_000, price_minor=600, valid_to_at=START + timedelta(days=9))
    assert shop.take(replace(CARD, rates=(longer,))) == 1
    row = shop.conn.execute(sa.select(RATES)).mappings().one()
    assert row["rate_id"] == before
    assert {name: row[name] for name in asdict(longer)} == asdict(longer)


def test_a_card_in_two_parts_equals_the_card_in_one(shop: Shop) -> None:
    second = replace(RATE, from_g=1_000, to_g=2_000)
    shop.take(CARD)
    shop.take(RateCard((), (), (second,)))
    assert count(shop.conn, RATES) == 2
    assert shop.take(replace(CARD, rates=(second, RATE))) == 0


def test_an_empty_card_takes_nothing_away(shop: Shop) -> None:
    assert shop.take(RateCard((), (), ())) == 1
    shop.take(CARD)
    assert shop.take(RateCard((), (), ())) == 0
    assert [count(shop.conn, table) for table in (SERVICES, ZONES, RATES)] == [1, 1, 1]


def feed(conn: sa.Connection, carriers: list[dict[str, Any]], services: list[Any]) -> int:
    """Take carriers and services with names of their own."""
    feeds.open_feeds(conn)
    conn.execute(sa.insert(feeds.CARRIERS), carriers)
    if services:
        conn.execute(sa.insert(feeds.SERVICES), services)
    return take_rate_card(conn, None)


def test_of_two_names_for_a_carrier_the_first_by_code_points_stays(conn: sa.Connection) -> None:
    names = ["öst", "acme", "Zeta", "Zeta"]
    feed(conn, [{"carrier_code": "a", "name": name} for name in names], [])
    assert conn.execute(sa.select(CARRIERS.c.name)).scalar_one() == "Zeta"
    assert problems(conn) == [("carriers", "duplicate_key")] * 3


def test_names_in_any_script_and_of_any_length_come_through(conn: sa.Connection) -> None:
    name = "Почта 郵便局 البريد " * 500
    feed(conn, [{"carrier_code": "почта", "name": name}], [])
    assert conn.execute(sa.select(CARRIERS.c.carrier_code, CARRIERS.c.name)).one() == (
        "почта", name,
    )  # fmt: skip


def test_a_service_of_an_unknown_carrier_is_parked_with_its_row(conn: sa.Connection) -> None:
    row = {
        "service_code": "s", "carrier_code": "nobody", "name": "S", "max_weight_g": 1,
        "dim_divisor": 0, "quality": 1.0,
    }  # fmt: skip
    known = row | {"service_code": "t", "carrier_code": "a"}
    assert feed(conn, [{"carrier_code": "a", "name": "A"}], [row, known]) == 2
    assert problems(conn) == [("services", "unknown_carrier")]
    parked = conn.execute(sa.select(QUARANTINE.c.subject, QUARANTINE.c.row)).one()
    assert parked == ("s", row | {"quality": 1})


def test_a_bad_twin_does_not_shadow_the_good_one(conn: sa.Connection) -> None:
    good = {
        "service_code": "s", "carrier_code": "a", "name": "B", "max_weight_g": 1,
        "dim_divisor": 0, "quality": 1.0,
    }  # fmt: skip
    bad = good | {"name": "A", "max_weight_g": 0}
    feed(conn, [{"carrier_code": "a", "name": "A"}], [bad, good])
    assert conn.execute(sa.select(SERVICES.c.name)).scalar_one() == "B"
    assert problems(conn) == [("services", "bad_figures")]


def test_parked_rows_name_the_run_of_their_import(conn: sa.Connection) -> None:
    import_id = conn.execute(
        sa.text("""
            INSERT INTO flow.imports (format, digest, run_id) VALUES ('sample', 'x', 'run-7')
            RETURNING import_id
        """)
    ).scalar_one()
    feeds.open_feeds(conn)
    conn.execute(sa.insert(feeds.ZONES), [{"zone_code": "z", "from_km": 2.0, "to_km": 1.0}])
    take_rate_card(conn, import_id)
    assert conn.execute(sa.select(QUARANTINE.c.run_id)).scalar_one() == "run-7"
