"""Sales posted for shipments: once, and equal in movements, balances, positions, reservations."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.inventory.assets import promises as assets
from ecom_assets.inventory.store import DIFFERENCES, post_sales, reserve
from ecom_assets.shared.flow import Stage, claim, hand_on
from ecom_assets.warehouse.store import allocate
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from resources.database import DatabaseResource

_SHIP = sa.text("""
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
    SELECT order_id, site_code, 'X', sum(quantity), 1, false, 1, 'EUR',
        max(available_at) + interval '1 day', max(available_at) + interval '2 days', 'ship'
    FROM warehouse.allocations GROUP BY order_id, site_code
""")


def shipped_shop(conn: sa.Connection) -> None:
    """Two orders shipped from two sites, a third on backorder, each waiting for `POST_SALE`."""
    open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
    stock(conn, [Move("A", 5, 0, "N"), Move("A", 4, 0, "S"), Move("B", 3, 0, "S")])
    place(
        conn, [Order(1, [("A", 2), ("A", 1), ("B", 1)]), Order(2, [("A", 6)]), Order(3, [("C", 1)])]
    )
    claim(conn, Stage.RESERVE)
    reserve(conn, "run")
    claim(conn, Stage.ALLOCATE)
    allocate(conn, "run")
    conn.execute(_SHIP)
    shipped = sa.text("SELECT DISTINCT order_id, shipped_at AS due_at FROM transport.shipments")
    hand_on(conn, [Stage.POST_SALE], shipped.columns(sa.column("order_id"), sa.column("due_at")))


def scalars(conn: sa.Connection, query: str) -> list[Any]:
    return list(conn.execute(sa.text(query)).scalars())


def test_sales_reach_all_tables_at_once(conn: sa.Connection) -> None:
    shipped_shop(conn)
    claim(conn, Stage.POST_SALE)
    assert post_sales(conn) == {"movements": 4, "units": 10}
    rows = conn.execute(
        sa.text("""
            SELECT sku, site_code, quantity, reference, moved_at FROM inventory.movements
            WHERE kind = 'sale' ORDER BY reference, sku, site_code
        """)
    )
    assert [tuple(row) for row in rows] == [
        ("A", "S", -3, "order:web/1", day(2)),
        ("B", "S", -1, "order:web/1", day(2)),
        ("A", "N", -5, "order:web/2", day(3)),
        ("A", "S", -1, "order:web/2", day(3)),
    ]
    balances = "SELECT format('%s%s %s %s', sku, site_code, on_hand, sold) FROM inventory.balances"
    assert sorted(scalars(conn, balances)) == ["AN 0 5", "AS 0 4", "BS 2 1"]
    positions = "SELECT format('%s %s %s', sku, on_hand, reserved) FROM inventory.positions"
    assert sorted(scalars(conn, positions)) == ["A 0 0", "B 2 0"]
    assert scalars(conn, "SELECT sum(reserved - shipped) FROM inventory.reservations") == [0]
    assert conn.execute(DIFFERENCES).all() == []


def test_a_sale_that_is_posted_already_is_not_posted_again(conn: sa.Connection) -> None:
    shipped_shop(conn)
    claim(conn, Stage.POST_SALE)
    post_sales(conn)
    assert post_sales(conn) == {"movements": 0, "units": 0}
    assert conn.execute(DIFFERENCES).all() == []


def materialise(database: DatabaseResource, *chosen: Any) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            list(chosen),
            instance=instance,
            resources={"database": database},
            raise_on_error=False,
        )


def metadata_of(result: dg.ExecuteInProcessResult, noun: str) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node(f"inventory__{noun}")
    return {name: value.value for name, value in event.metadata.items()}


def test_the_assets_post_sales_and_prove_balances(database: DatabaseResource) -> None:
    with database.begin() as conn:
        shipped_shop(conn)
        conn.execute(
            sa.text("""
                INSERT INTO catalog.products (sku, name, category, unit_cost_minor, currency)
                VALUES ('A', 'A', 'x', 100, 'EUR'), ('B', 'B', 'x', 250, 'EUR')
            """)
        )
    result = materialise(database, *assets.ASSETS)
    assert result.success
    posted = metadata_of(result, "movements")
    assert (posted["movements"], posted["units"], posted["orders"]) == (4, 10, 2)
    proven = metadata_of(result, "balances")
    assert proven["differences"] == 0
    assert proven["units_on_hand"] == 2
    assert proven["skus_out_of_stock"] == 1
    assert proven["stock_value_at_cost"] == "5.00 EUR"
    assert "| A | 0 | 0 | 0.32 | 0.0 |" in proven["lowest_cover"]
    assert metadata_of(result, "reservations")["dagster/row_count"] == 5


def test_the_assets_work_on_an_empty_shop(database: DatabaseResource) -> None:
    assert materialise(database, *assets.ASSETS).success


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE inventory.balances SET on_hand = on_hand + 1 WHERE sku = 'B'",
        "UPDATE inventory.positions SET reserved = reserved - 1 WHERE sku = 'B'",
        "DELETE FROM inventory.balances WHERE sku = 'B'",
        "DELETE FROM inventory.movements WHERE sku = 'B'",
    ],
)
def test_a_balance_that_is_off_fails_and_is_named(database: DatabaseResource, damage: str) -> None:
    with database.begin() as conn:
        shipped_shop(conn)
        conn.execute(sa.text(damage))
    result = materialise(database, assets.balances)
    assert not result.success
    failure = result.failure_data_for_node("inventory__balances")
    assert failure is not None
    assert failure.user_failure_data is not None
    metadata = failure.user_failure_data.metadata
    assert "| B |" in str(metadata["first_differences"].value)
