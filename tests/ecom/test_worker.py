"""A warm worker decides what arrives, runs what it is handed, and whatever it leaves is found."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.launcher import WorkerStatus
from dagster._core.launcher.base import LaunchRunContext

from ecom import worker as module
from ecom.launcher import WarmLauncher
from ecom.platform import Platform
from ecom.worker import Worker
from ecom_assets import deciding
from ecom_assets.shared import workers
from ecom_assets.shared.workers import LOST_AFTER, Lane
from fixtures import warm_platform
from fixtures.warm_platform import decided_in, known_workers, new_run, send, status, until, working

platform, instance = warm_platform.platform, warm_platform.instance
pytestmark = pytest.mark.timeout(300)
Status, Event = dg.DagsterRunStatus, dg.DagsterEventType
TABLES = {tuple(table.split("/")) for part in deciding.PARTS for table in part.tables}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worker") / "worker.log"


@pytest.fixture(scope="module")
def worker(platform: Platform, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that the tests share, in the order in which they are written."""
    with working(platform, log) as process:
        yield process


def hand_over(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WarmLauncher:
    launcher = instance.run_launcher
    assert isinstance(launcher, WarmLauncher)
    launcher.launch_run(LaunchRunContext(run, workspace=None))
    return launcher


def count(instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType) -> int:
    return len(instance.all_logs(run_id, of_type=kind))


def has_started(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    return count(instance, run.run_id, Event.STEP_START) == 1


def decides(platform: Platform, instance: dg.DagsterInstance) -> bool:
    """Whether a new order is decided in a run that ends well."""
    name = send(platform)
    assert until(lambda: decided_in(platform, name) is not None)
    run_id = decided_in(platform, name)
    assert run_id
    return until(lambda: status(instance, run_id) is Status.SUCCESS)


def test_an_order_that_arrives_is_decided_in_a_run_on_record(
    platform: Platform, instance: dg.DagsterInstance, worker: subprocess.Popen[bytes]
) -> None:
    name = send(platform)
    assert until(lambda: decided_in(platform, name) is not None)
    run_id = decided_in(platform, name)
    assert run_id
    assert until(lambda: status(instance, run_id) is Status.SUCCESS)
    entries = instance.all_logs(run_id, of_type=Event.ASSET_MATERIALIZATION)
    events = [entry.dagster_event for entry in entries]
    told = {tuple(event.asset_key.path) for event in events if event and event.asset_key}
    assert told == TABLES | {("orders", noun) for noun in ("inbox", "orders", "order_lines")}
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.tags[workers.LANE_TAG] == "decisions"
    with platform.database.begin() as conn:
        holder = workers.holder(conn, run_id)
    assert holder is not None
    assert holder.worker_id is not None
    assert holder.worker_id.endswith(f"-{worker.pid}")


def test_a_run_that_is_handed_over_is_executed_once(
    platform: Platform, instance: dg.DagsterInstance, worker: subprocess.Popen[bytes]
) -> None:
    run = new_run(instance)
    hand_over(instance, run)
    hand_over(instance, run)
    assert until(lambda: status(instance, run.run_id) is Status.SUCCESS)
    assert decides(platform, instance)  # so it has looked for offers once more
    assert count(instance, run.run_id, Event.RUN_START) == 1


def test_a_run_in_progress_is_ended_and_the_worker_goes_on(
    platform: Platform, instance: dg.DagsterInstance, worker: subprocess.Popen[bytes]
) -> None:
    run = new_run(instance, lingers=True)
    launcher = hand_over(instance, run)
    assert until(lambda: has_started(instance, run))
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    assert launcher.terminate(run.run_id)
    assert until(lambda: status(instance, run.run_id) is Status.CANCELED)
    assert until(lambda: not launcher.terminate(run.run_id))
    assert decides(platform, instance)
    assert worker.poll() is None


def test_a_stopped_worker_ends_its_run_and_leaves(
    platform: Platform, instance: dg.DagsterInstance, worker: subprocess.Popen[bytes], log: Path
) -> None:
    run = new_run(instance, lingers=True)
    hand_over(instance, run)
    assert until(lambda: has_started(instance, run))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0, log.read_text()
    assert status(instance, run.run_id) is Status.FAILURE
    assert worker.pid not in known_workers(platform)


def test_what_a_killed_worker_leaves_is_found(
    platform: Platform, instance: dg.DagsterInstance, log: Path
) -> None:
    run = new_run(instance, lingers=True)
    with working(platform, log) as first:
        launcher = hand_over(instance, run)
        assert until(lambda: has_started(instance, run))
        first.kill()
        first.wait()
    name = send(platform)
    health = launcher.check_run_worker_health
    assert until(lambda: health(run).status is WorkerStatus.FAILED, LOST_AFTER.seconds + 30)
    assert status(instance, run.run_id) is Status.STARTED
    with working(platform, log) as second:
        assert until(lambda: status(instance, run.run_id) is Status.FAILURE)
        assert until(lambda: decided_in(platform, name) is not None)
        assert first.pid not in known_workers(platform)
        second.send_signal(signal.SIGTERM)
        assert second.wait(15) == 0, log.read_text()
    assert second.pid not in known_workers(platform)
    assert "Traceback" not in log.read_text()


@pytest.fixture
def inside(platform: Platform, instance: dg.DagsterInstance) -> Worker:
    """A worker in this process, that works when it is told to."""
    return Worker(platform, instance, Lane.DECISIONS)


def test_nothing_is_done_where_nothing_waits(inside: Worker) -> None:
    assert not inside._work()
    assert inside.runs == 0


def test_runs_that_fail_do_not_follow_each_other_at_once(
    platform: Platform,
    instance: dg.DagsterInstance,
    inside: Worker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = send(platform)
    with monkeypatch.context() as patch:
        patch.setattr(deciding, "PARTS", (*deciding.PARTS[:-1], _refusing(deciding.PARTS[-1])))
        pauses = []
        for _ in range(3):
            assert inside._work()
            pauses.append(inside._rests_until - time.monotonic())
            assert not inside._work(), "it rests"
            inside._rests_until = 0
        assert pauses == sorted(pauses)
        assert pauses[-1] <= module._LONGEST_PAUSE_S
    assert inside._work()
    assert decided_in(platform, name) is not None
    assert inside._failures == 0


def _refusing(part: deciding.Part) -> deciding.Part:
    def step(conn: sa.Connection, run: str) -> dict[str, int]:
        raise RuntimeError("this order cannot be sent")

    return deciding.Part(part.stage, part.tables, step)


def test_a_run_that_has_ended_before_it_is_taken_is_not_started(
    platform: Platform, instance: dg.DagsterInstance, inside: Worker
) -> None:
    run = new_run(instance)
    with platform.database.begin() as conn:
        workers.offer(conn, run.run_id, Lane.DECISIONS)
        workers.offer(conn, "unknown", Lane.DECISIONS)
    instance.report_run_failed(run)
    for _ in range(2):
        assert inside._work()
    assert inside.runs == 0
    for run_id in (run.run_id, "unknown"):
        with platform.database.begin() as conn:
            holder = workers.holder(conn, run_id)
        assert holder is not None
        assert holder.has_ended


def test_a_worker_with_the_name_of_a_dead_one_closes_its_runs(
    platform: Platform, instance: dg.DagsterInstance, inside: Worker
) -> None:
    """In a container that starts again process ids are the same."""
    run = new_run(instance)
    with platform.database.begin() as conn:
        workers.beat(conn, inside.worker_id, Lane.CHORES, 1, 0)
        workers.own(conn, run.run_id, Lane.CHORES, inside.worker_id)
    inside._bury_the_dead()
    assert status(instance, run.run_id) is Status.FAILURE
    with platform.database.begin() as conn:
        assert [seen.lane for seen in workers.listed(conn)] == ["decisions"]
        workers.leave(conn, inside.worker_id)


def test_what_a_worker_had_when_the_database_was_lost_is_closed(
    platform: Platform, instance: dg.DagsterInstance, inside: Worker
) -> None:
    run = new_run(instance)
    with platform.database.begin() as conn:
        workers.own(conn, run.run_id, Lane.DECISIONS, inside.worker_id)
    inside._let_go()
    assert status(instance, run.run_id) is Status.FAILURE


def test_only_a_process_of_this_host_can_be_seen_to_be_gone() -> None:
    here = socket.gethostname()
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert module._is_gone(f"{here}-{gone.pid}")
    assert not module._is_gone(f"elsewhere-{gone.pid}")
    assert not module._is_gone(f"{here}-1")
