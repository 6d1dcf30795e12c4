"""Who gets a run: a warm worker where one lives, else a process; who ends it, who finds it lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.launcher import DefaultRunLauncher, WorkerStatus
from dagster._core.launcher.base import LaunchRunContext

from ecom.launcher import WarmLauncher
from ecom.platform import Platform
from ecom_assets.definitions import defs
from ecom_assets.shared import workers
from ecom_assets.shared.workers import Lane
from fixtures import warm_platform
from fixtures.warm_platform import new_run, seeming, status

platform, instance = warm_platform.platform, warm_platform.instance
Status = dg.DagsterRunStatus


@pytest.fixture
def launcher(instance: dg.DagsterInstance, platform: Platform) -> Iterator[WarmLauncher]:
    """The launcher of the instance; what it handed over is forgotten after the test."""
    found = instance.run_launcher
    assert isinstance(found, WarmLauncher)
    yield found
    with platform.database.begin() as conn:
        conn.execute(sa.delete(workers.RUN_CLAIMS))
        conn.execute(sa.delete(workers.WORKERS))


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs for which a process would be started, which needs a code server."""
    started: list[str] = []

    def launch(self: DefaultRunLauncher, context: LaunchRunContext) -> None:
        started.append(context.dagster_run.run_id)

    monkeypatch.setattr(DefaultRunLauncher, "launch_run", launch)
    return started


def launch(launcher: WarmLauncher, run: dg.DagsterRun) -> None:
    launcher.launch_run(LaunchRunContext(run, workspace=None))


def told(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    entries = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    return [event.message or "" for entry in entries if (event := entry.dagster_event)]


def holder(platform: Platform, run: dg.DagsterRun) -> workers.Holder | None:
    with platform.database.begin() as conn:
        return workers.holder(conn, run.run_id)


def fall_silent(platform: Platform) -> None:
    with platform.database.begin() as conn:
        conn.execute(sa.text("UPDATE flow.workers SET seen_at = seen_at - interval '1 minute'"))


@pytest.mark.parametrize(
    ("job", "lane"), [("orders_decisions", Lane.DECISIONS), ("orders_changes", Lane.CHORES)]
)
def test_a_run_is_offered_where_a_worker_lives(
    launcher: WarmLauncher,
    instance: dg.DagsterInstance,
    platform: Platform,
    cold: list[str],
    job: str,
    lane: Lane,
) -> None:
    run = new_run(instance, job)
    with seeming(platform, lane):
        launch(launcher, run)
        assert holder(platform, run) == workers.Holder(None, has_ended=False, is_alive=True)
    assert cold == []
    assert told(instance, run) == [f"Offered to the warm workers of {lane.value}."]


@pytest.mark.parametrize("is_silent", [True, False])
def test_a_process_is_started_where_no_worker_lives(
    launcher: WarmLauncher,
    instance: dg.DagsterInstance,
    platform: Platform,
    cold: list[str],
    is_silent: bool,
) -> None:
    # Silent, or alive but of the other lane.
    lane = Lane.DECISIONS if is_silent else Lane.CHORES
    with platform.database.begin() as conn:
        workers.beat(conn, "elsewhere-2", lane, 2, 0)
    if is_silent:
        fall_silent(platform)
    run = new_run(instance)
    launch(launcher, run)
    assert cold == [run.run_id]
    assert holder(platform, run) is None
    assert told(instance, run) == ["No worker of decisions lives; starting cold."]


def test_a_run_of_a_job_without_a_lane_or_of_parts_of_a_job_is_for_a_process(
    launcher: WarmLauncher, instance: dg.DagsterInstance, platform: Platform, cold: list[str]
) -> None:
    whole = defs.resolve_job_def("orders_changes")
    laneless = instance.create_run_for_job(whole, tags={})
    # Made so, it names the steps it is to execute.
    part = instance.create_run_for_job(whole, tags=whole.tags)
    assert part.step_keys_to_execute
    with seeming(platform):
        for run in (laneless, part):
            launch(launcher, run)
            assert holder(platform, run) is None
    assert cold == [laneless.run_id, part.run_id]


def test_a_run_on_offer_that_is_ended_never_starts(
    launcher: WarmLauncher, instance: dg.DagsterInstance, platform: Platform, cold: list[str]
) -> None:
    run = new_run(instance)
    with seeming(platform) as worker_id:
        launch(launcher, run)
        assert launcher.terminate(run.run_id)
        assert status(instance, run.run_id) is Status.CANCELED
        with platform.database.begin() as conn:
            assert workers.take(conn, Lane.DECISIONS, worker_id) is None
        assert not launcher.terminate(run.run_id), "it has ended"


def test_the_end_of_a_run_that_a_worker_has_is_asked_of_it(
    launcher: WarmLauncher, instance: dg.DagsterInstance, platform: Platform, cold: list[str]
) -> None:
    run = new_run(instance)
    with seeming(platform) as worker_id:
        launch(launcher, run)
        with platform.database.begin() as conn:
            assert workers.take(conn, Lane.DECISIONS, worker_id) == run.run_id
        assert launcher.terminate(run.run_id)
        assert status(instance, run.run_id) is Status.CANCELING
        with platform.database.begin() as conn:
            assert workers.is_cancelled(conn, run.run_id)


def test_the_end_of_any_other_run_is_dagsters_to_ask(
    launcher: WarmLauncher, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def terminate(self: DefaultRunLauncher, run_id: str) -> bool:
        asked.append(run_id)
        return True

    monkeypatch.setattr(DefaultRunLauncher, "terminate", terminate)
    run = new_run(instance)
    assert launcher.terminate(run.run_id)
    assert asked == [run.run_id]


def test_a_run_is_as_alive_as_the_worker_that_has_it(
    launcher: WarmLauncher, instance: dg.DagsterInstance, platform: Platform, cold: list[str]
) -> None:
    assert launcher.supports_check_run_worker_health
    run = new_run(instance)
    with seeming(platform) as worker_id:
        launch(launcher, run)
        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
        with platform.database.begin() as conn:
            workers.take(conn, Lane.DECISIONS, worker_id)
        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
        fall_silent(platform)
        found = launcher.check_run_worker_health(run)
        assert found.status is WorkerStatus.FAILED
        assert worker_id in (found.msg or "")


def test_a_run_whose_worker_is_done_with_it_cannot_be_in_progress(
    launcher: WarmLauncher, instance: dg.DagsterInstance, platform: Platform, cold: list[str]
) -> None:
    run = new_run(instance)
    with seeming(platform) as worker_id, platform.database.begin() as conn:
        workers.own(conn, run.run_id, Lane.DECISIONS, worker_id)
        workers.end(conn, run.run_id)
    assert launcher.check_run_worker_health(run).status is WorkerStatus.FAILED


def test_a_run_inside_a_command_closes_itself(
    launcher: WarmLauncher, instance: dg.DagsterInstance
) -> None:
    """It has no code server; nobody but the command can say whether it goes on."""
    assert launcher.check_run_worker_health(new_run(instance)).status is WorkerStatus.RUNNING


def test_the_instance_is_watched_over(instance: dg.DagsterInstance) -> None:
    settings: dict[str, Any] = dict(instance.get_settings("run_monitoring"))
    assert settings["enabled"]
    assert instance.run_monitoring_enabled
