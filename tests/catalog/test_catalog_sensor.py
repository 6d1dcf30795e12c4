"""The folder: whole files are planned once by content; jobs plan, apply, revert and judge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ecom_assets.definitions import build_defs
from fixtures.catalogue import product, value, write
from resources.database import DatabaseResource
from resources.inbox import FolderResource
from sensors.catalog import catalog_files_arrived


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


class Watched:
    """The sensor over a folder, with its cursor."""

    def __init__(self, instance: dg.DagsterInstance, database: DatabaseResource, folder: str):
        """Watch `folder`."""
        self._instance, self._database = instance, database
        self._inbox = FolderResource(folder=folder, currency="EUR")
        self.cursor: str | None = None

    def look(self) -> list[dict[str, Any]]:
        """The configuration of the runs one look asks for."""
        resources = {"database": self._database, "catalog_inbox": self._inbox}
        context = dg.build_sensor_context(
            instance=self._instance, cursor=self.cursor, resources=resources
        )
        outcome = catalog_files_arrived(context)
        if isinstance(outcome, dg.SkipReason):
            return []
        assert isinstance(outcome, dg.SensorResult)
        self.cursor = outcome.cursor
        return [dict(run.run_config) for run in outcome.run_requests or ()]


def run(
    instance: dg.DagsterInstance, database: DatabaseResource, job: str, config: dict[str, Any]
) -> dg.ExecuteInProcessResult:
    found = build_defs({"database": database}).resolve_job_def(job)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return found.execute_in_process(
        run_config={**config, **quiet}, instance=instance, raise_on_error=False
    )


def shown(result: dg.ExecuteInProcessResult, node: str) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node(node)
    return {name: entry.value for name, entry in event.metadata.items()}


def test_a_file_is_planned_when_it_is_whole_and_once(
    instance: dg.DagsterInstance, database: DatabaseResource, tmp_path: Path
) -> None:
    watched = Watched(instance, database, str(tmp_path))
    assert watched.look() == []
    path = write(tmp_path / "p.csv", product("a"))
    assert watched.look() == [], "it may still be written to"
    write(path, product("a"), product("b"))
    assert watched.look() == [], "it was"
    (config,) = watched.look()
    assert watched.look() == []
    result = run(instance, database, "catalog_plan", config)
    assert shown(result, "catalog__import_plans")["rows_create"] == 2
    path.rename(tmp_path / "again.csv")
    assert [watched.look() for _ in range(3)] == [[], [], []], "its content is planned already"


def test_unfinished_and_empty_files_are_left_alone(
    instance: dg.DagsterInstance, database: DatabaseResource, tmp_path: Path
) -> None:
    for name in ("p.csv.part", ".hidden.csv", "p.csv~", "p.tmp"):
        write(tmp_path / name, product("a"))
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder").mkdir()
    watched = Watched(instance, database, str(tmp_path))
    assert [watched.look() for _ in range(3)] == [[], [], []]
    (tmp_path / "p.csv.part").rename(tmp_path / "p.csv")
    watched.look()
    assert len(watched.look()) == 1


def test_a_folder_that_is_not_there_is_said(
    instance: dg.DagsterInstance, database: DatabaseResource, tmp_path: Path
) -> None:
    assert Watched(instance, database, "").look() == []
    assert Watched(instance, database, str(tmp_path / "none")).look() == []
    broken = Watched(instance, database, str(tmp_path))
    broken.cursor = "[1, 2]"
    assert broken.look() == []


def test_a_file_that_is_none_fails_its_run_with_the_reason(
    instance: dg.DagsterInstance, database: DatabaseResource, tmp_path: Path
) -> None:
    (tmp_path / "bad.csv").write_text("name\nx\n")
    config = {"ops": {"catalog__import_plans": {"config": {"path": str(tmp_path / "bad.csv")}}}}
    result = run(instance, database, "catalog_plan", config)
    assert not result.success
    (failure,) = result.get_step_failure_events()
    assert "no column tells the SKU" in str(failure.step_failure_data.user_failure_data)


def test_the_jobs_apply_judge_and_revert(
    instance: dg.DagsterInstance, database: DatabaseResource, tmp_path: Path
) -> None:
    path = write(tmp_path / "p.csv", product("a|b", brand="=1"), product("c", weight_g=5))
    config: dict[str, Any] = {"ops": {"catalog__import_plans": {"config": {"path": str(path)}}}}
    plan = shown(run(instance, database, "catalog_plan", config), "catalog__import_plans")
    assert "formula" in plan["findings"]
    assert "| c | create | weight_g |" in plan["differences"]
    node = "catalog__plan_applications"
    config = {"ops": {node: {"config": {"hash": plan["hash"]}}}}
    applied = shown(run(instance, database, "catalog_apply", config), node)
    assert (applied["products_created"], applied["state"]) == (1, "applied")
    assert not run(instance, database, "catalog_apply", config).success, "once only"
    with database.begin() as conn:
        assert value(conn, "c", "shipping_weight_g") == 5
    judged = run(instance, database, "catalog_completeness", {})
    assert "data:image/png" in shown(judged, "catalog__product_scores")["scores"]
    assert all(check.passed for check in judged.get_asset_check_evaluations())
    back: dict[str, Any] = {"hash": plan["hash"], "revert": True}
    config = {"ops": {node: {"config": back}}}
    reverted = shown(run(instance, database, "catalog_apply", config), node)
    assert reverted["products_removed"] == 1
