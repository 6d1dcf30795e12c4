"""The assets at the head of the order path through Dagster, from messages to customers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.catalog.assets.products import ASSETS as CATALOG
from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.customers.assets import ASSETS as CUSTOMERS
from ecom_assets.orders.assets import ASSETS as ORDERS
from ecom_assets.orders.model import Message
from ecom_assets.orders.store import receive
from ecom_assets.orders.tables import INBOX
from resources.database import DatabaseResource
from resources.mail import MailResource

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ASSETS: list[Any] = [*CATALOG, *ORDERS, *CUSTOMERS]
Builder = Callable[..., dict[str, Any]]
Shown = dict[str, dict[str, Any]]


def materialise(database: DatabaseResource, config: dict[str, Any] | None = None) -> Shown:
    """Run the assets; returns the metadata by `area/asset`."""
    resources = {"database": database, "mail": MailResource()}
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(ASSETS, resources=resources, instance=instance, run_config=config)
    events = result.get_asset_materialization_events()
    found = [event.step_materialization_data.materialization for event in events]
    return {"/".join(m.asset_key.path): dict(m.metadata) for m in found}


@pytest.fixture
def shop(database: DatabaseResource, document: Builder) -> DatabaseResource:
    """One good message and one with a SKU that the catalog does not know."""
    rows = [{"sku": s, "name": s, "category": "x", "currency": "EUR"} for s in ("SKU-1", "SKU-2")]
    line = {"line_no": 1, "sku": "NEW", "quantity": 1, "unit_price_minor": 5}
    with database.begin() as conn:
        conn.execute(sa.insert(PRODUCTS), rows)
        unknown = document(lines=[line], total_minor=None)
        receive(
            conn, [Message("web", "A-1", NOON, document()), Message("web", "A-2", NOON, unknown)]
        )
    return database


def test_first_run_shows_what_it_did(shop: DatabaseResource) -> None:
    shown = materialise(shop)
    orders = shown["orders/orders"]
    assert (orders["accepted"].value, orders["parked"].value) == (1, 1)
    assert orders["total_last_60_days"].value == "14.50 EUR"
    assert "| web | 1 | EUR | 1450 |" in orders["channels_last_60_days"].value
    assert "unknown_sku" in orders["parked_by_reason"].value
    assert "data:image/png" in orders["orders_per_day"].value
    assert shown["orders/order_lines"]["dagster/row_count"].value == 2
    assert shown["catalog/products"]["shipping_weights_changed"].value == 2
    assert shown["catalog/products"]["without_stated_weight_percent"].value == 100
    assert shown["customers/customers"]["changed"].value == 1
    assert "c1@example.com" not in str(shown["customers/customers"]["most_orders"].value)


def test_second_run_changes_and_draws_nothing(shop: DatabaseResource) -> None:
    materialise(shop)
    shown = materialise(shop)
    assert shown["orders/orders"]["messages"].value == 0
    assert "orders_per_day" not in shown["orders/orders"]


def test_replay_puts_the_message_back_and_the_same_run_accepts_it(shop: DatabaseResource) -> None:
    materialise(shop)
    with shop.begin() as conn:
        new = {"sku": "NEW", "name": "new", "category": "x", "currency": "EUR"}
        conn.execute(sa.insert(PRODUCTS).values(new))
    config = {"ops": {"orders__inbox": {"config": {"replay_parked": True}}}}
    shown = materialise(shop, config)
    assert shown["orders/inbox"]["replayed"].value == 1
    assert shown["orders/inbox"]["pending"].value == 1
    assert shown["orders/orders"]["accepted"].value == 1


def test_inbox_settles_revisions_before_anything_is_accepted(
    shop: DatabaseResource, document: Builder
) -> None:
    with shop.begin() as conn:
        receive(conn, [Message("web", "A-1", NOON.replace(hour=13), document(shipping_minor=1))])
    assert materialise(shop)["orders/inbox"]["superseded"].value == 1
    with shop.begin() as conn:
        states = sa.select(INBOX.c.state).where(INBOX.c.external_id == "A-1")
        found = conn.execute(states.order_by(INBOX.c.revision)).scalars().all()
    assert found == ["superseded", "parked"], "the revision's stated total is wrong"


def test_empty_shop(database: DatabaseResource) -> None:
    shown = materialise(database)
    assert shown["orders/orders"]["total_last_60_days"].value == "none"
    assert shown["catalog/products"]["without_stated_weight_percent"].value == 0
