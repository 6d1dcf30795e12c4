"""Backordered orders are called when their stock comes: oldest first, as of when it came."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import dagster as dg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.inventory.assets.promises import reservations
from ecom_assets.inventory.store import (
    DIFFERENCES,
    are_noted,
    call_backorders,
    hold_stock,
    release,
    release_hold,
    reserve,
)
from ecom_assets.shared.flow import PENDING, Stage, claim, drain, hand_on, waiting
from ecom_assets.warehouse.store import allocate
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from resources.database import DatabaseResource

DUE = sa.text("""
    SELECT o.external_id, p.due_at FROM flow.pending AS p
    JOIN orders.orders AS o USING (order_id)
    WHERE p.stage = 'reserve' ORDER BY p.due_at, p.order_id
""")
STATES = sa.text("SELECT fulfilment_state FROM flow.order_states ORDER BY order_id")


@pytest.fixture
def shop(conn: sa.Connection) -> sa.Connection:
    """A shop with two sites and nothing else."""
    open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
    return conn


def reserve_all(conn: sa.Connection) -> None:
    while claim(conn, Stage.RESERVE):
        reserve(conn, "run")


def serve(conn: sa.Connection) -> list[str]:
    """Reserve and call, as the asset does, until nobody is called; the states of all orders."""
    reserve_all(conn)
    while call_backorders(conn):
        reserve_all(conn)
    assert conn.execute(DIFFERENCES).all() == []
    return list(conn.execute(STATES).scalars())


def due(conn: sa.Connection) -> list[tuple[str, datetime]]:
    return [(row[0], row[1]) for row in conn.execute(DUE)]


def test_a_receipt_calls_who_waits_as_of_its_moment(shop: sa.Connection) -> None:
    place(shop, [Order(1, [("A", 1)]), Order(2, [("B", 1)])])
    assert serve(shop) == ["backordered", "backordered"]
    stock(shop, [Move("A", 5, 7)])
    assert are_noted(shop)
    assert call_backorders(shop) == 1
    assert not are_noted(shop)
    assert due(shop) == [("1", day(7))]
    assert serve(shop) == ["reserved", "backordered"]
    decided = sa.text("""
        SELECT attempt, outcome, decided_as_of FROM decisions.ledger
        WHERE order_id = (SELECT min(order_id) FROM orders.orders) ORDER BY attempt
    """)
    assert [tuple(row) for row in shop.execute(decided)] == [
        (1, "backordered", day(1)), (2, "reserved", day(7))
    ]  # fmt: skip


def test_nobody_is_called_before_a_transaction_says_that_stock_came(shop: sa.Connection) -> None:
    place(shop, [Order(1, [("A", 1)])])
    assert serve(shop) == ["backordered"]
    stock(shop, [Move("B", 5, 7)], "other")
    assert not are_noted(shop)
    assert call_backorders(shop) == 0


def test_the_oldest_are_called_first_and_no_more_than_can_be_served(shop: sa.Connection) -> None:
    place(shop, [Order(number, [("A", 2)]) for number in (3, 1, 2, 4)])
    serve(shop)
    stock(shop, [Move("A", 3, 9)])
    # one more than three units serve: the second gets what is left
    assert call_backorders(shop) == 2
    assert serve(shop) == ["backordered", "reserved", "partly_reserved", "backordered"]


def test_each_is_called_as_of_the_receipt_that_reaches_it(shop: sa.Connection) -> None:
    place(shop, [Order(1, [("A", 2)]), Order(2, [("A", 2)]), Order(3, [("A", 2)])])
    serve(shop)
    stock(shop, [Move("A", 2, 5), Move("A", 2, 8), Move("A", 2, 11)])
    call_backorders(shop)
    assert due(shop) == [("1", day(5)), ("2", day(8)), ("3", day(11))]
    assert set(serve(shop)) == {"reserved"}


def test_stock_that_leaves_again_calls_nobody(shop: sa.Connection) -> None:
    place(shop, [Order(1, [("A", 2)])])
    serve(shop)
    stock(shop, [Move("A", 2, 5), Move("A", -2, 6, kind="count")])
    assert call_backorders(shop) == 0
    assert serve(shop) == ["backordered"]


def test_a_receipt_that_is_told_late_counts_from_when_the_order_was_judged(
    shop: sa.Connection,
) -> None:
    place(shop, [Order(5, [("A", 1)])])
    serve(shop)
    stock(shop, [Move("A", 1, 2)])
    call_backorders(shop)
    assert due(shop) == [("1", day(5))]
    assert serve(shop) == ["reserved"]


def test_stock_known_already_but_later_than_the_order_is_not_lost(shop: sa.Connection) -> None:
    """The receipt was there before the order was decided, so nothing will come to call it."""
    stock(shop, [Move("A", 1, 6)])
    place(shop, [Order(1, [("A", 1)])])
    reserve_all(shop)
    assert list(shop.execute(STATES).scalars()) == ["backordered"]
    assert are_noted(shop)
    assert serve(shop) == ["reserved"]
    as_of = sa.text("SELECT reserved_as_of FROM inventory.reservations")
    assert shop.execute(as_of).scalar_one() == day(6)


SKU = st.sampled_from("AB")
MOVES = st.lists(
    st.builds(Move, SKU, st.integers(-3, 6).filter(bool), st.integers(0, 9), st.sampled_from("NS")),
    max_size=8,
)
ORDERS = st.lists(
    st.builds(
        Order,
        st.integers(0, 8),
        st.lists(st.tuples(SKU, st.integers(1, 3)), min_size=1, max_size=2),
    ),
    min_size=1,
    max_size=8,
)


def served_in_chunks(conn: sa.Connection, chunk: int) -> list[tuple[int, datetime]]:
    """What each line gets and as of when, reserved chunk by chunk and then taken back."""
    trial = conn.begin_nested()
    while True:
        while claim(conn, Stage.RESERVE, chunk):
            reserve(conn, "run")
        if not call_backorders(conn):
            break
    assert conn.execute(DIFFERENCES).all() == []
    query = sa.text("""
        SELECT r.reserved, r.reserved_as_of FROM inventory.reservations AS r
        JOIN orders.order_lines AS l USING (order_line_id) ORDER BY l.order_id, l.line_no
    """)
    found = [(row[0], row[1]) for row in conn.execute(query)]
    trial.rollback()
    return found


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=MOVES, orders=ORDERS, chunk=st.integers(1, 4))
def test_chunks_do_not_matter(
    database: DatabaseResource, moves: list[Move], orders: list[Order], chunk: int
) -> None:
    with database.engine.connect() as conn, conn.begin() as trial:
        open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
        stock(conn, moves)
        place(conn, orders)
        assert served_in_chunks(conn, chunk) == served_in_chunks(conn, 100)
        trial.rollback()


def test_what_a_change_gives_back_goes_to_who_waits(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 2)])
    place(shop, [Order(1, [("A", 2)]), Order(2, [("A", 1)])])
    assert serve(shop) == ["reserved", "backordered"]
    first = sa.text("""
        SELECT min(order_id) AS order_id, CAST(:at AS timestamptz) AS due_at FROM orders.orders
    """)
    rows = first.bindparams(at=day(6)).columns(PENDING.c.order_id, PENDING.c.due_at)
    hand_on(shop, [Stage.RELEASE], rows)
    claim(shop, Stage.RELEASE)
    release(shop, "run")
    call_backorders(shop)
    assert due(shop) == [("2", day(6))]
    assert serve(shop)[1] == "reserved"


def test_what_a_basket_gives_back_goes_to_who_waits(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 2)])
    hold_stock(shop, "basket", {"A": 2}, day(1), day(9))
    place(shop, [Order(2, [("A", 1)])])
    reserve_all(shop)
    # nothing came, so nothing is noted, however often it is asked
    assert not are_noted(shop)
    release_hold(shop, "basket", day(3))
    call_backorders(shop)
    assert due(shop) == [("1", day(3))]


def test_an_order_that_is_being_changed_is_not_called_or_reserved(shop: sa.Connection) -> None:
    place(shop, [Order(1, [("A", 1)])])
    serve(shop)
    stock(shop, [Move("A", 1, 3)])
    call_backorders(shop)
    waits = sa.text("SELECT order_id, due_at FROM flow.pending")
    hand_on(shop, [Stage.SETTLE], waits.columns(PENDING.c.order_id, PENDING.c.due_at))
    reserve_all(shop)
    assert waiting(shop) == {"settle": 1}
    assert list(shop.execute(STATES).scalars()) == ["backordered"]


def test_called_in_vain_nothing_is_written_but_the_moment(shop: sa.Connection) -> None:
    place(shop, [Order(1, [("A", 1)])])
    serve(shop)
    stock(shop, [Move("A", 1, 3)])
    call_backorders(shop)
    # somebody was quicker
    hold_stock(shop, "basket", {"A": 1}, day(3), day(9))
    assert serve(shop) == ["backordered"]
    for query in (
        "SELECT count(*) FROM decisions.ledger",
        "SELECT count(*) FROM decisions.timeline",
    ):
        assert shop.execute(sa.text(query)).scalar_one() == 1
    as_of = sa.text("SELECT reserved_as_of FROM inventory.reservations")
    assert shop.execute(as_of).scalar_one() == day(3)


def test_the_asset_calls_and_the_order_goes_on(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_sites(conn, [("N", 53, 10)])
        place(conn, [Order(1, [("A", 1)]), Order(2, [("A", 1)])])
        reserve_all(conn)
        stock(conn, [Move("A", 1, 5)])
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([reservations], instance=instance, resources={"database": database})
    (event,) = result.asset_materializations_for_node("inventory__reservations")
    assert event.metadata["called"].value == 1
    drain(database.begin, Stage.ALLOCATE, partial(allocate, run="run"))
    with database.begin() as conn:
        assert waiting(conn) == {"carrier": 1}
        ready = sa.text("SELECT available_at FROM warehouse.allocations")
        assert conn.execute(ready).scalar_one() == day(5)
