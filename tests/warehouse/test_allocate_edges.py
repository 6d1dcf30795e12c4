"""Allocating in PostgreSQL at its edges: reasons, ties, crashes, workers, what is shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.inventory.store import reserve
from ecom_assets.shared import feeds
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from ecom_assets.warehouse.rules import NotCovered
from ecom_assets.warehouse.store import (
    BACKORDERED,
    allocate,
    division,
    parcels_per_site,
    take_sites,
)
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from resources.database import DatabaseResource

SITES = [("N", 53.5, 10.0), ("S", 48.1, 11.6), ("W", 51.0, 7.0)]
NEAR_NORTH, NEAR_SOUTH = (53.0, 10.0), (48.0, 11.0)


@pytest.fixture
def shop(conn: sa.Connection) -> sa.Connection:
    """Three sites without stock."""
    open_sites(conn, SITES)
    return conn


def advance(conn: sa.Connection) -> list[tuple[str, int, str, int, str, float]]:
    """Reserve and allocate all that waits: order, line, site, units, policy, days to wait until."""
    while claim(conn, Stage.RESERVE):
        reserve(conn, "run")
    while claim(conn, Stage.ALLOCATE):
        allocate(conn, "run")
    query = sa.text("""
        SELECT o.external_id, l.line_no, a.site_code, a.quantity, a.policy,
            extract(epoch FROM a.available_at - :start) / 86400
        FROM warehouse.allocations AS a
        JOIN orders.orders AS o USING (order_id) JOIN orders.order_lines AS l USING (order_line_id)
        ORDER BY o.order_id, l.line_no, a.site_code
    """)
    return [(*row[:5], float(row[5])) for row in conn.execute(query, {"start": day(0)})]


@pytest.mark.parametrize(
    ("moves", "lines", "policy", "reasons"),
    [
        ([Move("A", 2)], [("A", 2)], "single_site", ["one_site_ships_all"]),
        (
            [Move("A", 1), Move("B", 1, 0, "S")], [("A", 1), ("B", 1)],
            "split_by_line", ["no_site_has_all"],
        ),
        ([Move("A", 1), Move("A", 1, 0, "S")], [("A", 2)], "split_line", ["no_site_has_a_line"]),
        # N's unit leaves for S on day 5: the shop has it all along, S not before then.
        (
            [Move("A", 1), Move("A", -1, 5, "N", "transfer"), Move("A", 1, 5, "S", "transfer")],
            [("A", 1)], "single_site", ["one_site_ships_all", "waits_for_stock"],
        ),
    ],
)  # fmt: skip
def test_every_policy_has_its_reason(
    shop: sa.Connection, moves: list[Move], lines: list[tuple[str, int]], policy: str,
    reasons: list[str],
) -> None:  # fmt: skip
    stock(shop, moves)
    place(shop, [Order(1, lines)])
    advance(shop)
    query = sa.text("SELECT outcome, reasons FROM decisions.ledger WHERE kind = 'allocation'")
    assert tuple(shop.execute(query).one()) == (policy, reasons)


def test_a_waiting_parcel_is_available_when_its_stock_arrives(shop: sa.Connection) -> None:
    moves = [Move("A", 1), Move("A", -1, 5, "N", "transfer"), Move("A", 1, 6.5, "S", "transfer")]
    stock(shop, [*moves, Move("A", 1, 0, "W"), Move("A", -1, 9, "W", "count")])
    place(shop, [Order(7, [("A", 1)])])
    assert advance(shop) == [("1", 1, "S", 1, "single_site", 7.0)]


@pytest.mark.parametrize(
    ("place_of_order", "site"), [(NEAR_NORTH, "N"), (NEAR_SOUTH, "S"), ((None, None), "N")]
)
def test_the_nearest_site_that_has_it_ships(
    shop: sa.Connection, place_of_order: tuple[float | None, float | None], site: str
) -> None:
    stock(shop, [Move("A", 1, 0, code) for code in "NSW"])
    place(shop, [Order(1, [("A", 1)], *place_of_order)])
    assert [row[2] for row in advance(shop)] == [site]


def test_without_a_place_the_customers_country_ships(shop: sa.Connection) -> None:
    shop.execute(sa.text("UPDATE warehouse.sites SET country = 'FR' WHERE site_code <> 'W'"))
    stock(shop, [Move("A", 1, 0, code) for code in "NSW"])
    place(shop, [Order(1, [("A", 1)])])
    assert [row[2] for row in advance(shop)] == ["W"]


def test_units_of_one_sku_on_two_lines_are_one_demand(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 3), Move("A", 4, 0, "S")])
    place(shop, [Order(1, [("A", 2), ("A", 2)], *NEAR_NORTH)])
    assert [row[1:4] for row in advance(shop)] == [(1, "S", 2), (2, "S", 2)]


def test_only_what_is_reserved_is_allocated(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 2)])
    place(shop, [Order(1, [("A", 5), ("B", 1)])])
    assert advance(shop) == [("1", 1, "N", 2, "single_site", 1.0)]
    states = sa.text("SELECT fulfilment_state FROM flow.order_states")
    assert shop.execute(states).scalar_one() == "partly_allocated"
    detail = sa.text("SELECT detail FROM decisions.timeline WHERE event = 'order_partly_allocated'")
    told = {"policy": "single_site", "units": 2, "parcels": 1}
    assert shop.execute(detail).scalar_one().items() >= told.items()


def test_site_codes_in_any_script(conn: sa.Connection) -> None:
    open_sites(conn, [("Склад №1", 53, 10), ("倉庫", 48, 11)])
    stock(conn, [Move("A", 1, 0, "倉庫")])
    place(conn, [Order(1, [("A", 1)])])
    assert [row[2] for row in advance(conn)] == ["倉庫"]


def test_an_order_that_many_sites_could_ship_tells_the_nearest_five(conn: sa.Connection) -> None:
    open_sites(conn, [(f"S{number}", 50.0, float(number)) for number in range(9)])
    stock(conn, [Move("A", 1, 0, f"S{number}") for number in range(9)])
    place(conn, [Order(1, [("A", 1)], 50.0, 8.0)])
    advance(conn)
    query = sa.text("SELECT inputs FROM decisions.ledger WHERE kind = 'allocation'")
    told = conn.execute(query).scalar_one()["candidates"]
    assert [one["site"] for one in told] == ["S8", "S7", "S6", "S5", "S4"]
    assert [one["verdict"] for one in told] == ["ships"] + ["less preferred"] * 4
    assert told[0]["km"] == 0


def test_a_stop_in_mid_step_allocates_nothing(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_sites(conn, SITES)
        stock(conn, [Move("A", 3)])
        place(conn, [Order(1, [("A", 1)]), Order(2, [("A", 2)])])
        claim(conn, Stage.RESERVE)
        reserve(conn, "run")
        # As if a unit had been promised that no site has any more.
        conn.execute(sa.text("INSERT INTO warehouse.site_loads VALUES ('A', 'N', 1)"))
    step = partial(allocate, run="run")
    with pytest.raises(NotCovered):
        drain(database.begin, Stage.ALLOCATE, step)
    with database.begin() as conn:
        assert waiting(conn) == {"allocate": 2}
        assert conn.execute(sa.text("SELECT count(*) FROM warehouse.allocations")).scalar() == 0
        conn.execute(sa.text("DELETE FROM warehouse.site_loads"))
    totals = drain(database.begin, Stage.ALLOCATE, step)
    assert (totals["orders"], totals["units"], totals["parcels"]) == (2, 3, 2)


def test_workers_at_once_give_every_unit_away_once(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_sites(conn, SITES)
        stock(conn, [Move(sku, 20, 0, site) for sku in "AB" for site in "NSW"])
        place(conn, [Order(n % 3, [("BA"[n % 2], 1), ("AB"[n % 2], 2)]) for n in range(40)])
        while claim(conn, Stage.RESERVE):
            reserve(conn, "run")
    step = partial(allocate, run="run")

    def work(_: int) -> int:
        return drain(database.begin, Stage.ALLOCATE, step, chunk=3)["units"]

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 120
    with database.begin() as conn:
        loads = conn.execute(sa.text("SELECT allocated FROM warehouse.site_loads")).scalars()
        assert list(loads) == [20] * 6


def test_the_overview_of_an_empty_shop(conn: sa.Connection) -> None:
    assert division(conn) == {
        "share_of_split_orders": 0.0, "average_distance_km": 0.0, "units_backordered": 0.0,
    }  # fmt: skip
    assert list(parcels_per_site(conn, 3)) == []
    assert conn.execute(BACKORDERED).all() == []


def test_the_overview_counts_parcels_not_lines(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 2), Move("B", 2), Move("C", 1, 0, "S")])
    place(shop, [Order(1, [("A", 1), ("B", 1), ("C", 1)]), Order(2, [("A", 1), ("A", 4)]),
                 Order(3, [("A", 1), ("D", 2)])])  # fmt: skip
    advance(shop)
    assert list(parcels_per_site(shop, 3)) == [("N", 2), ("S", 1)]
    assert list(parcels_per_site(shop, 1)) == [("N", 2)]
    assert division(shop)["share_of_split_orders"] == 0.5
    assert division(shop)["average_distance_km"] == 0.0
    short = [tuple(row) for row in shop.execute(BACKORDERED)]
    assert short == [("A", 5, 2, day(2)), ("D", 2, 1, day(3))]


def take(conn: sa.Connection, *rows: dict[str, Any]) -> int:
    feeds.SITES.create(conn)
    given = {"country": "DE", "latitude": 1.0, "longitude": 2.0, "handling_minor": 5,
             "currency": "EUR", "name": "?", "daily_capacity": None}  # fmt: skip
    if rows:
        conn.execute(sa.insert(feeds.SITES), [given | row for row in rows])
    taken = take_sites(conn, None)
    feeds.SITES.drop(conn)
    return taken


def test_of_two_rows_for_a_site_the_last_written_is_taken(conn: sa.Connection) -> None:
    assert take(conn, *({"site_code": "N", "name": name} for name in "cab")) == 1
    assert conn.execute(sa.text("SELECT name FROM warehouse.sites")).scalar_one() == "b"
    assert take(conn) == 0


@pytest.mark.parametrize(
    "change",
    [{"daily_capacity": 0}, {"latitude": 1.0000001}, {"handling_minor": 0}, {"currency": "JPY"},
     {"name": "Große Halle " * 500}],
)  # fmt: skip
def test_any_change_of_a_site_is_taken(conn: sa.Connection, change: dict[str, Any]) -> None:
    take(conn, {"site_code": "N"})
    assert take(conn, {"site_code": "N", **change}) == 1
    assert take(conn, {"site_code": "N", **change}) == 0
    # And back, to nothing where there was nothing.
    assert take(conn, {"site_code": "N"}) == 1
