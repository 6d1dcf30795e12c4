"""The payments assets through Dagster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dagster as dg

from ecom_assets.payments.assets import ASSETS
from resources.database import DatabaseResource

Place = Callable[..., Any]


def test_payments_materialise_and_show_money_and_states(
    database: DatabaseResource, place: Place
) -> None:
    with database.begin() as conn:
        tender = {"sequence": 1, "method": "card", "amount_minor": 1234}
        place(conn, [(1234, [{**tender, "authorised_at": "2024-03-01T00:00:00Z"}]), (99, [tender])])
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(ASSETS, resources={"database": database}, instance=instance)
    shown = result.asset_materializations_for_node("payments")
    metadata = {m.asset_key.path[-1]: m.metadata for m in shown}
    assert metadata["transactions"]["tenders"].value == 2
    assert metadata["transactions"]["tendered"].value == "24.68 EUR"
    assert metadata["order_payments"]["orders"].value == 2
    assert metadata["order_payments"]["due"].value == "13.33 EUR"
    assert "awaiting" in str(metadata["order_payments"]["not_settled"].value)
    assert "data:image/png" in str(metadata["order_payments"]["states"].value)


def test_payments_materialise_on_an_empty_shop(database: DatabaseResource) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(ASSETS, resources={"database": database}, instance=instance)
    assert result.success
