"""Reserving at its edges: ties, moments, big numbers, unknown SKUs, crashes, what is shown."""

from __future__ import annotations

from functools import partial
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.inventory.assets.promises import reservations
from ecom_assets.inventory.rules import Ask, StockMove, reserve_in_turn, stays_for_good
from ecom_assets.inventory.store import DIFFERENCES, reserve
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from resources.database import DatabaseResource

INSTANT = 1 / 86_400_000_000
"""A microsecond, in days."""


def outcomes(conn: sa.Connection) -> list[int]:
    """Units reserved by order and line, after all that waits was reserved."""
    while claim(conn, Stage.RESERVE):
        reserve(conn, "run")
    assert conn.execute(DIFFERENCES).all() == []
    query = sa.text("""
        SELECT r.reserved FROM inventory.reservations AS r
        JOIN orders.order_lines AS l USING (order_line_id) ORDER BY l.order_id, l.line_no
    """)
    return list(conn.execute(query).scalars())


@pytest.fixture
def shop(conn: sa.Connection) -> sa.Connection:
    """A shop with two sites and nothing else."""
    open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
    return conn


@pytest.mark.parametrize(
    ("received", "reserved"), [(1, 1), (1 + INSTANT, 0), (1 - INSTANT, 1), (400, 0)]
)
def test_stock_counts_from_its_own_microsecond_on(
    shop: sa.Connection, received: float, reserved: int
) -> None:
    stock(shop, [Move("A", 1, received)])
    place(shop, [Order(1, [("A", 1)])])
    assert outcomes(shop) == [reserved]


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        # Written down at the order's own moment: already gone.
        ([Move("A", 5), Move("A", -4, 1, kind="adjustment")], [1]),
        # Written down later: known to go, so never promised.
        ([Move("A", 5), Move("A", -4, 9, kind="count")], [1]),
        # Down and up again later: the lowest point between counts.
        ([Move("A", 5), Move("A", -4, 3, kind="count"), Move("A", 4, 5)], [1]),
        # A transfer leaves the shop's stock as it is.
        ([Move("A", 5), Move("A", -4, 3, "N", "transfer"), Move("A", 4, 3, "S", "transfer")], [3]),
        # Stock of both sites counts together.
        ([Move("A", 1), Move("A", 2, 0, "S")], [3]),
        ([], [0]),
    ],
)
def test_what_is_there_for_good_at_the_orders_moment(
    shop: sa.Connection, moves: list[Move], expected: list[int]
) -> None:
    stock(shop, moves)
    place(shop, [Order(1, [("A", 3)])])
    assert outcomes(shop) == expected


def test_orders_of_one_moment_are_served_in_the_order_they_came(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 4)])
    place(shop, [Order(1, [("A", 2)])] * 3)
    assert outcomes(shop) == [2, 2, 0]


def test_an_earlier_order_that_is_imported_later_goes_last(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 3)])
    place(shop, [Order(5, [("A", 2)])], "first")
    assert outcomes(shop) == [2]
    place(shop, [Order(1, [("A", 2)])], "second")
    assert outcomes(shop) == [2, 1]


def test_lines_of_one_order_compete_in_their_order(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 3), Move("B", 1)])
    place(shop, [Order(1, [("A", 2), ("B", 2), ("A", 2)])])
    assert outcomes(shop) == [2, 1, 1]


def test_big_quantities_do_not_overflow(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 100_000_000, number) for number in range(20)])
    place(shop, [Order(30, [("A", 2_000_000_000)]), Order(31, [("A", 2_000_000_000)])])
    assert outcomes(shop) == [2_000_000_000, 0]


def test_a_sku_in_any_script_is_told_apart_by_the_letter(shop: sa.Connection) -> None:
    # Latin A, Cyrillic A, and A with a combining ring beside the composed letter.
    skus = ["A", "\u0410", "A\u030a", "\u00c5", "a"]
    stock(shop, [Move(sku, number) for number, sku in enumerate(skus, 1)])
    place(shop, [Order(1, [(sku, 9) for sku in skus])])
    assert outcomes(shop) == [1, 2, 3, 4, 5]


def test_an_order_of_many_lines_is_one_decision(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 150)])
    place(shop, [Order(1, [("A", 1)] * 200)])
    assert sum(outcomes(shop)) == 150
    inputs = shop.execute(sa.text("SELECT inputs FROM decisions.ledger")).scalar_one()
    assert [line["free"] for line in inputs["lines"]] == [*range(150, 0, -1), *[0] * 50]


@pytest.mark.parametrize(
    ("units", "reason", "event", "passes"),
    [
        (2, "stock_covers_all", "order_reserved", {"allocate": 1}),
        (1, "stock_covers_part", "order_partly_reserved", {"allocate": 1}),
        (0, "no_stock", "order_backordered", {}),
    ],
)
def test_every_outcome_has_its_reason_event_and_way_on(
    shop: sa.Connection, units: int, reason: str, event: str, passes: dict[str, int]
) -> None:
    stock(shop, [Move("A", units)] if units else [])
    place(shop, [Order(1, [("A", 2)])])
    outcomes(shop)
    assert shop.execute(sa.text("SELECT reasons FROM decisions.ledger")).scalar_one() == [reason]
    told = shop.execute(sa.text("SELECT event, happened_at, detail FROM decisions.timeline")).one()
    assert told[:2] == (event, day(1))
    assert told.detail.items() >= {"requested": 2, "reserved": units}.items()
    assert waiting(shop) == passes


def test_a_run_that_dies_promises_nothing(database: DatabaseResource) -> None:
    class PowerCut(Exception):
        pass

    with database.begin() as conn:
        open_sites(conn, [("N", 53, 10)])
        stock(conn, [Move("A", 3)])
        place(conn, [Order(1, [("A", 2)]), Order(2, [("A", 2)])])

    def die(conn: sa.Connection) -> dict[str, int]:
        reserve(conn, "killed")
        raise PowerCut

    with pytest.raises(PowerCut):
        drain(database.begin, Stage.RESERVE, die)
    with database.begin() as conn:
        assert waiting(conn) == {"reserve": 2}
        assert conn.execute(sa.text("SELECT sum(reserved) FROM inventory.positions")).scalar() == 0
    again = drain(database.begin, Stage.RESERVE, partial(reserve, run="again"), chunk=1)
    assert (again["units_reserved"], again["units_backordered"]) == (3, 1)


def test_the_asset_shows_what_is_short(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_sites(conn, [("N", 53, 10)])
        stock(conn, [Move("A|B", 1)])
        place(conn, [Order(1, [("A|B", 3)]), Order(2, [("C", 1)])])
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([reservations], instance=instance, resources={"database": database})
    (event,) = result.asset_materializations_for_node("inventory__reservations")
    shown: dict[str, Any] = {name: value.value for name, value in event.metadata.items()}
    assert [shown[name] for name in ("orders", "partly_reserved", "backordered")] == [2, 1, 1]
    assert (shown["units_reserved"], shown["units_backordered"]) == (1, 3)
    rows = shown["newest_short_lines"].splitlines()[2:]
    # The newest first; a bar in a SKU must not break the table.
    assert [row.split(" | ")[1] for row in rows] == ["C", "A\\|B"]


MOVES = st.lists(st.builds(StockMove, st.integers(0, 9).map(day), st.integers(-6, 9)), max_size=8)
ASKS = st.lists(st.builds(Ask, st.integers(0, 9).map(day), st.integers(1, 5)), max_size=8)


@given(MOVES, st.integers(0, 8))
def test_what_stays_for_good_never_falls_with_time(moves: list[StockMove], at: int) -> None:
    assert stays_for_good(moves, day(at)) <= stays_for_good(moves, day(at + 1))


@given(MOVES, ASKS, st.integers(0, 8))
def test_asks_in_two_parts_get_what_they_get_in_one(
    moves: list[StockMove], asks: list[Ask], cut: int
) -> None:
    asks = sorted(asks, key=lambda ask: ask.as_of)
    whole = reserve_in_turn(asks, moves, promised=0)
    first = reserve_in_turn(asks[:cut], moves, promised=0)
    assert first + reserve_in_turn(asks[cut:], moves, promised=sum(first)) == whole


@given(MOVES, ASKS)
def test_more_stock_at_the_start_never_harms_the_total(
    moves: list[StockMove], asks: list[Ask]
) -> None:
    asks = sorted(asks, key=lambda ask: ask.as_of)
    richer = [*moves, StockMove(day(-1), 3)]
    assert sum(reserve_in_turn(asks, moves, 0)) <= sum(reserve_in_turn(asks, richer, 0))
