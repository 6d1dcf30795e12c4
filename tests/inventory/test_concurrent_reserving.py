"""Several workers at once on few SKUs: never oversold, no deadlock, totals right."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import sqlalchemy as sa

from ecom_assets.inventory.store import DIFFERENCES, reserve
from ecom_assets.shared.flow import Stage, drain, waiting
from ecom_assets.warehouse.store import allocate
from fixtures.stock_shop import Move, Order, open_sites, place, stock
from resources.database import DatabaseResource

WORKERS = 4
SKUS = "CABED"


def orders(count: int) -> list[Order]:
    """Orders over two or three of the SKUs, named in an order that invites deadlocks."""
    return [
        Order(
            number % 7,
            [(SKUS[(number * step + 1) % len(SKUS)], 1 + number % 3) for step in (1, 3, 7)],
        )
        for number in range(count)
    ]


def receive(database: DatabaseResource, batch: int) -> None:
    """Take stock in and write some down while others reserve and allocate."""
    with database.begin() as conn:
        moves = [Move(sku, 15, 0, "NS"[batch % 2]) for sku in SKUS]
        moves += [Move(sku, -3, 1, "SN"[batch % 2], "adjustment") for sku in reversed(SKUS)]
        stock(conn, moves, f"batch {batch} ")


def test_workers_never_oversell_and_never_lock_each_other_out(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
        stock(conn, [Move(sku, 60, 0, site) for sku in SKUS for site in "NS"])
        place(conn, orders(240))
    with ThreadPoolExecutor(2 * WORKERS + 1) as pool:
        taking = [pool.submit(receive, database, batch) for batch in range(WORKERS)]
        step = partial(reserve, run="run")
        drains = [
            pool.submit(drain, database.begin, Stage.RESERVE, step, None, 7) for _ in range(WORKERS)
        ]
        allocating = partial(allocate, run="run")
        drains += [
            pool.submit(drain, database.begin, Stage.ALLOCATE, allocating, None, 5)
            for _ in range(2)
        ]
        for future in taking:
            future.result(timeout=60)
        totals = [future.result(timeout=60)["orders"] for future in drains]
    assert sum(totals[:WORKERS]) == 240
    drain(database.begin, Stage.ALLOCATE, allocating)
    with database.begin() as conn:
        assert conn.execute(DIFFERENCES).all() == []
        assert set(waiting(conn)) == {"carrier"}
        units = conn.execute(
            sa.text("""
                SELECT (SELECT sum(requested) FROM inventory.reservations),
                    (SELECT sum(quantity) FROM orders.order_lines),
                    (SELECT sum(reserved) FROM inventory.reservations),
                    (SELECT sum(quantity) FROM warehouse.allocations),
                    (SELECT count(*) FROM warehouse.site_loads JOIN inventory.balances
                     USING (sku, site_code) WHERE allocated > on_hand)
            """)
        ).one()
        assert units[0] == units[1]
        assert units[2] == units[3]
        assert units[4] == 0
