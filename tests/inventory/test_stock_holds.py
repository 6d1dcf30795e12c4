"""Holds before an order exists: all or nothing, counted as promised, ended by their moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from ecom_assets.inventory.store import DIFFERENCES, expire, hold_stock, release_hold, reserve
from ecom_assets.shared.flow import Stage, claim
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from resources.database import DatabaseResource

HELD = sa.text("SELECT holder, sku, units FROM inventory.stock_holds ORDER BY holder, sku")
RESERVED = sa.text("SELECT sku, reserved FROM inventory.positions ORDER BY sku")


@pytest.fixture
def shop(conn: sa.Connection) -> sa.Connection:
    """Three units of A and two of B."""
    open_sites(conn, [("N", 53, 10)])
    stock(conn, [Move("A", 3), Move("B", 2)])
    return conn


def held(conn: sa.Connection) -> list[tuple[str, str, int]]:
    assert conn.execute(DIFFERENCES).all() == []
    return [(row[0], row[1], row[2]) for row in conn.execute(HELD)]


def test_all_is_held_and_counts_as_promised(shop: sa.Connection) -> None:
    assert hold_stock(shop, "one", {"B": 1, "A": 2}, day(1), day(2)) == {}
    assert held(shop) == [("one", "A", 2), ("one", "B", 1)]
    assert [tuple(row) for row in shop.execute(RESERVED)] == [("A", 2), ("B", 1)]


@pytest.mark.parametrize(
    ("wishes", "short"),
    [
        ({"A": 4, "B": 1}, {"A": 3}),
        ({"A": 4, "B": 3}, {"A": 3, "B": 2}),
        ({"A": 1, "unknown": 1}, {"unknown": 0}),
    ],
)
def test_one_sku_short_and_nothing_is_held(
    shop: sa.Connection, wishes: dict[str, int], short: dict[str, int]
) -> None:
    assert hold_stock(shop, "one", wishes, day(1), day(2)) == short
    assert held(shop) == []


@pytest.mark.parametrize(
    ("wishes", "until"), [({"A": 0}, 2), ({"A": -1, "B": 1}, 2), ({"A": 1}, 1), ({"A": 1}, 0)]
)
def test_a_hold_of_nothing_or_for_no_time_is_refused(
    shop: sa.Connection, wishes: dict[str, int], until: int
) -> None:
    with pytest.raises(ValueError, match="a hold needs"):
        hold_stock(shop, "one", wishes, day(1), day(until))


@pytest.mark.parametrize("wishes", [{"A": 3}, {"A": 1, "B": 2}, {"B": 1}, {"A": 2, "B": 1}, {}])
def test_a_basket_that_changes_is_held_anew(shop: sa.Connection, wishes: dict[str, int]) -> None:
    hold_stock(shop, "one", {"A": 2, "B": 1}, day(1), day(2))
    assert hold_stock(shop, "one", wishes, day(1.5), day(3)) == {}
    assert held(shop) == [("one", sku, units) for sku, units in sorted(wishes.items())]


def test_a_basket_that_grows_too_far_keeps_what_it_had(shop: sa.Connection) -> None:
    hold_stock(shop, "one", {"A": 2}, day(1), day(2))
    hold_stock(shop, "two", {"B": 2}, day(1), day(2))
    # its own two units count for it, the other's do not
    assert hold_stock(shop, "one", {"A": 4, "B": 1}, day(1), day(2)) == {"A": 3, "B": 0}
    assert held(shop) == [("one", "A", 2), ("two", "B", 2)]


def test_stock_that_comes_later_or_goes_later_is_not_held(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 5, 4), Move("B", -1, 5, kind="count")], "later")
    assert hold_stock(shop, "one", {"A": 4, "B": 2}, day(1), day(9)) == {"A": 3, "B": 1}
    assert hold_stock(shop, "one", {"A": 4, "B": 1}, day(4), day(9)) == {}


def test_an_order_gets_what_no_basket_holds(shop: sa.Connection) -> None:
    hold_stock(shop, "one", {"A": 2}, day(1), day(9))
    place(shop, [Order(2, [("A", 3)])])
    claim(shop, Stage.RESERVE)
    assert reserve(shop, "run")["units_reserved"] == 1
    assert held(shop) == [("one", "A", 2)]


def test_a_write_down_leaves_what_is_held(shop: sa.Connection) -> None:
    hold_stock(shop, "one", {"A": 2}, day(1), day(9))
    assert stock(shop, [Move("A", -2, 2, kind="count")], "lost") == 0
    assert stock(shop, [Move("A", -1, 2, kind="count")], "found") == 1


def test_a_holder_gives_back(shop: sa.Connection) -> None:
    hold_stock(shop, "one", {"A": 2, "B": 1}, day(1), day(9))
    hold_stock(shop, "two", {"A": 1}, day(1), day(9))
    assert release_hold(shop, "one", day(2)) == 3
    assert release_hold(shop, "one", day(2)) == 0
    assert release_hold(shop, "nobody", day(2)) == 0
    assert held(shop) == [("two", "A", 1)]


@pytest.mark.parametrize(("as_of", "units"), [(1.9, 0), (2, 2), (3, 3)])
def test_holds_end_by_their_moment(shop: sa.Connection, as_of: float, units: int) -> None:
    hold_stock(shop, "one", {"A": 2}, day(1), day(2))
    hold_stock(shop, "two", {"B": 1}, day(1), day(3))
    assert expire(shop, day(as_of), "run")["held_units"] == units
    assert sum(row[2] for row in held(shop)) == 3 - units


def test_many_baskets_at_once_share_what_there_is(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_sites(conn, [("N", 53, 10)])
        stock(conn, [Move(sku, 10) for sku in "ABC"])

    def ask(number: int) -> bool:
        # named in turning order, which would invite deadlocks if they were locked as named
        skus = ["ABC", "CAB", "BCA", "CBA"][number % 4]
        with database.begin() as conn:
            wishes = dict.fromkeys(skus, 1 + number % 2)
            return not hold_stock(conn, f"basket {number % 12}", wishes, day(1), day(2))

    with ThreadPoolExecutor(6) as pool:
        served = list(pool.map(ask, range(40)))
    assert any(served)
    with database.begin() as conn:
        rows = held(conn)
        per_sku = {sku: sum(units for _, s, units in rows if s == sku) for sku in "ABC"}
        assert max(per_sku.values()) <= 10
        assert len({tuple(s for h, s, _ in rows if h == holder) for holder, _, _ in rows}) == 1
