"""The marts of a shop without an order: built, tested and shown, with nothing in them."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.marts.assets.specs import models
from resources.database import DatabaseResource

Refresh = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture(scope="module")
def empty(module_database: DatabaseResource, refresh: Refresh) -> dg.ExecuteInProcessResult:
    """A refresh of the marts of a shop that has just opened."""
    return refresh(module_database)


def test_every_mart_is_there_without_a_row(
    empty: dg.ExecuteInProcessResult, module_database: DatabaseResource
) -> None:
    assert empty.success
    with module_database.begin() as conn:
        for model in models():
            table = sa.table(model["name"], schema=model["schema"])
            count = sa.select(sa.func.count()).select_from(table)
            assert conn.execute(count).scalar_one() == 0, model["name"]


def test_no_sales_are_said_and_not_drawn(empty: dg.ExecuteInProcessResult) -> None:
    (sales,) = [
        event.materialization.metadata
        for event in empty.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["marts", "daily_sales"])
    ]
    assert sales["dagster/row_count"].value == 0
    assert sales["latest_days"].value == "*no rows*"
    assert sales["ordered"].value == "none"
    assert "ordered_per_week" not in sales


def test_no_check_fails_for_want_of_rows(empty: dg.ExecuteInProcessResult) -> None:
    found = empty.get_asset_check_evaluations()
    assert len(found) == sum(len(model["checks"]) for model in models())
    assert [item.check_name for item in found if not item.passed] == []
