"""Old run history goes, whole; what the UI shows of assets and checks, and what goes on, stays."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

from ecom.migrate import ensure_database
from ecom.platform import dagster_yaml
from ecom.problems import Problem
from ecom_assets.backoffice.assets import purges
from ecom_assets.backoffice.store.purges import Limits, purge_runs
from jobs.backoffice import purge_hourly
from resources.database import DatabaseResource
from resources.history import HistoryResource

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LIMITS = Limits(NOW - timedelta(days=30), 1_000)
TABLES = ("runs", "run_tags", "event_logs", "asset_event_tags", "asset_check_executions")
CLEAR = sa.text("TRUNCATE runs, run_tags, event_logs, asset_event_tags, asset_check_executions,"
                " asset_keys, bulk_actions")  # fmt: skip
AGE = sa.text("""
    UPDATE runs SET create_timestamp = :at, end_time = extract(epoch FROM CAST(:at AS timestamp))
    WHERE run_id = ANY(:runs)
""")
LOST = sa.text("""
    SELECT (SELECT count(*) FROM event_logs WHERE run_id NOT IN (SELECT run_id FROM runs))
        + (SELECT count(*) FROM asset_event_tags WHERE event_id NOT IN (SELECT id FROM event_logs))
        + (SELECT count(*) FROM run_tags WHERE run_id NOT IN (SELECT run_id FROM runs))
""")


@dg.asset
def stock() -> dg.MaterializeResult[Any]:
    """Is made by every run of its job."""
    return dg.MaterializeResult(tags={"size": "small"})


@dg.asset_check(asset=stock)
def stock_right() -> dg.AssetCheckResult:
    """Passes."""
    return dg.AssetCheckResult(passed=True)


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["north", "south"]))
def regions() -> dg.MaterializeResult[Any]:
    """Has a last word for each partition."""
    return dg.MaterializeResult()


@pytest.fixture(scope="module")
def module_instance(
    server: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance as the platform configures it, with a database of its own."""
    home = tmp_path_factory.mktemp("dagster")
    url = server.set(database=f"history_{uuid.uuid4().hex}").render_as_string(hide_password=False)
    ensure_database(url)
    (home / "dagster.yaml").write_text(dagster_yaml(home))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECOM_DAGSTER_URL", url)
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield instance
            engine_of(instance).dispose()


@pytest.fixture
def instance(module_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    """The instance without any history."""
    with engine_of(module_instance).begin() as conn:
        conn.execute(CLEAR)
    return module_instance


def engine_of(instance: dg.DagsterInstance) -> sa.Engine:
    engine = HistoryResource().engine_of(instance)
    assert engine is not None
    return engine


def run(
    instance: dg.DagsterInstance, days: int, asset: Any = stock, partition: str | None = None
) -> str:
    """A run that ended so many days ago; of `stock` it also checks it."""
    assets = [asset, stock_right] if asset is stock else [asset]
    result = dg.materialize(assets, instance=instance, partition_key=partition)
    age(instance, days, result.run_id)
    return result.run_id


def age(instance: dg.DagsterInstance, days: int, *runs: str) -> None:
    moment = (NOW - timedelta(days=days)).replace(tzinfo=None)
    with engine_of(instance).begin() as conn:
        conn.execute(AGE, {"at": moment, "runs": list(runs)})


def purge(instance: dg.DagsterInstance, limits: Limits = LIMITS, **options: Any) -> dict[str, int]:
    return dict(purge_runs(engine_of(instance).begin, limits, lambda run: None, **options))


def kept(instance: dg.DagsterInstance) -> set[str]:
    return {record.run_id for record in instance.get_runs()}


def counts(instance: dg.DagsterInstance) -> dict[str, int]:
    with engine_of(instance).begin() as conn:
        return {
            name: conn.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one()
            for name in TABLES
        }


def test_old_runs_go_with_all_that_was_recorded_of_them(instance: dg.DagsterInstance) -> None:
    run(instance, 1)
    whole = counts(instance)
    for days in (90, 60, 31):
        run(instance, days)
    young = [run(instance, days) for days in (29, 0)]
    last = instance.get_latest_materialization_event(stock.key)
    before = counts(instance)
    removed = purge(instance)
    assert removed == {
        "runs": 3, "events": 3 * whole["event_logs"], "evaluations": 3,
    }  # fmt: skip
    after = counts(instance)
    assert {name: before[name] - after[name] for name in TABLES} == {
        name: 3 * whole[name] for name in TABLES
    }
    assert kept(instance) >= set(young)
    assert instance.get_latest_materialization_event(stock.key) == last
    assert set(purge(instance).values()) == {0}
    with engine_of(instance).begin() as conn:
        assert conn.execute(LOST).scalar_one() == 0


def test_the_last_word_about_everything_stays(instance: dg.DagsterInstance) -> None:
    """An asset nobody has made for a year is still shown as it was made then."""
    north, north_again, south = (
        run(instance, 400, regions, partition) for partition in ("north", "north", "south")
    )
    old = run(instance, 390)
    dg.materialize([stock], instance=instance)
    purge(instance)
    assert north not in kept(instance)
    assert kept(instance) >= {north_again, south, old}, "`old` holds the last result of the check"
    assert instance.get_materialized_partitions(regions.key) == {"north", "south"}


@pytest.mark.parametrize(
    "status",
    [
        dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ],
)  # fmt: skip
def test_a_run_that_goes_on_stays_however_old(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    names = [str(uuid.uuid4()) for _ in range(3)]
    for name in names:
        instance.add_run(dg.DagsterRun(job_name="long", run_id=name, status=status))
    age(instance, 900, *names)
    assert purge(instance)["runs"] == 0
    assert kept(instance) == set(names)


def test_the_newest_run_and_the_newest_good_one_of_a_job_stay(
    instance: dg.DagsterInstance,
) -> None:
    names = [str(uuid.uuid4()) for _ in range(4)]
    endings = ("SUCCESS", "SUCCESS", "FAILURE", "CANCELED")
    for name, ending in zip(names, endings, strict=True):
        status = dg.DagsterRunStatus[ending]
        instance.add_run(dg.DagsterRun(job_name="nightly", run_id=name, status=status))
    age(instance, 900, *names)
    purge(instance)
    assert kept(instance) == {names[1], names[3]}


def test_so_many_runs_of_a_job_are_kept_however_young(instance: dg.DagsterInstance) -> None:
    runs = [run(instance, 0) for _ in range(5)]
    assert purge(instance, Limits(LIMITS.ended_before, 2))["runs"] == 3
    assert kept(instance) == set(runs[3:])


def test_runs_that_went_well_do_not_push_out_one_that_failed(
    instance: dg.DagsterInstance,
) -> None:
    names = [str(uuid.uuid4()) for _ in range(6)]
    for name, ending in zip(names, ["FAILURE", *["SUCCESS"] * 5], strict=True):
        status = dg.DagsterRunStatus[ending]
        instance.add_run(dg.DagsterRun(job_name="often", run_id=name, status=status))
    age(instance, 1, *names)
    purge(instance, Limits(LIMITS.ended_before, 2))
    assert kept(instance) == {names[0], *names[4:]}


def test_a_purge_that_was_killed_is_ended_by_the_next(instance: dg.DagsterInstance) -> None:
    runs = [run(instance, 60) for _ in range(5)]

    def forget(run_id: str) -> None:
        if run_id == runs[2]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        purge_runs(engine_of(instance).begin, LIMITS, forget, batch=1)
    assert kept(instance) == set(runs[2:])
    assert purge(instance, batch=2)["runs"] == 2
    assert kept(instance) == {runs[4]}
    with engine_of(instance).begin() as conn:
        assert conn.execute(LOST).scalar_one() == 0
    assert counts(instance)["asset_check_executions"] == 1


def test_the_asset_shows_what_went_and_puts_it_on_record(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    runs = [run(instance, 60) for _ in range(3)]
    folders = [Path(instance.root_directory) / name / "compute_logs" for name in runs]
    result = dg.materialize(
        [purges],
        instance=instance,
        resources={"database": database, "history": HistoryResource(keep_days=7)},
        run_config={"ops": {"backoffice__purges": {"config": {"as_of": NOW.isoformat()}}}},
    )
    (shown,) = (event.materialization.metadata for event in materializations(result))
    assert (shown["runs"].value, shown["evaluations"].value) == (2, 2)
    assert shown["megabytes_before"].value > 0
    assert [folder.exists() for folder in folders] == [False, False, True]
    with database.begin() as conn:
        (row,) = conn.execute(
            sa.text("SELECT runs, most_runs, kept_from_at FROM backoffice.purges")
        )
    assert tuple(row) == (2, 5_000, NOW - timedelta(days=7))


def materializations(result: dg.ExecuteInProcessResult) -> list[Any]:
    return [event.step_materialization_data for event in result.get_asset_materialization_events()]


def test_a_storage_that_is_not_postgres_is_said_aloud(database: DatabaseResource) -> None:
    resources = {"database": database, "history": HistoryResource()}
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([purges], instance=instance, resources=resources)
    (shown,) = (event.materialization.metadata for event in materializations(result))
    assert "not in PostgreSQL" in str(shown["degraded"].value)


def test_limits_that_would_remove_everything_are_refused(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    result = dg.materialize(
        [purges],
        instance=instance,
        resources={"database": database, "history": HistoryResource(most_runs=0)},
        raise_on_error=False,
    )
    assert not result.success


def test_the_schedule_counts_from_its_own_moment() -> None:
    with dg.build_schedule_context(scheduled_execution_time=NOW) as context:
        request = purge_hourly(context)
    assert isinstance(request, dg.RunRequest)
    config = request.run_config["ops"]["backoffice__purges"]["config"]
    assert config == {"as_of": NOW.isoformat()}


def test_ticks_are_kept_as_long(
    module_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = module_instance.get_settings("retention")
    assert settings["schedule"] == {"purge_after_days": 30}
    assert settings["sensor"]["purge_after_days"] == {
        "skipped": 1, "started": 30, "success": 30, "failure": 30,
    }  # fmt: skip
    monkeypatch.setenv("ECOM_HISTORY_DAYS", "3")
    assert "purge_after_days: 3\n" in dagster_yaml(tmp_path)
    for given in ("0", "soon", "-4"):
        monkeypatch.setenv("ECOM_HISTORY_DAYS", given)
        with pytest.raises(Problem, match="ECOM_HISTORY_DAYS"):
            dagster_yaml(tmp_path)


def test_the_environment_sets_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOM_HISTORY_DAYS", "3")
    with dg.build_resources({"history": HistoryResource.of_environment()}) as resources:
        assert (resources.history.keep_days, resources.history.most_runs) == (3, 5_000)
