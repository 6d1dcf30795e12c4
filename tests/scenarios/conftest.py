"""A simulated shop large enough for fraud models, imported and decided by the real definitions."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from ecom_assets.definitions import build_defs
from importers.engine import ImportReport, run_import
from resources.database import DatabaseResource
from simulator.shop import generate

ORDERS = 3_000
SEED = 11


@pytest.fixture(scope="session")
def shop_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a simulated shop."""
    folder = tmp_path_factory.mktemp("scenario") / "shop"
    generate(folder, ORDERS, SEED)
    return folder


def run_order_job(database: DatabaseResource) -> dg.ExecuteInProcessResult:
    """Run the whole order job on a database."""
    job = build_defs({"database": database}).resolve_job_def("orders_flow")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            instance=instance,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )


def take_shop(database: DatabaseResource, folder: Path) -> ImportReport:
    """Import a simulated shop."""
    return run_import(database.begin, "sample", folder, "test", None)


@pytest.fixture(scope="module")
def order_run(module_database: DatabaseResource, shop_files: Path) -> dg.ExecuteInProcessResult:
    """The run that decided the simulated shop."""
    take_shop(module_database, shop_files)
    return run_order_job(module_database)


@pytest.fixture(scope="module")
def decided_shop(
    module_database: DatabaseResource, order_run: dg.ExecuteInProcessResult
) -> DatabaseResource:
    """A database in which the simulated shop was imported and decided."""
    assert order_run.success
    return module_database
