"""Assets, sensor and schedule of stock keeping: given a file or a moment they do the work."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.definitions import build_defs
from ecom_assets.inventory.assets.keeping import feed_syncs
from fixtures.kept_stock import lot_receipt, on_hand, open_shop
from fixtures.stock_shop import day
from jobs.inventory import (
    FIGURES,
    INVENTORY_STOCK_FEEDS,
    INVENTORY_STOCK_FIGURES,
    inventory_stock_figures_nightly,
)
from resources.database import DatabaseResource
from sensors.inventory import inventory_stock_feed_arrived


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECOM_STOCK_FOLDER", str(tmp_path))
    return tmp_path


def put(folder: Path, name: str, text: str, age: timedelta = timedelta(minutes=1)) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    written = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (written, written))


def look(database: DatabaseResource) -> dg.RunRequest | dg.SkipReason:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, resources={"database": database})
        answer = inventory_stock_feed_arrived(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def work(database: DatabaseResource, name: str, config: dict[str, object]) -> dict[str, object]:
    """Run a job of the platform; the metadata of its materialisations, by asset."""
    job = build_defs({"database": database}).resolve_job_def(name)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
    failed = [e.check_name for e in result.get_asset_check_evaluations() if not e.passed]
    assert (result.success, failed) == (True, [])
    events = result.get_asset_materialization_events()
    return {str(e.asset_key and e.asset_key.path[-1]): e.materialization.metadata for e in events}


def test_a_file_that_arrived_is_applied_once(database: DatabaseResource, folder: Path) -> None:
    with database.begin() as conn:
        open_shop(conn, {"A": 5})
    put(folder, "N/stock_2026-02-01T0600Z.csv", "sku,stock\nA,3\nZ,1\n")
    put(folder, "N/broken.xlsx", "no workbook")
    put(folder, "N/fresh.csv", "sku,stock\nA,9\n", -timedelta(hours=1))
    put(folder, "X/strange.csv", "sku,stock\nA,9\n")
    answer = look(database)
    assert isinstance(answer, dg.RunRequest)
    shown = work(database, INVENTORY_STOCK_FEEDS.name, dict(answer.run_config))["feed_syncs"]
    assert isinstance(shown, dict)
    counts = {name: shown[name].value for name in ("applied_feeds", "refused_feeds", "rows_parked")}
    assert counts == {"applied_feeds": 1, "refused_feeds": 1, "rows_parked": 1}
    assert "unknown_sku" in str(shown["newest_parked_rows"].value)
    again = look(database)
    assert isinstance(again, dg.SkipReason)
    assert "X" in str(again.skip_message)
    with database.begin() as conn:
        assert on_hand(conn) == {"A": 3}


def test_a_copy_of_a_feed_is_known_by_both_names(database: DatabaseResource, folder: Path) -> None:
    with database.begin() as conn:
        open_shop(conn, {"A": 5})
    for name in ("N/one.csv", "N/two.csv"):
        put(folder, name, "sku,stock\nA,3\n")
    answer = look(database)
    assert isinstance(answer, dg.RunRequest)
    work(database, INVENTORY_STOCK_FEEDS.name, dict(answer.run_config))
    assert isinstance(look(database), dg.SkipReason)


def test_without_a_folder_the_sensor_says_so(
    database: DatabaseResource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ECOM_STOCK_FOLDER", raising=False)
    monkeypatch.delenv("ECOM_HOME", raising=False)
    assert "not set" in str(getattr(look(database), "skip_message", ""))
    monkeypatch.setenv("ECOM_HOME", str(tmp_path))
    assert str(tmp_path / "stock") in str(getattr(look(database), "skip_message", ""))


def test_one_run_applies_feeds_at_a_time(database: DatabaseResource, folder: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs({"database": database}).resolve_job_def(INVENTORY_STOCK_FEEDS.name)
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        context = dg.build_sensor_context(instance=instance, resources={"database": database})
        answer = inventory_stock_feed_arrived(context)
    assert isinstance(answer, dg.SkipReason)
    assert run.run_id in str(answer.skip_message)


def test_the_nightly_figures_are_as_of_the_night(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_shop(conn, {"A": 5, "B": 2})
        lot_receipt(conn, "A", 3, expires=20)
    night = dg.build_schedule_context(scheduled_execution_time=day(30))
    answer = inventory_stock_figures_nightly(night)
    assert isinstance(answer, dg.RunRequest)
    shown = work(database, INVENTORY_STOCK_FIGURES.name, dict(answer.run_config))
    assert set(shown) == set(FIGURES)
    with database.begin() as conn:
        assert on_hand(conn) == {"A": 5, "B": 2}
        atp = conn.execute(sa.text("SELECT sku, units FROM inventory.atp ORDER BY sku")).all()
    assert [tuple(row) for row in atp] == [("A", 5), ("B", 2)]
    assert "7.00 EUR" in str(shown["valuations"])
    assert "data:image/png" in str(shown["sku_classes"])


def test_an_empty_shop_has_no_figures(database: DatabaseResource) -> None:
    assert set(work(database, INVENTORY_STOCK_FIGURES.name, {})) == set(FIGURES)


def test_valuations_that_do_not_own_what_is_there_fail(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_shop(conn, {"A": 5})
        conn.execute(sa.text("UPDATE inventory.positions SET on_hand = 6"))
    job = build_defs({"database": database}).resolve_job_def(INVENTORY_STOCK_FIGURES.name)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    failed = result.failure_data_for_node("inventory__valuations")
    assert "other units" in str(failed and failed.error)


def test_stock_keeping_is_no_part_of_the_order_path() -> None:
    flow = build_defs().resolve_job_def("orders_flow")
    names = {key.path[-1] for key in flow.asset_layer.executable_asset_keys}
    assert not names & {*FIGURES, "feed_syncs"}
    assert feed_syncs.key.path[-1] == "feed_syncs"
