"""Sites and allocations in PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.inventory.store import reserve
from ecom_assets.shared import feeds
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from ecom_assets.warehouse.rules import NotCovered
from ecom_assets.warehouse.store import allocate, take_sites
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from resources.database import DatabaseResource

SITES = [("N", 53.5, 10.0), ("S", 48.1, 11.6), ("W", 51.0, 7.0)]
NEAR_NORTH = 53.0, 10.0


def site(code: str, **other: Any) -> dict[str, Any]:
    row = {
        "site_code": code, "name": code, "country": "DE", "latitude": 1.0, "longitude": 2.0,
        "handling_minor": 5, "currency": "EUR", "city": None,
    }  # fmt: skip
    return row | other


def test_sites_are_taken_once_and_updated_when_they_change(conn: sa.Connection) -> None:
    def take(*sites: dict[str, Any]) -> int:
        feeds.SITES.create(conn)
        conn.execute(sa.insert(feeds.SITES), list(sites))
        taken = take_sites(conn, None)
        feeds.SITES.drop(conn)
        return taken

    assert take(site("N"), site("S")) == 2
    assert take(site("N"), site("S")) == 0
    assert take(site("N"), site("S", city="Ulm")) == 1
    rows = conn.execute(sa.text("SELECT site_code, city FROM warehouse.sites"))
    assert dict(rows.tuples().all()) == {"N": None, "S": "Ulm"}


def advance(conn: sa.Connection, chunk: int = 100) -> None:
    """Reserve and allocate all orders that wait."""
    while claim(conn, Stage.RESERVE, chunk):
        reserve(conn, "run")
    while claim(conn, Stage.ALLOCATE, chunk):
        allocate(conn, "run")


def allocations(conn: sa.Connection) -> list[tuple[Any, ...]]:
    query = sa.text("""
        SELECT o.external_id, l.line_no, a.site_code, a.quantity, a.policy, a.available_at
        FROM warehouse.allocations AS a
        JOIN orders.orders AS o USING (order_id)
        JOIN orders.order_lines AS l USING (order_line_id)
        ORDER BY o.external_id, l.line_no, a.site_code
    """)
    return [tuple(row) for row in conn.execute(query)]


def shop(conn: sa.Connection) -> None:
    """An order one site ships, one two sites ship, one that is partly on backorder."""
    open_sites(conn, SITES)
    stock(
        conn,
        [Move("A", 3, site_code="N"), Move("A", 9, site_code="S"), Move("B", 1, site_code="W")],
    )
    place(
        conn,
        [
            Order(2, [("A", 1), ("A", 2)], *NEAR_NORTH),
            Order(3, [("A", 1), ("B", 1)], *NEAR_NORTH),
            Order(4, [("B", 1), ("A", 1)]),
        ],
    )


def test_orders_are_allocated_with_states_events_and_loads(conn: sa.Connection) -> None:
    shop(conn)
    advance(conn)
    assert allocations(conn) == [
        ("1", 1, "N", 1, "single_site", day(2)),
        ("1", 2, "N", 2, "single_site", day(2)),
        ("2", 1, "S", 1, "split_by_line", day(3)),
        ("2", 2, "W", 1, "split_by_line", day(3)),
        ("3", 2, "S", 1, "single_site", day(4)),
    ]
    states = sa.text("SELECT fulfilment_state FROM flow.order_states ORDER BY order_id")
    assert list(conn.execute(states).scalars()) == ["allocated", "allocated", "partly_allocated"]
    loads = conn.execute(sa.text("SELECT sku || site_code, allocated FROM warehouse.site_loads"))
    assert dict(loads.tuples().all()) == {"AN": 3, "AS": 2, "BW": 1}
    assert waiting(conn) == {"carrier": 3}
    distances = sa.text("SELECT distance_km IS NULL FROM warehouse.allocations ORDER BY order_id")
    assert list(conn.execute(distances).scalars()) == [False, False, False, False, True]


_ARCHIVE = sa.text("UPDATE warehouse.sites SET archived_at = now() WHERE site_code = :site")


def test_nothing_is_allocated_to_an_archived_site(conn: sa.Connection) -> None:
    open_sites(conn, SITES)
    stock(conn, [Move("A", 3, site_code="N"), Move("A", 9, site_code="S")])
    place(conn, [Order(2, [("A", 1)], *NEAR_NORTH)])
    conn.execute(_ARCHIVE, {"site": "N"})
    advance(conn)
    assert [row[2:5] for row in allocations(conn)] == [("S", 1, "single_site")]


def test_what_an_archived_site_has_promised_still_ships(conn: sa.Connection) -> None:
    open_sites(conn, SITES)
    stock(conn, [Move("A", 3, site_code="N"), Move("A", 2, site_code="S")])
    place(conn, [Order(2, [("A", 5)], *NEAR_NORTH)])
    conn.execute(_ARCHIVE, {"site": "N"})
    advance(conn)
    assert [row[2:4] for row in allocations(conn)] == [("N", 3), ("S", 2)]


def test_a_feed_does_not_revive_an_archived_site(conn: sa.Connection) -> None:
    open_sites(conn, SITES)
    conn.execute(_ARCHIVE, {"site": "N"})
    feeds.SITES.create(conn)
    conn.execute(sa.insert(feeds.SITES), [site("N")])
    assert take_sites(conn, None) == 1
    feeds.SITES.drop(conn)
    archived = sa.text("SELECT site_code FROM warehouse.sites WHERE archived_at IS NOT NULL")
    assert conn.scalars(archived).all() == ["N"]


def test_the_ledger_tells_which_sites_were_considered(conn: sa.Connection) -> None:
    shop(conn)
    advance(conn)
    query = sa.text("""
        SELECT outcome, reasons, inputs FROM decisions.ledger
        WHERE kind = 'allocation' ORDER BY order_id
    """)
    first, second, _ = conn.execute(query).all()
    assert first.outcome == "single_site"
    assert [(c["site"], c["verdict"]) for c in first.inputs["candidates"]] == [
        ("N", "ships"), ("S", "less preferred")
    ]  # fmt: skip
    assert second.reasons == ["no_site_has_all"]
    assert [(c["site"], c["covers"], c["verdict"]) for c in second.inputs["candidates"]] == [
        ("N", 0, "too little stock"), ("W", 1, "ships"), ("S", 1, "ships")
    ]  # fmt: skip
    assert second.inputs["candidates"][0]["km"] == pytest.approx(55.6, abs=0.1)


def test_stock_between_two_sites_makes_an_order_wait(conn: sa.Connection) -> None:
    open_sites(conn, SITES)
    stock(conn, [Move("A", 2), Move("A", -1, 3), Move("A", 2, 4, "S"), Move("A", 5, 1, "W"),
                 Move("A", -5, 2, "W"), Move("A", 5, 2, "N")])  # fmt: skip
    place(conn, [Order(1.5, [("A", 6)])])
    advance(conn)
    assert allocations(conn) == [("1", 1, "N", 6, "single_site", day(2))]
    reasons = sa.text("SELECT reasons FROM decisions.ledger WHERE kind = 'allocation'")
    assert conn.execute(reasons).scalar_one() == ["one_site_ships_all", "waits_for_stock"]


def test_what_is_reserved_but_nowhere_stops_the_step(conn: sa.Connection) -> None:
    shop(conn)
    claim(conn, Stage.RESERVE)
    reserve(conn, "run")
    conn.execute(sa.text("INSERT INTO warehouse.site_loads VALUES ('B', 'W', 1)"))
    claim(conn, Stage.ALLOCATE)
    with pytest.raises(NotCovered):
        allocate(conn, "run")


def test_a_second_run_changes_nothing(database: DatabaseResource) -> None:
    with database.begin() as conn:
        shop(conn)
        claim(conn, Stage.RESERVE)
        reserve(conn, "run")
    step = partial(allocate, run="run")
    assert drain(database.begin, Stage.ALLOCATE, step)["orders"] == 3
    with database.begin() as conn:
        before = allocations(conn)
    assert drain(database.begin, Stage.ALLOCATE, step) == {"orders": 0}
    with database.begin() as conn:
        assert allocations(conn) == before


MOVES = st.lists(
    st.builds(
        Move, st.sampled_from("AB"), st.integers(-3, 8).filter(bool), st.integers(0, 6),
        st.sampled_from("NSW"),
    ),
    max_size=12,
)  # fmt: skip
LINES = st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 4)), min_size=1, max_size=3)
ORDERS = st.lists(
    st.builds(Order, st.integers(0, 6), LINES, st.sampled_from([None, 48.0, 53.0]), st.just(9.0)),
    min_size=1,
    max_size=8,
)
_OFF = sa.text("""
    WITH given AS (
        SELECT order_line_id, sum(quantity) AS units FROM warehouse.allocations
        GROUP BY order_line_id
    ), folded AS (
        SELECT sku, site_code, sum(quantity) AS units FROM warehouse.allocations
        GROUP BY sku, site_code
    )
    SELECT 'line', order_line_id::text FROM inventory.reservations
    LEFT JOIN given USING (order_line_id) WHERE reserved <> coalesce(units, 0)
    UNION ALL
    SELECT 'load', sku FROM folded FULL JOIN warehouse.site_loads USING (sku, site_code)
    WHERE units IS DISTINCT FROM allocated
    UNION ALL
    SELECT 'supply', sku FROM warehouse.site_loads
    LEFT JOIN inventory.balances USING (sku, site_code) WHERE allocated > coalesce(on_hand, 0)
    UNION ALL
    SELECT 'too early', a.sku FROM warehouse.allocations AS a WHERE a.quantity > (
        SELECT sum(m.quantity) FROM inventory.movements AS m
        WHERE m.sku = a.sku AND m.site_code = a.site_code AND m.moved_at <= a.available_at
    )
""")


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=MOVES, orders=ORDERS, chunk=st.integers(1, 4))
def test_every_reserved_unit_is_allocated_once_from_what_is_there(
    database: DatabaseResource, moves: list[Move], orders: list[Order], chunk: int
) -> None:
    with database.engine.connect() as conn, conn.begin() as trial:
        open_sites(conn, SITES)
        stock(conn, moves)
        place(conn, orders)
        found = []
        for size in (chunk, 100):
            attempt = conn.begin_nested()
            advance(conn, size)
            assert conn.execute(_OFF).all() == []
            found.append(allocations(conn))
            attempt.rollback()
        assert found[0] == found[1]
        trial.rollback()


def test_moments_keep_their_microseconds(conn: sa.Connection) -> None:
    open_sites(conn, SITES)
    stock(conn, [Move("A", 3)])
    place(conn, [Order(1.000000000012, [("A", 1)])])
    conn.execute(sa.text("UPDATE flow.pending SET due_at = due_at + interval '1 microsecond'"))
    advance(conn)
    assert allocations(conn)[0][-1] - day(1) in {timedelta(microseconds=n) for n in (1, 2, 3)}
