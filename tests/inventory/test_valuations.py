"""Valuation: both methods keep every cent, agree where costs do, and equal the plain rules."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.inventory.store import (
    DISAGREEMENTS,
    balances_as_of,
    last_move_at,
    value_stock,
)
from ecom_assets.inventory.valuing import CostedMove, Worth, fifo, moving_average
from fixtures.kept_stock import arrive, open_shop, products, receive, send
from fixtures.stock_shop import Move, day, open_sites, stock

COST = st.integers(0, 500)
MOVES = st.lists(
    st.one_of(
        st.builds(CostedMove, st.integers(1, 50), COST),
        st.builds(CostedMove, st.integers(-30, -1), st.just(0)),
    ),
    max_size=12,
)


def covered(moves: Sequence[CostedMove]) -> list[CostedMove]:
    """The moves that stock covers in their order."""
    units, found = 0, []
    for move in moves:
        if units + move.quantity >= 0:
            units += move.quantity
            found.append(move)
    return found


def worth(conn: sa.Connection, method: str, sku: str = "A") -> tuple[int, ...]:
    row = conn.execute(
        sa.text("""
            SELECT units, cost_in_minor, cost_out_minor, value_minor FROM inventory.valuations
            WHERE method = :method AND sku = :sku
        """),
        {"method": method, "sku": sku},
    ).one_or_none()
    return tuple(row) if row else (0, 0, 0, 0)


def of(found: Worth) -> tuple[int, ...]:
    return (found.units, found.cost_in_minor, found.cost_out_minor, found.value_minor)


def buy(conn: sa.Connection, units: int, cost: int, at: float, name: str) -> None:
    told = {"reference": name, "quantity": units, "received_at": day(at)}
    receive(conn, told | {"unit_cost_minor": cost, "currency": "EUR"})


def use(conn: sa.Connection, units: int, at: float, name: str) -> None:
    assert stock(conn, [Move("A", -units, at, kind="adjustment")], name) == 1


@given(moves=MOVES)
def test_every_cent_is_kept(moves: list[CostedMove]) -> None:
    for found in (fifo(covered(moves)), moving_average(covered(moves))):
        assert found.cost_in_minor == found.cost_out_minor + found.value_minor
        assert found.units == sum(move.quantity for move in covered(moves))
        assert found.units > 0 or found.value_minor == 0
        assert found.value_minor >= 0


@given(moves=MOVES, cost=COST)
def test_the_methods_agree_where_all_units_cost_the_same(
    moves: list[CostedMove], cost: int
) -> None:
    same = [CostedMove(move.quantity, cost) for move in covered(moves)]
    assert of(fifo(same)) == of(moving_average(same))
    assert fifo(same).value_minor == cost * fifo(same).units


@given(moves=MOVES)
def test_units_that_leave_before_they_come_lose_no_cent(moves: list[CostedMove]) -> None:
    found = moving_average(moves)
    assert found.cost_in_minor == found.cost_out_minor + found.value_minor


def test_what_is_left_is_what_came_last_or_the_average() -> None:
    moves = [CostedMove(10, 100), CostedMove(10, 200), CostedMove(-15)]
    assert of(fifo(moves)) == (5, 3000, 2000, 1000)
    assert of(moving_average(moves)) == (5, 3000, 2250, 750)


def test_receipts_are_valued_at_their_cost_and_others_at_the_products(
    conn: sa.Connection,
) -> None:
    open_shop(conn, {"A": 10})
    buy(conn, 10, 200, 2, "dear")
    use(conn, 15, 3, "used")
    assert value_stock(conn, day(4), "run") == 2
    assert worth(conn, "fifo") == (5, 3000, 2000, 1000)
    assert worth(conn, "average") == (5, 3000, 2250, 750)
    assert value_stock(conn, day(5), "again") == 0
    assert conn.execute(DISAGREEMENTS).all() == []


def test_a_move_dated_back_changes_what_followed(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10})
    use(conn, 5, 3, "used")
    value_stock(conn, day(9), "run")
    assert worth(conn, "average") == (5, 1000, 500, 500)
    buy(conn, 10, 400, 2, "late news")
    value_stock(conn, day(9), "run")
    assert worth(conn, "average") == (15, 5000, 1250, 3750)
    assert worth(conn, "fifo") == (15, 5000, 500, 4500)


def test_stock_is_valued_as_of_a_moment(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10})
    use(conn, 5, 3, "used")
    assert balances_as_of(conn, day(2)) == {("A", "N"): 10}
    assert balances_as_of(conn, day(3)) == {("A", "N"): 5}
    value_stock(conn, day(2), "run")
    assert worth(conn, "fifo")[0] == 10
    value_stock(conn, day(-1), "run")
    assert worth(conn, "fifo") == (0, 0, 0, 0)
    assert last_move_at(conn) == day(3)


def test_units_in_transit_are_owned_and_lost_ones_are_not(conn: sa.Connection) -> None:
    open_shop(conn, {"A": 10})
    send(conn, 4)
    value_stock(conn, day(9), "run")
    assert worth(conn, "fifo") == (10, 1000, 0, 1000)
    assert conn.execute(DISAGREEMENTS).all() == []
    arrive(conn, 3)
    value_stock(conn, day(9), "run")
    assert worth(conn, "fifo") == (9, 1000, 100, 900)
    assert conn.execute(DISAGREEMENTS).all() == []


def test_units_without_a_cost_are_counted_and_worth_nothing(conn: sa.Connection) -> None:
    open_sites(conn, [("N", 53, 10)])
    products(conn, "A", cost=None)
    stock(conn, [Move("A", 3)])
    value_stock(conn, day(9), "run")
    assert worth(conn, "average") == (3, 0, 0, 0)
    uncosted = sa.text("SELECT DISTINCT units_uncosted FROM inventory.valuations")
    assert conn.execute(uncosted).scalar_one() == 3


@pytest.mark.parametrize("wrong", ["value_minor + 1", "value_minor - 1"])
def test_the_database_refuses_a_cent_too_much(conn: sa.Connection, wrong: str) -> None:
    open_shop(conn, {"A": 10})
    value_stock(conn, day(9), "run")
    statement = sa.update(sa.table("valuations", sa.column("value_minor"), schema="inventory"))
    with pytest.raises(sa.exc.IntegrityError, match=r"conserved|within_costs"):
        conn.execute(statement.values(value_minor=sa.literal_column(wrong)))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=MOVES)
def test_sql_values_as_the_rules_do(conn: sa.Connection, moves: list[CostedMove]) -> None:
    trial = conn.begin_nested()
    open_shop(conn, {})
    kept = covered(moves)
    for number, move in enumerate(kept):
        if move.quantity > 0:
            buy(conn, move.quantity, move.unit_cost_minor, number, f"r{number}")
        else:
            use(conn, -move.quantity, number, f"u{number}")
    value_stock(conn, day(99), "run")
    assert worth(conn, "fifo") == of(fifo(kept))
    assert worth(conn, "average") == of(moving_average(kept))
    trial.rollback()


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=MOVES)
def test_the_aggregate_follows_the_rule_below_zero_too(
    conn: sa.Connection, moves: list[CostedMove]
) -> None:
    state = conn.execute(
        sa.text("""
            SELECT inventory.moving_average(q, c ORDER BY n)
            FROM unnest(CAST(:q AS bigint[]), CAST(:c AS bigint[])) WITH ORDINALITY AS m (q, c, n)
        """),
        {"q": [m.quantity for m in moves], "c": [m.unit_cost_minor for m in moves]},
    ).scalar()
    found = moving_average(moves)
    expected = [found.units, found.value_minor, found.cost_in_minor, found.cost_out_minor]
    assert (state or [0, 0, 0, 0])[:4] == expected
