"""A broken row in any table is caught by a named check that shows the row's key."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import pytest
from quality.broken_rows import (
    accounts,
    backoffice,
    catalog,
    fulfilment,
    inventory,
    marketplace,
    orders,
    pricing,
    replenishment,
    shared,
)
from quality.broken_rows.broken import Broken

from ecom_assets.areas import AREAS
from ecom_assets.schema import schema
from ecom_assets.shared.checks import run_checks
from ecom_assets.shared.expectations import TableExpectations
from resources.database import DatabaseResource


def _declared() -> dict[str, TableExpectations]:
    names = [f"ecom_assets.{area.name}.expectations" for area in AREAS]
    modules = [import_module(name) for name in names if find_spec(name)]
    return {item.table.fullname: item for module in modules for item in module.EXPECTATIONS}


DECLARED = _declared()

BROKEN = (
    *shared.ROWS,
    *orders.ROWS,
    *fulfilment.ROWS,
    *catalog.ROWS,
    *inventory.ROWS,
    *replenishment.ROWS,
    *pricing.ROWS,
    *accounts.ROWS,
    *backoffice.ROWS,
    *marketplace.ROWS,
)


@pytest.fixture(scope="session")
def template(shop_template: str) -> str:
    """Every database of this module starts as the consistent shop."""
    return shop_template


def _failures(database: DatabaseResource, table: TableExpectations) -> dict[str, object]:
    results = run_checks(database, table, table.expectations)
    return {str(result.check_name): result.metadata for result in results if not result.passed}


def test_every_table_has_expectations_and_a_broken_row() -> None:
    tables = set(schema().tables)
    assert set(DECLARED) == tables
    assert {broken.table for broken in BROKEN} == tables


def test_the_consistent_shop_passes_every_check(database: DatabaseResource) -> None:
    failing = {name: _failures(database, table) for name, table in DECLARED.items()}
    assert {name: found for name, found in failing.items() if found} == {}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.check)
def test_a_broken_row_is_caught_by_its_check(database: DatabaseResource, broken: Broken) -> None:
    with database.begin() as conn:
        broken.happen(conn)
    failures = _failures(database, DECLARED[broken.table])
    assert list(failures) == [broken.check]
    metadata = failures[broken.check]
    assert isinstance(metadata, dict)
    assert metadata["failing"].value == len(broken.keys)
    assert sorted(map(str, metadata["failing_keys"].value)) == sorted(map(str, broken.keys))
    assert all(value in metadata["failing_rows"].value for value in broken.keys[0].values())
