"""The allocations asset in Dagster."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from ecom_assets.inventory.store import reserve
from ecom_assets.shared.flow import Stage, claim
from ecom_assets.warehouse.assets import allocations
from fixtures.stock_shop import Move, Order, open_sites, place, stock
from resources.database import DatabaseResource


def materialise(database: DatabaseResource) -> dict[str, Any]:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([allocations], instance=instance, resources={"database": database})
    (event,) = result.asset_materializations_for_node("warehouse__allocations")
    return {name: value.value for name, value in event.metadata.items()}


def test_allocations_materialise_and_show_how_orders_are_divided(
    database: DatabaseResource,
) -> None:
    with database.begin() as conn:
        open_sites(conn, [("N", 53, 10), ("S", 48, 11)])
        stock(conn, [Move("A", 3, 0, "N"), Move("A", 1, 0, "S")])
        place(conn, [Order(1, [("A", 1)], 53.0, 10.0), Order(2, [("A", 3)]), Order(3, [("A", 2)])])
        claim(conn, Stage.RESERVE)
        reserve(conn, "run")
    shown = materialise(database)
    assert shown["orders"] == 2
    assert shown["parcels"] == 3
    assert shown["split_orders"] == 1
    assert shown["share_of_split_orders"] == pytest.approx(0.5)
    assert shown["average_distance_km"] == 0
    assert shown["units_backordered"] == 2
    assert shown["parcels_per_site"].startswith("![Parcels per site](data:image/png;base64,")
    assert "| A | 2 | 1 |" in shown["most_backordered"]
    assert materialise(database)["orders"] == 0


def test_allocations_materialise_on_an_empty_shop(database: DatabaseResource) -> None:
    assert materialise(database)["newest"] == "*no rows*"
