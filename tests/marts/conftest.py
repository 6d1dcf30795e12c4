"""A small shop in a database, and a refresh of its marts as an operator would run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.marts.assets import ASSETS
from resources.database import DatabaseResource

Refresh = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture(scope="session")
def dbt_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that dbt writes to; all tests share what dbt parsed."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module", autouse=True)
def _home(dbt_home: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECOM_HOME", str(dbt_home))
        yield


@pytest.fixture(scope="module")
def shop(module_database: DatabaseResource) -> DatabaseResource:
    """A database with the rows of `shop.sql`, which the tests of a module share."""
    with module_database.begin() as conn:
        conn.exec_driver_sql(Path(__file__).with_name("shop.sql").read_text())
    return module_database


@pytest.fixture(scope="module")
def refresh() -> Refresh:
    """Refreshes the marts of a database, all of them or the assets that are named."""

    def run(
        database: DatabaseResource, selection: Sequence[dg.AssetKey] | None = None
    ) -> dg.ExecuteInProcessResult:
        with dg.DagsterInstance.ephemeral() as instance:
            return dg.materialize(
                ASSETS,
                resources={"database": database},
                instance=instance,
                raise_on_error=False,
                selection=selection,
            )

    return run


@pytest.fixture(scope="module")
def built(shop: DatabaseResource, refresh: Refresh) -> dg.ExecuteInProcessResult:
    """The first refresh of the shop's marts."""
    return refresh(shop)


@pytest.fixture
def marts(shop: DatabaseResource, built: dg.ExecuteInProcessResult) -> Iterator[sa.Connection]:
    """A connection to the shop with its marts, as an analyst; changes nothing."""
    assert built.success
    with shop.engine.connect() as conn:
        conn.exec_driver_sql("SET ROLE analyst")
        yield conn
        conn.rollback()
        conn.exec_driver_sql("RESET ROLE")
