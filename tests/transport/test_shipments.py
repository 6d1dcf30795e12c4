"""The hand-over, and the transport assets through Dagster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
import sqlalchemy as sa

from ecom_assets.shared.flow import Stage, claim, waiting
from ecom_assets.shared.journal import TIMELINE
from ecom_assets.shared.states import ORDER_STATES
from ecom_assets.transport.assets import ASSETS
from ecom_assets.transport.model import RateCard
from ecom_assets.transport.store import choose_carriers, ship_parcels
from ecom_assets.transport.tables import SHIPMENTS
from fixtures.allocated_shop import NOON, Shop
from resources.database import DatabaseResource


def ship(shop: Shop, *orders: int) -> Mapping[str, int]:
    shop.wait_for(Stage.CARRIER, *orders)
    claim(shop.conn, Stage.CARRIER)
    choose_carriers(shop.conn, "run-1")
    claim(shop.conn, Stage.SHIP)
    return ship_parcels(shop.conn, "run-1")


def rows(conn: sa.Connection, table: sa.Table) -> list[dict[str, Any]]:
    return [dict(row) for row in conn.execute(sa.select(table)).mappings()]


def test_parcels_leave_when_their_last_unit_is_there(shop: Shop, card: RateCard) -> None:
    shop.take(card)
    shop.add_sites("A", "B")
    shop.add_product("ball", weight_g=700, shipping_weight_g=700)
    order = shop.add_order()
    later = NOON + timedelta(days=3)
    shop.allocate(order, "ball", quantity=2)
    shop.allocate(order, "ball", available_at=later)
    shop.allocate(order, "doll", site_code="B")
    assert ship(shop, order) == {"parcels": 2, "shipped": 1, "partly_shipped": 0}
    parcels = {row["site_code"]: row for row in rows(shop.conn, SHIPMENTS)}
    assert parcels["A"]["shipped_at"] == later
    assert parcels["A"]["eta_at"] == later + timedelta(days=5)
    assert (parcels["A"]["units"], parcels["A"]["weight_g"]) == (3, 2_100)
    assert [parcels[site]["is_weight_estimated"] for site in "AB"] == [False, True]
    assert parcels["B"]["weight_g"] == 500
    assert (parcels["B"]["cost_minor"], parcels["B"]["currency"]) == (500, "EUR")


def test_the_hand_over_moves_the_order_and_is_on_its_timeline(shop: Shop, card: RateCard) -> None:
    shop.take(card)
    shop.add_sites("A")
    whole, part = shop.add_order(), shop.add_order(state="partly_allocated")
    for order in (whole, part):
        shop.allocate(order, "ball")
    assert ship(shop, whole, part) == {"parcels": 2, "shipped": 1, "partly_shipped": 1}
    states = {row["order_id"]: row["fulfilment_state"] for row in rows(shop.conn, ORDER_STATES)}
    assert states == {whole: "shipped", part: "partly_shipped"}
    events = [row for row in rows(shop.conn, TIMELINE) if row["order_id"] == whole]
    assert sorted(row["event"] for row in events) == ["order_shipped", "parcel_handed_over"]
    detail = next(row["detail"] for row in events if row["event"] == "parcel_handed_over")
    assert (detail["carrier"], detail["service"], detail["site"]) == ("Acme", "Slow", "A")
    assert waiting(shop.conn) == {
        "post_sale": 2,
        "packing_slip": 2,
        "invoice": 2,
        "notify_shipped": 2,
    }


def test_a_repeated_hand_over_changes_nothing(shop: Shop, card: RateCard) -> None:
    shop.take(card)
    shop.add_sites("A")
    order = shop.add_order()
    shop.allocate(order, "ball")
    ship(shop, order)
    shop.wait_for(Stage.SHIP, order)
    claim(shop.conn, Stage.SHIP)
    assert ship_parcels(shop.conn, "run-2") == {"parcels": 0, "shipped": 0, "partly_shipped": 0}
    assert len(rows(shop.conn, SHIPMENTS)) == 1


def test_the_assets_show_mix_cost_and_what_is_held(
    database: DatabaseResource, card: RateCard
) -> None:
    with database.begin() as conn:
        shop = Shop(conn)
        shop.take(card)
        shop.add_sites("A")
        shop.add_product("anvil", shipping_weight_g=90_000)
        orders = [shop.add_order(promised_at=NOON + timedelta(days=9)) for _ in range(3)]
        for order, sku in zip(orders, ("ball", "ball", "anvil"), strict=True):
            shop.allocate(order, sku)
        shop.wait_for(Stage.CARRIER, *orders)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(ASSETS, resources={"database": database}, instance=instance)
        again = dg.materialize(ASSETS, resources={"database": database}, instance=instance)
    shown = _metadata(result)
    assert shown["carrier_choices"]["without_carrier"].value == 1
    assert (
        "slow: over max weight 31.5 kg" in shown["carrier_choices"]["without_carrier_preview"].value
    )
    assert shown["carrier_choices"]["share_eligible"].value == 4 / 6
    assert "cheapest, 100 % on time" in shown["carrier_choices"]["preview"].value
    assert "data:image/png" in shown["carrier_choices"]["carrier_mix"].value
    assert shown["shipments"]["cost"].value == "10.00 EUR"
    assert _metadata(again)["shipments"]["orders"].value == 0


def test_the_assets_materialise_on_an_empty_shop(database: DatabaseResource) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize(ASSETS, resources={"database": database}, instance=instance).success


def _metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    events = result.get_asset_materialization_events()
    return {
        event.materialization.asset_key.path[-1]: event.materialization.metadata for event in events
    }
