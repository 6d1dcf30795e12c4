"""Reserving in PostgreSQL: equal to the plain rule, whatever the chunks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.inventory.rules import Ask, StockMove, outcome, reserve_in_turn
from ecom_assets.inventory.store import reserve
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from resources.database import DatabaseResource

SKUS = st.sampled_from("AB")
DAYS = st.integers(0, 6)
MOVES = st.lists(
    st.builds(Move, SKUS, st.integers(-4, 8).filter(bool), DAYS, st.sampled_from("NS")),
    max_size=10,
)
LINES = st.lists(st.tuples(SKUS, st.integers(1, 4)), min_size=1, max_size=3)
ORDERS = st.lists(st.builds(Order, DAYS, LINES), min_size=1, max_size=8)
Table = list[tuple[str, int, str, int, int]]


def reservations(conn: sa.Connection) -> Table:
    rows = conn.execute(
        sa.text("""
            SELECT o.external_id, l.line_no, r.sku, r.requested, r.reserved
            FROM inventory.reservations AS r
            JOIN orders.order_lines AS l USING (order_line_id)
            JOIN orders.orders AS o ON o.order_id = r.order_id
            ORDER BY r.reserved_as_of, o.order_id, l.line_no
        """)
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def by_the_rule(conn: sa.Connection, orders: Sequence[Order]) -> Table:
    """What `reserve_in_turn` gives each line, on the movements that were taken."""
    turn = sorted(enumerate(orders, 1), key=lambda pair: (pair[1].day, pair[0]))
    lines = [
        (order.day, str(number), line_no, sku, quantity)
        for number, order in turn
        for line_no, (sku, quantity) in enumerate(order.lines, 1)
    ]
    expected: dict[tuple[str, int], int] = {}
    for wanted, of_sku in groupby(sorted(lines, key=lambda line: line[3]), lambda line: line[3]):
        query = sa.text("SELECT moved_at, quantity FROM inventory.movements WHERE sku = :sku")
        moves = [StockMove(*row) for row in conn.execute(query, {"sku": wanted})]
        asked = list(of_sku)
        units = reserve_in_turn([Ask(day(a[0]), a[4]) for a in asked], moves, promised=0)
        expected |= {a[1:3]: given_units for a, given_units in zip(asked, units, strict=True)}
    return [
        (number, line_no, sku, quantity, expected[number, line_no])
        for _, number, line_no, sku, quantity in lines
    ]


def in_chunks(conn: sa.Connection, chunk: int) -> Table:
    """Reserve chunk by chunk, look, and take everything back."""
    trial = conn.begin_nested()
    while claim(conn, Stage.RESERVE, chunk):
        reserve(conn, "run")
    found = reservations(conn)
    trial.rollback()
    return found


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=MOVES, orders=ORDERS, chunk=st.integers(1, 4))
def test_sql_equals_the_rule_in_chunks_of_any_size(
    database: DatabaseResource, moves: list[Move], orders: list[Order], chunk: int
) -> None:
    with database.engine.connect() as conn, conn.begin() as trial:
        open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
        stock(conn, moves)
        place(conn, orders)
        expected = by_the_rule(conn, orders)
        assert in_chunks(conn, chunk=100) == expected
        assert in_chunks(conn, chunk) == expected
        trial.rollback()


def shop(conn: sa.Connection) -> None:
    """A partly covered order, a covered one with one SKU on two lines, one without stock."""
    open_sites(conn, [("N", 53, 10)])
    stock(conn, [Move("A", 5)])
    place(
        conn,
        [
            Order(2, [("A", 1), ("A", 2)]),
            Order(3, [("A", 4), ("B", 1)]),
            Order(4, [("B", 1)]),
        ],
    )


def test_states_decisions_and_promises_move_together(conn: sa.Connection) -> None:
    shop(conn)
    claim(conn, Stage.RESERVE)
    assert reserve(conn, "run-1") == {
        "reserved": 1, "partly_reserved": 1, "backordered": 1, "units_reserved": 5,
        "units_backordered": 4,
    }  # fmt: skip
    states = conn.execute(
        sa.text("SELECT fulfilment_state FROM flow.order_states ORDER BY order_id")
    ).scalars()
    assert list(states) == ["reserved", "partly_reserved", "backordered"]
    ledger = conn.execute(
        sa.text("""
            SELECT outcome, reasons, inputs, version, run_id, decided_as_of
            FROM decisions.ledger WHERE kind = 'reservation' ORDER BY order_id
        """)
    ).all()
    assert ledger[1] == (
        "partly_reserved",
        ["stock_covers_part"],
        {
            "lines": [
                {"line_no": 1, "sku": "A", "requested": 4, "free": 2},
                {"line_no": 2, "sku": "B", "requested": 1, "free": 0},
            ]
        },
        "reservation-1",
        "run-1",
        day(3),
    )
    events = conn.execute(sa.text("SELECT event FROM decisions.timeline ORDER BY order_id"))
    assert list(events.scalars()) == [
        "order_reserved",
        "order_partly_reserved",
        "order_backordered",
    ]
    assert conn.execute(sa.text("SELECT on_hand, reserved FROM inventory.positions")).one() == (
        5,
        5,
    )
    assert waiting(conn) == {"allocate": 2}


def test_the_outcome_equals_the_rule(conn: sa.Connection) -> None:
    shop(conn)
    claim(conn, Stage.RESERVE)
    reserve(conn, "run")
    rows = conn.execute(sa.text("SELECT outcome, requested, reserved FROM reserved_orders")).all()
    assert [row.outcome for row in rows] == [outcome(r.requested, r.reserved) for r in rows]


def test_a_second_run_changes_nothing(database: DatabaseResource) -> None:
    with database.begin() as conn:
        shop(conn)
    step = partial(reserve, run="run")
    assert drain(database.begin, Stage.RESERVE, step)["orders"] == 3
    with database.begin() as conn:
        before = reservations(conn)
    assert drain(database.begin, Stage.RESERVE, step) == {"orders": 0}
    with database.begin() as conn:
        assert reservations(conn) == before
