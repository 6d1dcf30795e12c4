"""Zones and rates by cell: parcels on every mark of the card get what each alone would."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from math import inf, nextafter
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.transport.model import Parcel, Rate, RateCard, Service, Zone
from ecom_assets.transport.policy import POLICY
from ecom_assets.transport.rules import choose
from ecom_assets.transport.store.choices import CANDIDATES, weights
from ecom_assets.transport.store.lanes import lay_out_card
from ecom_assets.transport.store.parcels import open_parcels
from fixtures.allocated_shop import NOON, Shop

BEFORE, BEGIN, GAP, AGAIN = (NOON + timedelta(days=day) for day in (-9, 0, 10, 20))
TICK = timedelta(microseconds=1)

NEAR, LAND, WORLD = Zone("near", 0, 50), Zone("land", 0, 400), Zone("world", 400, inf)
CARD = RateCard(
    (Service("light", 2_000, 5_000, 0.99), Service("heavy", 30_000, 0, 0.9)),
    (NEAR, LAND, WORLD),
    (
        Rate("light", "near", 0, 500, 300, "EUR", 1.0, 0.2, BEGIN, GAP),
        Rate("light", "near", 500, 2_000, 450, "EUR", 1.0, 0.2, BEGIN, GAP),
        Rate("light", "land", 0, 2_000, 600, "EUR", 2.0, 0.5, BEGIN, None),
        Rate("light", "near", 0, 2_000, 350, "EUR", 1.5, 0.4, AGAIN, None),
        Rate("heavy", "land", 100, 30_000, 900, "EUR", 3.0, 1.0, BEFORE, None),
        Rate("heavy", "world", 0, 10_000, 1_500, "EUR", 6.0, 2.0, BEFORE, GAP),
        # A later rate for the same band replaces the one that is still open.
        Rate("heavy", "land", 100, 30_000, 850, "EUR", 3.0, 1.0, AGAIN, None),
    ),
)
DISTANCES = (None, 0.0, nextafter(50, 0), 50.0, nextafter(400, 0), 400.0, 5_000.0)
MOMENTS = (
    BEFORE - TICK, BEFORE, BEGIN - TICK, BEGIN, GAP - TICK, GAP, AGAIN - TICK, AGAIN,
)  # fmt: skip
WEIGHTS = (1, 100, 101, 500, 501, 2_000, 2_001, 10_000, 10_001, 30_000, 30_001)
PARCELS = tuple(
    Parcel(weight, 600_000, 1_000, "EUR", distance, moment, NOON + timedelta(days=4))
    for distance, moment, weight in product(DISTANCES, MOMENTS, WEIGHTS)
)


def _fill(conn: sa.Connection, parcels: tuple[Parcel, ...]) -> None:
    rows: list[dict[str, Any]] = [
        {"order_id": number, "weight_g": parcel.weight_g, "volume": parcel.volume_mm3,
         "km": parcel.distance_km, "ready_at": parcel.ready_at, "promised_at": parcel.promised_at}
        for number, parcel in enumerate(parcels)
    ]  # fmt: skip
    open_parcels(conn)
    statement = sa.text("""
        INSERT INTO parcels VALUES (:order_id, 'A', :ready_at, 1, :weight_g, false, :volume, 1000,
            'EUR', :km, :ready_at, :promised_at, '')
    """)
    conn.execute(statement, rows)


def _by_sql(conn: sa.Connection) -> dict[tuple[int, str], tuple[Any, ...]]:
    rows = conn.execute(CANDIDATES, weights(conn, POLICY)).mappings()
    return {
        (row["order_id"], row["service_code"]): (
            row["zone_code"], row["billable_weight_g"], row["cost_minor"], row["eta_at"],
            row["is_chosen"], row["reason"],
        )
        for row in rows
    }  # fmt: skip


def _by_rule(parcels: tuple[Parcel, ...]) -> dict[tuple[int, str], tuple[Any, ...]]:
    return {
        (number, one.service_code): (
            one.zone_code, one.billable_weight_g, one.cost_minor, one.eta_at, one.is_chosen,
            one.reason,
        )
        for number, parcel in enumerate(parcels)
        for one in choose(parcel, CARD)
    }  # fmt: skip


def test_parcels_on_every_mark_get_what_each_alone_would(shop: Shop) -> None:
    shop.take(CARD)
    _fill(shop.conn, PARCELS)
    lay_out_card(shop.conn, len(PARCELS))
    assert _by_sql(shop.conn) == _by_rule(PARCELS)


def test_the_card_is_laid_out_anew_for_other_parcels(shop: Shop) -> None:
    shop.take(CARD)
    for parcels in (PARCELS[:3], PARCELS[-3:]):
        _fill(shop.conn, parcels)
        lay_out_card(shop.conn, len(parcels))
        assert _by_sql(shop.conn) == _by_rule(parcels)


def test_a_zone_is_looked_for_once_per_cell(shop: Shop) -> None:
    shop.take(CARD)
    _fill(shop.conn, PARCELS)
    lay_out_card(shop.conn, len(PARCELS))
    counted = sa.text("SELECT count(*) FROM zone_of")
    # Unknown, near, land, world; before, and from each of the four moments on; two services.
    assert shop.conn.execute(counted).scalar_one() == 4 * 5 * 2


@pytest.mark.parametrize("card", [RateCard((), (), ()), RateCard(CARD.services, CARD.zones, ())])
def test_a_card_without_rates_or_without_anything_is_laid_out_too(
    shop: Shop, card: RateCard
) -> None:
    if card.services:
        shop.take(card)
    _fill(shop.conn, PARCELS[:5])
    lay_out_card(shop.conn, 5)
    found = _by_sql(shop.conn)
    assert len(found) == 5 * len(card.services)
    assert {cost for _, _, cost, *_ in found.values()} <= {None}
