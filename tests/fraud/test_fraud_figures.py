"""Features on a real database: equal to the reference, and strictly as of the order's moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.fraud.features import NAMES
from ecom_assets.fraud.store.figures import take_figures
from ecom_assets.fraud.store.sightings import record_claimed
from ecom_assets.fraud.velocity import Sighting, velocity
from ecom_assets.shared.flow import Stage, claim

Order = dict[str, Any]
Place = Callable[[sa.Connection, list[Order]], None]

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
MINUTES = [0, 0, 1, 60, 61, 1440, 1441, 10_080, 10_081, 43_200, 43_201]

shops = st.lists(
    st.fixed_dictionaries(
        {
            "minutes": st.sampled_from(MINUTES),
            "customer": st.sampled_from(["anna", "bob", "cleo"]),
            "country": st.sampled_from(["DE", "FR"]),
        },
        optional={
            "device": st.sampled_from(["d1", "d2", ""]),
            "card": st.sampled_from(["c1", "c2"]),
            "ip": st.just("10.0.0.1"),
            "email": st.sampled_from(["A@x.org", "a@x.org"]),
            "street": st.sampled_from(["Hill 1", "hill 1 ", " "]),
        },
    ),
    min_size=1,
    max_size=9,
)
USED = {
    "card": ("orders_24h", "customers"),
    "device": ("orders_1h", "orders_7d", "customers"),
    "ip": ("orders_1h", "customers"),
    "email": ("orders_24h", "customers"),
    "address": ("orders_30d", "customers"),
}


def figures(conn: sa.Connection, look_back: int = 100) -> dict[str, dict[str, float]]:
    claim(conn, Stage.SCORE)
    record_claimed(conn)
    take_figures(conn, look_back)
    found = conn.execute(
        sa.text("SELECT external_id, features FROM figures JOIN orders.orders USING (order_id)")
    )
    return dict(found.tuples().all())


def figures_of(conn: sa.Connection, place: Place, *orders: Order) -> list[dict[str, float]]:
    named = [{"id": str(number), "placed_at": NOON, **order} for number, order in enumerate(orders)]
    place(conn, named)
    found = figures(conn)
    return [found[order["id"]] for order in named]


def reference(shop: list[Order], look_back: int) -> dict[str, dict[str, int]]:
    """Velocities by the plain reference; orders are in the order of their ids."""
    keys = {"card": "card", "device": "device", "ip": "ip", "email": "email", "address": "street"}
    sightings = [
        # An address is a street in a country.
        Sighting(kind, value + order["country"] * (kind == "address"), order["placed_at"],
                 number, order["customer"])
        for number, order in enumerate(shop)
        for kind, key in keys.items()
        if (value := order.get(key, "").strip().lower())
    ]  # fmt: skip
    expected: dict[str, dict[str, int]] = {order["id"]: {} for order in shop}
    for own in sightings:
        found = velocity(own, sightings, look_back)
        counts = {f"{own.kind}_{name}": int(getattr(found, name)) for name in USED[own.kind]}
        expected[shop[own.order_id]["id"]] |= {name: n for name, n in counts.items() if n}
    return expected


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=shops, look_back=st.sampled_from([1, 2, 100]))
def test_velocities_are_those_of_the_reference(
    conn: sa.Connection, place: Place, orders: list[Order], look_back: int
) -> None:
    savepoint = conn.begin_nested()
    shop = [
        {**order, "id": str(number), "placed_at": NOON + timedelta(minutes=order["minutes"])}
        for number, order in enumerate(orders)
    ]
    shop.sort(key=lambda order: (order["placed_at"], order["id"]))
    place(conn, shop)
    found = figures(conn, look_back)
    savepoint.rollback()
    names = {f"{kind}_{name}" for kind, used in USED.items() for name in used}
    velocities = {
        key: {name: value for name, value in each.items() if name in names}
        for key, each in found.items()
    }
    assert velocities == reference(shop, look_back)


def test_documents_name_features_of_the_model_only(
    conn: sa.Connection, place: Place, ring_shop: list[Order]
) -> None:
    place(conn, ring_shop[-300:])
    named = {name for each in figures(conn).values() for name in each}
    assert named <= set(NAMES)


def test_what_comes_later_changes_nothing(
    conn: sa.Connection, place: Place, ring_shop: list[Order]
) -> None:
    shop = sorted(ring_shop[-200:], key=lambda order: order["placed_at"])
    savepoint = conn.begin_nested()
    place(conn, shop)
    whole = figures(conn)
    savepoint.rollback()
    place(conn, shop[:100])
    half = figures(conn)
    assert half == {key: whole[key] for key in half}


def test_an_order_paid_late_is_seen_by_those_placed_after_it(
    conn: sa.Connection, place: Place
) -> None:
    _, second = figures_of(
        conn,
        place,
        {"device": "d", "customer": "anna", "due_at": NOON + timedelta(days=9)},
        {"device": "d", "customer": "bob", "placed_at": NOON + timedelta(minutes=1)},
    )
    assert second["device_customers"] == 1


def test_fraud_counts_as_known_only_from_its_moment(conn: sa.Connection, place: Place) -> None:
    known = NOON + timedelta(days=20)
    days = [0, 19, 21]
    fraud = {"label": "fraud", "known_at": known}
    first, before, after = figures_of(
        conn,
        place,
        *(
            {"device": "d", "placed_at": NOON + timedelta(days=day), **({} if day else fraud)}
            for day in days
        ),
    )
    assert [each.get("known_fraud_links") for each in (first, before, after)] == [None, None, 1]


def test_a_shared_ip_address_is_no_link_to_fraud(conn: sa.Connection, place: Place) -> None:
    fraud = {"label": "fraud", "known_at": NOON}
    _, later = figures_of(
        conn, place, {"ip": "i", **fraud}, {"ip": "i", "placed_at": NOON + timedelta(days=1)}
    )
    assert "known_fraud_links" not in later


@pytest.mark.parametrize(
    ("signed_up_at", "expected"),
    [
        (NOON, {"is_new_account": 1}),
        (NOON - timedelta(hours=36), {"account_age_days": 1.5}),
        (NOON + timedelta(days=1), {"is_account_unknown": 1, "account_age_days": 365}),
        (None, {"is_account_unknown": 1, "account_age_days": 365}),
    ],
)
def test_account_age_is_what_was_known_at_the_order(
    conn: sa.Connection, place: Place, signed_up_at: datetime | None, expected: dict[str, float]
) -> None:
    (found,) = figures_of(conn, place, {"signed_up_at": signed_up_at})
    names = ("account_age_days", "is_new_account", "is_account_unknown")
    assert {name: found[name] for name in names if name in found} == expected


def test_a_customer_is_known_by_earlier_orders(conn: sa.Connection, place: Place) -> None:
    anna = {"customer": "anna", "street": "Hill 1"}
    first, second = figures_of(
        conn,
        place,
        anna,
        {**anna, "street": "Lane 2", "country": "FR", "placed_at": NOON + timedelta(hours=2)},
    )
    names = ("customer_orders", "customer_orders_24h", "is_new_country", "is_new_address")
    assert [first.get(name) for name in names] == [None] * 4
    assert [second.get(name) for name in names] == [1] * 4


def test_amounts_weigh_alike_in_every_currency(conn: sa.Connection, place: Place) -> None:
    yen, dinar = figures_of(
        conn, place, {"currency": "JPY", "total": 16_000}, {"currency": "KWD", "total": 33_000}
    )
    assert yen["value_eur"] == dinar["value_eur"] == 100


def test_failed_verification_night_and_free_mail_are_flags(
    conn: sa.Connection, place: Place
) -> None:
    night = {"placed_at": NOON.replace(hour=3), "email": "x@GMail.com", "avs": "N", "cvv": "n"}
    (found,) = figures_of(conn, place, {**night, "total": 0})
    flags = {"is_night", "is_free_mail", "is_avs_mismatch", "is_cvv_mismatch", "is_card"}
    assert flags <= set(found)
    assert "value_eur" not in found
