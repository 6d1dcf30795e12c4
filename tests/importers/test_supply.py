"""Opening stock and rate card: usable from any amount of data, and shaped by plenty of it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.shared import feeds
from importers.supply import (
    BANDS,
    SERVICES,
    ZONES,
    derive_opening_stock,
    derive_rate_card,
    open_supply,
)
from simulator import carriers


@pytest.fixture
def supply(undone: sa.Connection) -> sa.Connection:
    """A transaction with open feeds and an order, ready to derive."""
    feeds.open_feeds(undone)
    open_supply(undone)
    undone.execute(sa.text(
        "INSERT INTO feed_orders VALUES ('c', '1', '2020-03-02T10:00:00Z', '{}')"
    ))  # fmt: skip
    return undone


def _rows(conn: sa.Connection, statement: str, **values: object) -> list[Any]:
    return [tuple(row) for row in conn.execute(sa.text(statement), values)]


def _demand(conn: sa.Connection, units: int, skus: int, near: str = "B") -> None:
    conn.execute(
        sa.text("INSERT INTO demand SELECT 'sku' || n, :units, 'A', :near"
                " FROM generate_series(1, :skus) AS n"),
        {"units": units, "skus": skus, "near": near},
    )  # fmt: skip
    derive_opening_stock(conn)


def test_opening_stock_covers_most_units_and_lies_mostly_at_home(supply: sa.Connection) -> None:
    _demand(supply, units=10, skus=1_000)
    shares = dict(_rows(supply, "SELECT site_code, sum(quantity) FROM feed_movements GROUP BY 1"))
    assert sum(shares.values()) == 9_000
    assert float(shares["A"]) / 9_000 == pytest.approx(0.7, abs=0.04)


def test_some_skus_run_short_and_none_starts_empty(supply: sa.Connection) -> None:
    _demand(supply, units=2, skus=1_000)
    stock = [units for _, units in _rows(
        supply, "SELECT sku, sum(quantity) FROM feed_movements GROUP BY 1")]  # fmt: skip
    assert set(stock) == {1, 2}
    assert stock.count(1) == pytest.approx(200, abs=40)


def test_one_site_gets_one_move(supply: sa.Connection) -> None:
    _demand(supply, units=7, skus=1, near="A")
    [move] = _rows(supply, "SELECT site_code, kind, moved_at::text, reference FROM feed_movements")
    assert move == ("A", "opening", "2020-03-01 10:00:00+00", "stock before 2020-03-02T10:00:00Z")


def test_without_orders_there_is_no_stock(supply: sa.Connection) -> None:
    supply.execute(sa.text("DELETE FROM feed_orders"))
    _demand(supply, units=3, skus=2)
    assert _rows(supply, "SELECT * FROM feed_movements") == []


def _card(conn: sa.Connection) -> dict[tuple[str, str, int], tuple[int, float]]:
    derive_rate_card(conn, "x", "EUR", 1_000)
    rows = _rows(conn, "SELECT service_code, zone_code, from_g, price_minor, transit_days"
                       " FROM feed_rates")  # fmt: skip
    return {(service, zone, band): (price, days) for service, zone, band, price, days in rows}


def _assert_rising(card: dict[tuple[str, str, int], tuple[int, float]]) -> None:
    for service in {key[0] for key in card}:
        bands = sorted({key[2] for key in card if key[0] == service})
        prices = [[card[service, zone.zone_code, band][0] for band in bands] for zone in ZONES]
        for row in (*prices, *zip(*prices, strict=True)):
            assert list(row) == sorted(row)
        times = [card[service, zone.zone_code, bands[0]][1] for zone in ZONES]
        assert times == sorted(times)


def test_without_data_the_plain_tariff_holds(supply: sa.Connection) -> None:
    card = _card(supply)
    _assert_rising(card)
    for zone in ZONES:
        for band in BANDS[:4]:
            price, days = card["x_post_standard", zone.zone_code, band.from_g]
            assert price == math.ceil(round(1_000 * zone.factor * band.factor, 6))
            assert days == zone.days
    light = {service.service: card[f"x_{service.service}", "Z1", 0] for service in SERVICES}
    assert light["post_economy"][0] < light["post_standard"][0] < light["air_priority"][0]
    assert light["post_economy"][1] > light["post_standard"][1] > light["air_priority"][1]


def _freight(conn: sa.Connection, parcels: int, price: int) -> None:
    conn.execute(
        sa.text("INSERT INTO freight SELECT 400, 800, :price FROM generate_series(1, :parcels)"),
        {"price": price, "parcels": parcels},
    )
    conn.execute(
        sa.text("INSERT INTO trips SELECT 400, 11 FROM generate_series(1, :parcels)"),
        {"parcels": parcels},
    )


def test_plenty_of_parcels_set_the_price_and_the_time(supply: sa.Connection) -> None:
    _freight(supply, parcels=5_000, price=4_000)
    card = _card(supply)
    _assert_rising(card)
    price, days = card["x_post_standard", "Z3", 500]
    assert price == pytest.approx(4_000, rel=0.01)
    assert days == pytest.approx(11, rel=0.01)


def test_one_odd_parcel_hardly_moves_the_card(supply: sa.Connection) -> None:
    _freight(supply, parcels=1, price=90_000)
    price, _ = _card(supply)["x_post_standard", "Z3", 500]
    assert price < 4 * 1_350 * 3


@given(st.data())
def test_bands_and_zones_leave_no_gap(data: st.DataObject) -> None:
    for steps in ([(z.from_km, z.to_km) for z in ZONES], [(b.from_g, b.to_g) for b in BANDS]):
        value = data.draw(st.floats(0.001, steps[-1][1], allow_infinity=False))
        assert sum(low < value <= high for low, high in steps) == 1


def test_zones_are_those_of_the_sample_shop() -> None:
    ours = [(zone.zone_code, zone.from_km, zone.to_km) for zone in ZONES]
    assert ours == [(code, low, high or math.inf) for code, low, high in carriers.ZONES]


def test_the_heaviest_band_of_a_service_holds_its_heaviest_parcel(supply: sa.Connection) -> None:
    _card(supply)
    assert _rows(supply, "SELECT s.service_code FROM feed_services AS s JOIN feed_rates AS r"
                 " USING (service_code) GROUP BY 1, max_weight_g"
                 " HAVING max(to_g) < max_weight_g") == []  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "km"),
    [((0, 0), (0, 0), 0), ((0, 0), (0, 180), 20_015), ((-23.55, -46.63), (-22.91, -43.17), 361)],
)
def test_distances_are_great_circles(
    supply: sa.Connection, start: tuple[float, float], end: tuple[float, float], km: float
) -> None:
    [(found,)] = _rows(supply, "SELECT pg_temp.km(:a, :b, :c, :d)", a=start[0], b=start[1],
                       c=end[0], d=end[1])  # fmt: skip
    assert found == pytest.approx(km, abs=1.5)
