"""Kits in orders: put together from what is free, promised and sent like any product."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.inventory.assembling import Assembly, assemblies
from ecom_assets.inventory.store import assemble_kits, call_backorders, reserve, value_stock
from ecom_assets.shared.flow import Stage, claim
from fixtures.kept_stock import on_hand, open_shop
from fixtures.stock_shop import Move, Order, day, place, stock
from fixtures.stock_truth import wrong_stock

SKUS, SITES = "ABC", "MNS"
UNITS = st.integers(0, 9)
SHELVES = st.dictionaries(st.sampled_from(SITES), st.dictionaries(st.sampled_from(SKUS), UNITS))
PARTS = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 3), min_size=1)


@given(
    wanted=st.dictionaries(st.sampled_from("XYZ"), UNITS),
    parts=st.fixed_dictionaries(dict.fromkeys("XYZ", PARTS)),
    at_sites=SHELVES,
    promised=st.dictionaries(st.sampled_from(SKUS), UNITS),
)
def test_no_more_is_made_than_is_wanted_and_there(
    wanted: dict[str, int],
    parts: dict[str, dict[str, int]],
    at_sites: dict[str, dict[str, int]],
    promised: dict[str, int],
) -> None:
    free = {
        sku: sum(units.get(sku, 0) for units in at_sites.values()) - promised.get(sku, 0)
        for sku in SKUS
    }
    made = assemblies(wanted, parts, at_sites, free)
    for kit, units in wanted.items():
        assert sum(each.units for each in made if each.kit == kit) <= units
    for sku in SKUS:
        for site in SITES:
            here = [each for each in made if each.site == site]
            assert used(here, sku) <= at_sites.get(site, {}).get(sku, 0)
        assert used(made, sku) <= max(0, free[sku])
    short = [kit for kit in wanted if sum(e.units for e in made if e.kit == kit) < wanted[kit]]
    for kit in short:
        # What is short could not be made anywhere with what is left.
        for site, shelf in at_sites.items():
            here = [each for each in made if each.site == site]
            assert any(
                min(shelf.get(sku, 0) - used(here, sku), free[sku] - used(made, sku)) < takes
                for sku, takes in parts[kit].items()
            )


def used(made: Sequence[Assembly], sku: str) -> int:
    return sum(each.units * each.parts.get(sku, 0) for each in made)


def kit(conn: sa.Connection, name: str, **parts: int) -> None:
    insert = sa.text(
        "INSERT INTO catalog.kits (kit_sku, component_sku, quantity) VALUES (:k, :c, :q)"
    )
    for component, units in parts.items():
        conn.execute(insert, {"k": name, "c": component, "q": units})


def decide(conn: sa.Connection) -> dict[str, int]:
    """Make kits, reserve, and call those whose stock came; units reserved by SKU."""
    assemble_kits(conn)
    while claim(conn, Stage.RESERVE):
        reserve(conn, "run")
        assemble_kits(conn)
        call_backorders(conn)
    rows = conn.execute(sa.text("SELECT sku, sum(reserved) FROM inventory.reservations GROUP BY 1"))
    return {sku: int(units) for sku, units in rows}


def test_an_order_for_a_kit_is_served_from_its_components(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10, "B": 3})
    kit(conn, "E", A=2, B=1)
    place(conn, [Order(1, [("E", 2), ("A", 1)])])
    assert decide(conn) == {"E": 2, "A": 1}
    assert on_hand(conn, "N") == {"A": 6, "B": 1, "E": 2}
    assert wrong_stock(conn) == []


def test_kits_that_share_a_component_never_take_more_than_there_is(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 5, "B": 9, "C": 9})
    kit(conn, "E", A=2, B=1)
    kit(conn, "F", A=1, C=1)
    place(conn, [Order(1, [("E", 2)]), Order(2, [("F", 3)]), Order(3, [("A", 1)])])
    assert decide(conn) == {"E": 2, "F": 1, "A": 0}
    assert wrong_stock(conn) == []


def test_components_that_come_later_make_the_kits_that_wait(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 1})
    kit(conn, "E", A=1, B=1)
    place(conn, [Order(1, [("E", 1)])])
    assert decide(conn) == {"E": 0}
    stock(conn, [Move("B", 4, 5)], "later")
    assert assemble_kits(conn) == 3
    call_backorders(conn)
    assert decide(conn) == {"E": 1}
    [(at,)] = conn.execute(sa.text("SELECT reserved_as_of FROM inventory.reservations")).tuples()
    assert at == day(5)


def test_a_kit_of_kits_is_made_of_what_is_on_shelves(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 4, "B": 2, "C": 1})
    kit(conn, "E", A=2, B=1)
    kit(conn, "F", E=1, C=1)
    place(conn, [Order(1, [("F", 1)])])
    assert decide(conn) == {"F": 1}
    assert on_hand(conn, "N") == {"A": 2, "B": 1, "F": 1}


def test_a_kit_is_worth_what_is_in_it(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10, "B": 3})
    conn.execute(
        sa.text("UPDATE catalog.products SET unit_cost_minor = 100 WHERE sku IN ('A', 'B')")
    )
    conn.execute(sa.text("UPDATE catalog.products SET unit_cost_minor = NULL WHERE sku = 'E'"))
    kit(conn, "E", A=2, B=1)
    place(conn, [Order(1, [("E", 2)])])
    decide(conn)
    value_stock(conn, day(9), "run")
    worth = sa.text("SELECT sku, value_minor FROM inventory.valuations WHERE method = :method")
    for method in ("fifo", "average"):
        assert dict(conn.execute(worth, {"method": method}).tuples().all()) == {
            "A": 600, "B": 100, "E": 600,
        }  # fmt: skip


@pytest.mark.parametrize("missing", ["A", "B"])
def test_what_cannot_be_made_is_left(conn: sa.Connection, missing: str) -> None:
    open_shop(conn, {sku: 5 for sku in "AB" if sku != missing})
    kit(conn, "E", A=1, B=1)
    place(conn, [Order(1, [("E", 1)])])
    assert decide(conn) == {"E": 0}
    assert assemble_kits(conn) == 0
