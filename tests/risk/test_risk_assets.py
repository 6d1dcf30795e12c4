"""The risk asset through Dagster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dagster as dg

from ecom_assets.risk.assets import decisions
from resources.database import DatabaseResource


def materialised(database: DatabaseResource) -> Any:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([decisions], resources={"database": database}, instance=instance)
        (shown,) = result.asset_materializations_for_node("risk__decisions")
    return shown.metadata


def test_decisions_show_outcomes_reasons_and_money(
    database: DatabaseResource, place: Callable[..., None]
) -> None:
    with database.begin() as conn:
        place(conn, [{}, {"currency": "JPY"}, {"payment": "underpaid", "total": 123_450}])
    shown = materialised(database)
    assert shown["accepted"].value == 2
    assert shown["worth_accepted"].value == "50.00 EUR, 5,000 JPY"
    assert shown["worth_review"].value == "1,234.50 EUR"
    assert shown["worth_rejected"].value == "none"
    assert "| underpaid | review | 1 |" in shown["reasons"].value
    assert "data:image/png" in shown["outcomes"].value
    assert "underpaid" in shown["newest_stopped"].value


def test_decisions_materialise_on_an_empty_shop(database: DatabaseResource) -> None:
    assert materialised(database)["orders"].value == 0
