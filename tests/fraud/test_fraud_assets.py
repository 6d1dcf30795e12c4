"""The fraud assets through Dagster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dagster as dg

from ecom_assets.fraud.assets import fraud
from resources.database import DatabaseResource


def materialised(database: DatabaseResource) -> dict[str, Any]:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([fraud], resources={"database": database}, instance=instance)
        shown = result.asset_materializations_for_node("fraud")
    return {each.asset_key.path[-1]: each.metadata for each in shown}


def test_fraud_materialises_and_shows_models_and_scores(
    database: DatabaseResource, place: Callable[..., None], ring_shop: list[dict[str, Any]]
) -> None:
    with database.begin() as conn:
        place(conn, ring_shop)
    shown = materialised(database)
    assert shown["order_scores"]["orders"].value == len(ring_shop)
    assert shown["order_scores"]["by_model"].value > 1_000
    assert shown["sightings"]["recorded"].value >= 3 * len(ring_shop)
    assert "logistic/2024-12" in shown["models"]["newest"].value
    assert "roc_auc_rules" in shown["models"]["newest"].value
    assert "data:image/png" in shown["order_scores"]["probabilities"].value


def test_fraud_materialises_on_an_empty_shop(database: DatabaseResource) -> None:
    assert materialised(database)["order_scores"]["orders"].value == 0
