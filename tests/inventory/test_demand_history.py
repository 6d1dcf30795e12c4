"""The demand history: orders without what was taken back, and weeks that stock-outs hid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.inventory import store
from ecom_assets.inventory.demand import Part, kept, stockout_share, week_of
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock

MONDAY = date(2026, 1, 5)
WEEK = timedelta(weeks=1)
EACH = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_PRODUCTS = sa.text("""
    INSERT INTO catalog.products (sku, name, category, currency)
    SELECT sku, sku, 'x', 'EUR' FROM unnest(CAST(:skus AS text[])) AS given (sku)
""")
_EVENT = sa.text("""
    INSERT INTO orders.observed_events (channel, external_id, kind, reference, happened_at, detail)
    VALUES ('web', :order, :kind, :reference, :at, CAST(:detail AS jsonb))
""")
_MOVE = sa.text("""
    INSERT INTO inventory.movements (sku, site_code, kind, quantity, moved_at, reference)
    VALUES (:sku, 'N', 'adjustment', :quantity, :at, :reference)
""")
_ALLOCATE = sa.text("""
    INSERT INTO warehouse.allocations (
        order_id, order_line_id, sku, site_code, quantity, policy, available_at, allocated_as_of,
        run_id
    )
    SELECT order_id, order_line_id, sku, :site, :quantity, 'split_line', :at, :at, 'x'
    FROM orders.order_lines WHERE line_no = :line_no
""")
_SOLD = sa.text("""
    SELECT sku, site_code, week_date, sold_units FROM inventory.demand_history
    WHERE sold_units > 0 ORDER BY 1, 2, 3
""")
_SHARES = sa.text("""
    SELECT week_date, stockout_share FROM inventory.demand_history WHERE sku = 'C'
""")
_KIT = sa.text("""
    INSERT INTO catalog.kits (kit_sku, component_sku, quantity) VALUES ('A', 'B', 3)
""")
_GIVE_UP = {
    "fulfilment_state = 'cancelled'": sa.text("""
        UPDATE flow.order_states SET fulfilment_state = 'cancelled'
        WHERE order_id = (SELECT min(order_id) FROM orders.orders)
    """),
    "risk_state = 'rejected'": sa.text("""
        UPDATE flow.order_states SET risk_state = 'rejected'
        WHERE order_id = (SELECT min(order_id) FROM orders.orders)
    """),
}
_BACKORDER = sa.text("""
    INSERT INTO inventory.reservations
        (order_line_id, order_id, sku, requested, reserved, backordered, reserved_as_of, run_id)
    SELECT order_line_id, order_id, sku, quantity, 0, quantity, :at, 'x' FROM orders.order_lines
""")


@pytest.fixture
def shop(conn: sa.Connection) -> sa.Connection:
    """Two sites with stock of A and B, most of it at N, and both in the catalogue."""
    open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
    conn.execute(_PRODUCTS, {"skus": ["A", "B"]})
    stock(conn, [Move("A", 50), Move("A", 20, 0, "S"), Move("B", 9)])
    return conn


def refresh(conn: sa.Connection, weeks: int = 4) -> dict[str, int]:
    return store.refresh_history(conn, MONDAY - WEEK, MONDAY + weeks * WEEK, "run")


def history(conn: sa.Connection) -> list[Any]:
    rows = conn.execute(_SOLD)
    return [tuple(row) for row in rows]


def event(conn: sa.Connection, order: int, kind: str, at: datetime | None, detail: str) -> None:
    """Something that happened to an order, as its channel told."""
    values = {"order": str(order), "kind": kind, "at": at, "detail": detail, "reference": str(at)}
    conn.execute(_EVENT, values)


def test_units_count_in_the_week_they_were_ordered(shop: sa.Connection) -> None:
    # The shop's first day is a Thursday: days 4 to 10 are the week of its first Monday.
    place(shop, [Order(3.9, [("A", 5)]), Order(4, [("A", 2), ("B", 1)]), Order(10.9, [("A", 3)])])
    refresh(shop)
    assert history(shop) == [
        ("A", "N", MONDAY - WEEK, 5),
        ("A", "N", MONDAY, 5),
        ("B", "N", MONDAY, 1),
    ]


def test_a_second_look_writes_nothing(shop: sa.Connection) -> None:
    place(shop, [Order(5, [("A", 5)])])
    assert refresh(shop) == {"weeks_written": 1, "weeks_removed": 0}
    assert refresh(shop) == {"weeks_written": 0, "weeks_removed": 0}


def test_what_is_not_in_the_catalogue_is_no_product(shop: sa.Connection) -> None:
    place(shop, [Order(5, [("POSTAGE", 1), ("A", 1)])])
    refresh(shop)
    assert history(shop) == [("A", "N", MONDAY, 1)]


def test_the_site_that_ships_has_the_demand_and_the_home_has_the_rest(shop: sa.Connection) -> None:
    place(shop, [Order(5, [("A", 9)])])
    shop.execute(_ALLOCATE, {"site": "S", "quantity": 4, "at": day(5), "line_no": 1})
    refresh(shop)
    assert history(shop) == [("A", "N", MONDAY, 5), ("A", "S", MONDAY, 4)]


@pytest.mark.parametrize("state", ["fulfilment_state = 'cancelled'", "risk_state = 'rejected'"])
def test_orders_that_were_given_up_are_no_demand(shop: sa.Connection, state: str) -> None:
    place(shop, [Order(5, [("A", 9)]), Order(6, [("A", 1)])])
    refresh(shop)
    shop.execute(_GIVE_UP[state])
    assert refresh(shop) == {"weeks_written": 1, "weeks_removed": 0}
    assert history(shop) == [("A", "N", MONDAY, 1)]


def test_a_week_whose_orders_are_all_gone_is_removed(shop: sa.Connection) -> None:
    place(shop, [Order(5, [("A", 9)])])
    refresh(shop)
    shop.execute(_GIVE_UP["fulfilment_state = 'cancelled'"])
    assert refresh(shop) == {"weeks_written": 0, "weeks_removed": 1}
    assert history(shop) == []


def test_what_is_taken_back_at_once_was_never_wanted(shop: sa.Connection) -> None:
    place(shop, [Order(5, [("A", 9), ("B", 2)]), Order(5, [("A", 1)]), Order(5, [("A", 7)])])
    event(shop, 1, "returned", day(6), '{"lines": [{"sku": "A", "quantity": 4}]}')
    # A week later it is a return, and the demand stands.
    event(shop, 2, "returned", day(13), '{"lines": [{"sku": "A", "quantity": 1}]}')
    # A source that tells neither when nor what: the whole order was called off.
    event(shop, 3, "cancelled", None, "{}")
    refresh(shop)
    assert history(shop) == [("A", "N", MONDAY, 6), ("B", "N", MONDAY, 2)]


def test_returns_are_counted_where_they_came(shop: sa.Connection) -> None:
    stock(shop, [Move("A", 3, 6, "S", "return")], "r")
    refresh(shop)
    found = shop.execute(sa.text("SELECT sku, site_code, returned_units, sold_units FROM"
                                 " inventory.demand_history")).tuples().all()  # fmt: skip
    assert found == [("A", "S", 3, 0)]


def test_orders_taken_without_stock_show_the_demand(shop: sa.Connection) -> None:
    stock(shop, [Move("B", -9, 5, kind="adjustment")], "x")
    refresh(shop, 1)
    told = sa.text("SELECT stockout_share, is_censored FROM inventory.demand_history")
    share, is_censored = shop.execute(told).tuples().one()
    assert (share, is_censored) == (pytest.approx(6 / 7), True)
    place(shop, [Order(6, [("B", 2)])])
    shop.execute(_BACKORDER, {"at": day(6)})
    refresh(shop, 1)
    assert shop.execute(told).tuples().one() == (pytest.approx(6 / 7), False)


MOVES = st.lists(
    st.tuples(st.integers(0, 40 * 24), st.integers(-6, 6).filter(bool)), min_size=1, max_size=8
)


@EACH
@given(MOVES)
def test_stock_out_shares_equal_the_plain_rule(
    shop: sa.Connection, moves: list[tuple[int, int]]
) -> None:
    until = datetime.combine(MONDAY + 4 * WEEK, datetime.min.time(), UTC)
    told = sorted((day(hours / 24), units) for hours, units in moves)
    with shop.begin_nested() as trial:
        for place_, (at, units) in enumerate(told):
            values = {"sku": "C", "quantity": units, "at": at, "reference": str(place_)}
            shop.execute(_MOVE, values)
        shop.execute(_PRODUCTS, {"skus": ["C"]})
        refresh(shop)
        rows = shop.execute(_SHARES).tuples().all()
        trial.rollback()
    found: dict[date, float] = dict(rows)
    for back in range(-1, 4):
        week = MONDAY + back * WEEK
        assert found.get(week, 0.0) == pytest.approx(stockout_share(told, week, until)), week


LINES = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=4)


@EACH
@given(LINES, st.integers(0, 30))
def test_what_is_kept_equals_the_plain_rule(
    shop: sa.Connection, lines: Sequence[tuple[int, int]], taken_back: int
) -> None:
    with shop.begin_nested() as trial:
        place(shop, [Order(5, [("A", units) for units, _ in lines])])
        parts = []
        for number, (units, at_s) in enumerate(lines, 1):
            served = min(at_s, units)
            if served:
                values = {"site": "S", "quantity": served, "at": day(5), "line_no": number}
                shop.execute(_ALLOCATE, values)
            parts += [Part(number, "S", served), Part(number, "N", units - served)]
        if taken_back:
            detail = f'{{"lines": [{{"sku": "A", "quantity": {taken_back}}}]}}'
            event(shop, 1, "returned", day(6), detail)
        refresh(shop)
        found = {site: units for _, site, _, units in history(shop)}
        trial.rollback()
    left = kept(parts, taken_back)
    for site in ("N", "S"):
        assert found.get(site, 0) == sum(part.units for part in left if part.site_code == site)


@given(st.integers(-300_000, 300_000))
def test_a_week_begins_on_the_monday_before(hours: int) -> None:
    moment = day(hours / 24)
    monday = week_of(moment)
    assert monday.weekday() == 0
    assert timedelta() <= moment.date() - monday < WEEK


@given(st.lists(st.integers(0, 50), max_size=6), st.integers(0, 400))
def test_no_part_keeps_more_than_it_had(units: list[int], taken_back: int) -> None:
    parts = [Part(number, "N", each) for number, each in enumerate(units)]
    left = [part.units for part in kept(parts, taken_back)]
    assert sum(left) == max(0, sum(units) - taken_back)
    assert all(after <= before for after, before in zip(left, units, strict=True))


def test_who_asks_for_a_kit_asks_for_what_is_in_it(shop: sa.Connection) -> None:
    shop.execute(_KIT)
    place(shop, [Order(5, [("A", 2), ("B", 1)])])
    store.refresh_history(shop, MONDAY, MONDAY + WEEK, "run")
    assert shop.execute(_SOLD).tuples().all() == [
        ("A", "N", MONDAY, 2), ("B", "N", MONDAY, 7),
    ]  # fmt: skip
