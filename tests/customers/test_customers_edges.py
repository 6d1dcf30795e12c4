"""Customers at the edges: ties, gaps, foreign letters, long keys, two workers, kills."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.customers import store
from ecom_assets.customers.rules import SEPARATOR, address_hash
from ecom_assets.customers.tables import ADDRESSES, CUSTOMERS
from ecom_assets.shared import feeds
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from fixtures.customer_orders import NOON, place
from resources.database import DatabaseResource


def fold(conn: sa.Connection) -> dict[str, int]:
    claim(conn, Stage.CUSTOMER)
    return store.fold_orders(conn)


def stored(conn: sa.Connection, *names: str) -> Sequence[Any]:
    rows = sa.select(*(CUSTOMERS.c[name] for name in names)).order_by(CUSTOMERS.c.customer_key)
    return [tuple(row) for row in conn.execute(rows)]


def addresses(conn: sa.Connection, *names: str) -> Sequence[Any]:
    columns = [ADDRESSES.c[name] for name in names]
    rows = sa.select(*columns).order_by(ADDRESSES.c.customer_key, ADDRESSES.c.first_used_at)
    return [tuple(row) for row in conn.execute(rows)]


def take(conn: sa.Connection, *rows: dict[str, Any]) -> int:
    empty = {"name": None, "email": None, "phone": None, "signed_up_at": None}
    feeds.CUSTOMERS.create(conn, checkfirst=True)
    conn.execute(sa.delete(feeds.CUSTOMERS))
    given = [{"customer_key": "c", "country": "DE", **empty, **row} for row in rows]
    if given:
        conn.execute(sa.insert(feeds.CUSTOMERS), given)
    return store.take_customers(conn, 1)


def test_of_orders_of_one_moment_the_first_by_natural_key_speaks(scratch: sa.Connection) -> None:
    """Not the one that happened to get the larger id: that depends on how messages came."""
    place(scratch, external_id="2", email="two@x", ship_to_country="FR")
    place(scratch, external_id="1", email="one@x", ship_to_country="BE")
    place(scratch, external_id="3", email="three@x", channel="app", ship_to_country="IT")
    fold(scratch)
    assert stored(scratch, "email", "country", "orders_count") == [("three@x", "IT", 3)]


def test_same_moment_in_another_zone_is_the_same_moment(scratch: sa.Connection) -> None:
    tokyo = timezone(timedelta(hours=9))
    place(scratch, placed_at=NOON.astimezone(tokyo))
    place(scratch, placed_at=datetime(2024, 5, 2, 1, tzinfo=tokyo), email="later@x")
    fold(scratch)
    found = stored(scratch, "first_order_at", "last_order_at", "email")
    assert found == [(NOON, NOON + timedelta(hours=4), "later@x")]


def test_earlier_order_that_comes_late_moves_the_first_moment_only(scratch: sa.Connection) -> None:
    place(scratch, email="new@x", ship_to_country="FR")
    fold(scratch)
    early = datetime(2020, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)
    place(scratch, email="old@x", ship_to_country="BE", placed_at=early)
    assert fold(scratch) == {"customers": 1, "addresses": 1}
    found = stored(scratch, "email", "country", "first_order_at", "last_order_at", "orders_count")
    assert found == [("new@x", "FR", early, NOON, 2)]


def test_only_customers_of_claimed_orders_are_touched(scratch: sa.Connection) -> None:
    place(scratch, customer_key="a")
    fold(scratch)
    before = stored(scratch, "recorded_at")
    place(scratch, customer_key="b")
    assert fold(scratch) == {"customers": 1, "addresses": 1}
    assert stored(scratch, "recorded_at")[0] == before[0]


@pytest.mark.parametrize(
    "key", ["Ж" * 500, "客" * 500, "👩" * 500, "o'; DROP TABLE x --", "a b\tc"]
)
def test_any_key_an_order_may_carry_can_be_folded(scratch: sa.Connection, key: str) -> None:
    """A key of 500 characters of four bytes still fits an index entry."""
    place(scratch, customer_key=key, customer_name="名前")
    fold(scratch)
    assert stored(scratch, "customer_key", "name") == [(key, "名前")]


Parts = tuple[str | None, str | None, str | None, str | None]
SAME: list[tuple[Parts, Parts, bool]] = [
    (("Road 1", None, None, None), ("ROAD 1", "", "", ""), True),
    (("Road 1", "X", None, None), ("Road 1", None, "X", None), False),
    (("Road 1", " X\t Y ", None, "1"), ("road\n1", "x y", None, "1"), True),
    (("Straße 1", None, None, None), ("STRASSE 1", None, None, None), False),
    (("ÄLLEE", None, None, None), ("älLEE", None, None, None), False),
    (("Road\N{NO-BREAK SPACE}1", None, None, None), ("Road 1", None, None, None), False),
    ((None, None, None, None), (" ", "\t", "\n", "\r"), True),
    (("大通り 1", "札幌", None, "060"), ("大通り  1", "札幌", "", "060"), True),
]


@pytest.mark.parametrize(("one", "other", "are_same"), SAME)
def test_addresses_are_told_apart(
    scratch: sa.Connection,
    one: Parts,
    other: Parts,
    are_same: bool,
) -> None:
    assert (address_hash(*one, "DE") == address_hash(*other, "DE")) is are_same
    names = ("ship_to_line1", "ship_to_city", "ship_to_region", "ship_to_postal_code")
    place(scratch, **dict(zip(names, one, strict=True)))
    place(scratch, **dict(zip(names, other, strict=True)), placed_at=NOON + timedelta(hours=1))
    assert fold(scratch)["addresses"] == (1 if are_same else 2)


def test_a_hash_is_that_of_the_parts_between_separators() -> None:
    text = SEPARATOR.join(["road 1", "x", "", "9000", "be"])
    assert address_hash(" Road  1", "X", None, "9000 ", "BE") == sha256(text.encode()).hexdigest()


def test_an_address_keeps_its_latest_spelling_and_its_whole_span(scratch: sa.Connection) -> None:
    for hour, street, name in ((2, "ROAD 1", "Late"), (0, "road 1", "Early"), (1, "Road  1", None)):
        place(scratch, ship_to_line1=street, ship_to_name=name,
              placed_at=NOON + timedelta(hours=hour))  # fmt: skip
    fold(scratch)
    found = addresses(scratch, "line1", "name", "first_used_at", "last_used_at")
    assert found == [("ROAD 1", "Late", NOON, NOON + timedelta(hours=2))]


def test_the_country_is_part_of_an_address(scratch: sa.Connection) -> None:
    place(scratch, ship_to_line1="Road 1", ship_to_country="DE")
    place(scratch, ship_to_line1="Road 1", ship_to_country="AT")
    assert fold(scratch) == {"customers": 1, "addresses": 2}


def test_an_empty_feed_takes_nothing(scratch: sa.Connection) -> None:
    assert take(scratch) == 0


def test_last_row_of_a_customer_in_a_feed_wins_as_a_whole(scratch: sa.Connection) -> None:
    """The rows are not merged: the later one may have deleted the telephone on purpose."""
    assert take(scratch, {"phone": "1", "email": "a@x"}, {"email": "b@x", "country": "FR"}) == 1
    assert stored(scratch, "email", "phone", "country") == [("b@x", None, "FR")]


@pytest.mark.parametrize("has_ordered", [True, False])
def test_a_feed_fills_each_gap_by_itself(scratch: sa.Connection, has_ordered: bool) -> None:
    take(scratch, {"name": "Known", "phone": "1"})
    if has_ordered:
        place(scratch, email="order@x", ship_to_country="FR")
        fold(scratch)
    take(scratch, {"name": "Said", "email": "feed@x", "signed_up_at": NOON})
    found = stored(scratch, "name", "email", "phone", "country", "signed_up_at")
    by_order = ("Known", "order@x", "1", "FR", NOON)
    assert found == [by_order if has_ordered else ("Said", "feed@x", "1", "DE", NOON)]


def test_a_sign_up_is_corrected_but_never_forgotten(scratch: sa.Connection) -> None:
    take(scratch, {"signed_up_at": NOON})
    assert take(scratch, {"signed_up_at": NOON - timedelta(days=1)}) == 1
    assert take(scratch, {"signed_up_at": None}) == 0
    assert stored(scratch, "signed_up_at") == [(NOON - timedelta(days=1),)]


def test_a_killed_fold_leaves_nothing_and_the_next_one_finishes(database: DatabaseResource) -> None:
    def dies(conn: sa.Connection) -> dict[str, int]:
        store.fold_orders(conn)
        raise KeyboardInterrupt

    with database.begin() as conn:
        place(conn, customer_key="a")
        place(conn, customer_key="b")
    with pytest.raises(KeyboardInterrupt):
        drain(database.begin, Stage.CUSTOMER, dies)
    with database.begin() as conn:
        assert (stored(conn, "customer_key"), waiting(conn)) == ([], {"customer": 2})
    assert drain(database.begin, Stage.CUSTOMER, store.fold_orders, chunk=1)["customers"] == 2


def test_a_fold_that_began_early_does_not_write_over_a_later_one(
    database: DatabaseResource,
) -> None:
    """Two workers, one customer: whoever commits last, both orders count."""
    with database.begin() as conn:
        place(conn, customer_key="known")
        fold(conn)
        place(conn, customer_key="known")
        place(conn, customer_key="new")

    def fold_early() -> None:
        with database.begin() as early:
            fold(early)

    def fold_late() -> None:
        with database.begin() as late:
            place(late, customer_key="known")
        with database.begin() as late:
            fold(late)

    workers = [Thread(target=fold_early), Thread(target=fold_late)]
    with database.engine.connect() as holder:
        # Another transaction holds the new customer, so that the first worker stops half-way.
        holder.execute(sa.insert(CUSTOMERS).values(customer_key="new", country="DE"))
        for worker in workers:
            worker.start()
            worker.join(0.4)
        holder.rollback()
    for worker in workers:
        worker.join(10)
    with database.begin() as conn:
        assert stored(conn, "customer_key", "orders_count") == [("known", 3), ("new", 1)]
