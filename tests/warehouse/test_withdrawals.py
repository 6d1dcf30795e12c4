"""Withdrawals: what was allocated is taken back unless it left, and can be allocated anew."""

from __future__ import annotations

from functools import partial
from threading import Thread
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.inventory.store import DIFFERENCES, release, reserve
from ecom_assets.shared.flow import PENDING, Stage, claim, drain, hand_on, waiting
from ecom_assets.warehouse.assets import withdrawals
from ecom_assets.warehouse.store import allocate, withdraw
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from resources.database import DatabaseResource

OPEN_LOADS = "SELECT format('%s%s %s', sku, site_code, allocated) FROM warehouse.site_loads"
_SHIPPED = sa.text("""
    WITH carrier AS (
        INSERT INTO transport.carriers (carrier_code, name) VALUES ('C', 'C')
    ), service AS (
        INSERT INTO transport.services
            (service_code, carrier_code, name, max_weight_g, dim_divisor, quality)
        VALUES ('X', 'C', 'X', 30000, 0, 1)
    )
    INSERT INTO transport.shipments (
        order_id, site_code, service_code, units, weight_g, is_weight_estimated, cost_minor,
        currency, shipped_at, eta_at, run_id
    )
    SELECT order_id, site_code, 'X', sum(quantity), 1, false, 1, 'EUR', max(available_at),
        max(available_at), 'ship'
    FROM warehouse.allocations WHERE site_code = 'S' GROUP BY order_id, site_code
""")


def rows(conn: sa.Connection, query: str) -> list[Any]:
    return sorted(conn.execute(sa.text(query)).scalars())


def allocated_shop(conn: sa.Connection) -> None:
    """Two allocated orders, the first from two sites, each waiting for a carrier."""
    open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
    stock(conn, [Move("A", 5, 0, "N"), Move("B", 4, 0, "S")])
    place(conn, [Order(1, [("A", 2), ("B", 1)], 53, 10), Order(2, [("A", 3)], 53, 10)])
    claim(conn, Stage.RESERVE)
    reserve(conn, "run")
    claim(conn, Stage.ALLOCATE)
    allocate(conn, "run")


def change(conn: sa.Connection, at: float, *names: str) -> None:
    """Let orders wait to be taken back as of a day."""
    query = sa.text("SELECT order_id, CAST(:at AS timestamptz) AS due_at FROM orders.orders"
                    " WHERE external_id = ANY(:names)")  # fmt: skip
    given = query.bindparams(at=day(at), names=list(names))
    hand_on(conn, [Stage.UNALLOCATE], given.columns(PENDING.c.order_id, PENDING.c.due_at))


def test_what_has_not_left_is_taken_back(conn: sa.Connection) -> None:
    allocated_shop(conn)
    change(conn, 3, "1")
    claim(conn, Stage.UNALLOCATE)
    assert withdraw(conn, "run-2") == {"orders_taken_back": 1, "units": 3, "parcels": 2}
    assert rows(conn, OPEN_LOADS) == ["AN 3", "BS 0"]
    assert rows(conn, "SELECT quantity FROM warehouse.allocations") == [3]
    kept = conn.execute(
        sa.text("""
            SELECT sku, site_code, quantity, allocated_as_of, withdrawn_as_of, run_id
            FROM warehouse.withdrawals ORDER BY sku
        """)
    ).all()
    assert [tuple(row) for row in kept] == [
        ("A", "N", 2, day(1), day(3), "run-2"),
        ("B", "S", 1, day(1), day(3), "run-2"),
    ]
    event = "SELECT detail FROM decisions.timeline WHERE event = 'allocation_withdrawn'"
    assert conn.execute(sa.text(event)).scalar_one() == {"units": 3, "sites": ["N", "S"]}
    # the first order waits for nothing else any more, the second goes on
    assert waiting(conn) == {"carrier": 1, "release": 1}


def test_a_parcel_that_left_stays(conn: sa.Connection) -> None:
    allocated_shop(conn)
    conn.execute(_SHIPPED)
    change(conn, 3, "1")
    claim(conn, Stage.UNALLOCATE)
    assert withdraw(conn, "run")["units"] == 2
    assert rows(conn, OPEN_LOADS) == ["AN 3", "BS 1"]
    claim(conn, Stage.RELEASE)
    assert release(conn, "run") == {"lines": 1, "units": 2}
    kept = conn.execute(
        sa.text("SELECT sku, requested, reserved FROM inventory.reservations ORDER BY sku, 2")
    ).all()
    assert [tuple(row) for row in kept] == [("A", 3, 3), ("B", 1, 1)]
    assert conn.execute(DIFFERENCES).all() == []


def test_an_order_with_nothing_to_take_back_passes(conn: sa.Connection) -> None:
    open_sites(conn, [("N", 53, 10)])
    place(conn, [Order(1, [("A", 1)])])
    change(conn, 2, "1")
    claim(conn, Stage.UNALLOCATE)
    assert withdraw(conn, "run") == {"orders_taken_back": 0, "units": 0, "parcels": 0}
    assert rows(conn, "SELECT event FROM decisions.timeline") == []
    # it had waited to be reserved, and must not be while it is changed
    assert waiting(conn) == {"release": 1}


def test_an_order_is_decided_a_second_time(conn: sa.Connection) -> None:
    allocated_shop(conn)
    change(conn, 3, "1")
    claim(conn, Stage.UNALLOCATE)
    withdraw(conn, "run")
    claim(conn, Stage.RELEASE)
    release(conn, "run")
    # as the orders area does for an edited order
    conn.execute(
        sa.text("""
            UPDATE flow.order_states SET fulfilment_state = 'new' WHERE order_id IN
                (SELECT order_id FROM flow.pending WHERE stage = 'settle')
        """)
    )
    claim(conn, Stage.SETTLE)
    anew = sa.text("SELECT order_id, due_at FROM claimed")
    hand_on(conn, [Stage.RESERVE], anew.columns(PENDING.c.order_id, PENDING.c.due_at))
    claim(conn, Stage.RESERVE)
    assert reserve(conn, "run")["reserved"] == 1
    claim(conn, Stage.ALLOCATE)
    assert allocate(conn, "run")["units"] == 3
    assert rows(conn, OPEN_LOADS) == ["AN 5", "BS 1"]
    attempts = "SELECT attempt FROM decisions.ledger WHERE kind = 'allocation'"
    assert rows(conn, attempts) == [1, 1, 2]
    assert conn.execute(DIFFERENCES).all() == []


@pytest.fixture
def shop(database: DatabaseResource) -> DatabaseResource:
    """The shop of allocated orders, committed."""
    with database.begin() as conn:
        allocated_shop(conn)
    return database


def test_an_order_that_is_advanced_just_now_is_waited_for(shop: DatabaseResource) -> None:
    """A worker holds the order in CARRIER; taking it back waits, and sees where it went."""
    with shop.begin() as conn:
        change(conn, 3, "1")
    back = Thread(target=partial(drain, shop.begin, Stage.UNALLOCATE, partial(withdraw, run="run")))
    with shop.begin() as conn:
        claim(conn, Stage.CARRIER)
        passing = sa.text("SELECT order_id, due_at FROM claimed")
        hand_on(conn, [Stage.SHIP], passing.columns(PENDING.c.order_id, PENDING.c.due_at))
        back.start()
        back.join(0.3)
        assert back.is_alive()
    back.join(20)
    with shop.begin() as conn:
        assert waiting(conn) == {"ship": 1, "release": 1}
        assert rows(conn, "SELECT sum(quantity) FROM warehouse.withdrawals") == [3]


def test_the_asset_takes_back_and_shows_it(shop: DatabaseResource) -> None:
    with shop.begin() as conn:
        change(conn, 3, "1", "2")
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([withdrawals], instance=instance, resources={"database": shop})
    (event,) = result.asset_materializations_for_node("warehouse__withdrawals")
    assert event.metadata["units"].value == 6
    assert event.metadata["dagster/row_count"].value == 3
