"""Customers are what their orders and the feed say, whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.customers import store
from ecom_assets.customers.rules import address_hash
from ecom_assets.customers.tables import ADDRESSES, CUSTOMERS
from ecom_assets.shared import feeds
from ecom_assets.shared.flow import Stage, claim
from fixtures.customer_orders import NOON, place


def fold(conn: sa.Connection, most: int = 100) -> dict[str, int]:
    totals = {"customers": 0, "addresses": 0}
    while claim(conn, Stage.CUSTOMER, most):
        for name, changed in store.fold_orders(conn).items():
            totals[name] += changed
    return totals


def customers(conn: sa.Connection, *names: str) -> Sequence[Any]:
    columns = [CUSTOMERS.c[name] for name in names]
    return conn.execute(sa.select(*columns).order_by(CUSTOMERS.c.customer_key)).all()


def take(conn: sa.Connection, **members: Any) -> int:
    empty = {"name": None, "email": None, "phone": None, "signed_up_at": None}
    feeds.CUSTOMERS.create(conn, checkfirst=True)
    conn.execute(sa.delete(feeds.CUSTOMERS))
    row = {"customer_key": "c", "country": "DE", **empty, **members}
    conn.execute(sa.insert(feeds.CUSTOMERS), [row])
    return store.take_customers(conn, 1)


def test_orders_are_counted_once(conn: sa.Connection) -> None:
    place(conn)
    place(conn, placed_at=NOON + timedelta(days=1))
    assert fold(conn) == {"customers": 1, "addresses": 1}
    assert fold(conn) == {"customers": 0, "addresses": 0}
    found = customers(conn, "orders_count", "first_order_at", "last_order_at")
    assert found == [(2, NOON, NOON + timedelta(days=1))]


def test_latest_order_says_how_to_reach_a_customer_and_a_gap_says_nothing(
    conn: sa.Connection,
) -> None:
    place(conn, email="new@x", placed_at=NOON + timedelta(days=1))
    place(conn, email="old@x", phone="1")
    place(conn, ship_to_country="FR", placed_at=NOON + timedelta(days=2))
    fold(conn)
    assert customers(conn, "email", "phone", "country") == [("new@x", "1", "FR")]


_ORDERS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.integers(0, 3),
        st.none() | st.sampled_from(["1@x", "2@x"]),
        st.none() | st.sampled_from(["Road 1", "ROAD  1", "Road 2"]),
    ),
    max_size=6,
)


@given(orders=_ORDERS, chunk=st.integers(1, 3))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_chunks_do_not_matter(conn: sa.Connection, orders: list[Any], chunk: int) -> None:
    outcomes = []
    for size in (chunk, 100):
        with conn.begin_nested() as attempt:
            for number, (key, day, email, street) in enumerate(orders):
                place(
                    conn, customer_key=key, placed_at=NOON + timedelta(days=day, seconds=number),
                    decided_as_of=NOON + timedelta(days=9 - number), email=email,
                    ship_to_line1=street,
                )  # fmt: skip
            fold(conn, size)
            names = [column.name for column in CUSTOMERS.c if column.name != "recorded_at"]
            uses = sa.select(*(c for c in ADDRESSES.c if c.name != "recorded_at"))
            addresses = conn.execute(uses.order_by(*ADDRESSES.primary_key)).all()
            outcomes.append((customers(conn, *names), addresses))
            attempt.rollback()
    assert outcomes[0] == outcomes[1]


_PARTS = st.none() | st.text(
    st.sampled_from(list("aZ19ÄäßİΣ \t\n\v")), max_size=6
)  # fmt: skip


@given(line1=_PARTS, city=_PARTS, region=_PARTS, postal_code=_PARTS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sql_and_python_tell_addresses_apart_alike(
    conn: sa.Connection,
    line1: str | None,
    city: str | None,
    region: str | None,
    postal_code: str | None,
) -> None:
    with conn.begin_nested() as attempt:
        place(
            conn, ship_to_line1=line1, ship_to_city=city, ship_to_region=region,
            ship_to_postal_code=postal_code,
        )  # fmt: skip
        fold(conn)
        found = conn.execute(sa.select(ADDRESSES.c.address_hash)).scalar_one()
        attempt.rollback()
    assert found == address_hash(line1, city, region, postal_code, "DE")


def test_household_shares_an_address_hash(conn: sa.Connection) -> None:
    for key, street in (("a", "Road 1"), ("b", " road  1")):
        place(conn, customer_key=key, ship_to_line1=street)
    fold(conn)
    hashes = conn.execute(sa.select(ADDRESSES.c.address_hash)).scalars().all()
    assert len(hashes) == 2
    assert len(set(hashes)) == 1


def test_feed_speaks_for_customers_who_have_not_ordered(conn: sa.Connection) -> None:
    assert take(conn, email="a@x") == 1
    assert take(conn, email="a@x") == 0
    assert take(conn, email="b@x") == 1
    assert take(conn, email=None) == 0
    assert customers(conn, "email", "orders_count") == [("b@x", 0)]


def test_order_outranks_the_feed_which_fills_gaps(conn: sa.Connection) -> None:
    place(conn, email="order@x")
    fold(conn)
    assert take(conn, email="feed@x", name="C", signed_up_at=NOON) == 1
    assert take(conn, email="feed@x", name="C", signed_up_at=NOON) == 0
    assert customers(conn, "email", "name", "signed_up_at") == [("order@x", "C", NOON)]


def test_folding_keeps_what_only_the_feed_knows(conn: sa.Connection) -> None:
    take(conn, name="C", phone="7", signed_up_at=NOON)
    place(conn)
    fold(conn)
    assert customers(conn, "name", "phone", "signed_up_at") == [("C", "7", NOON)]
