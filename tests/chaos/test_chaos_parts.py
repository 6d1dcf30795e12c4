"""The parts of a storm by themselves: disk, processes, figures, plan and report."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos import disk
from chaos.faults import FAULTS
from chaos.processes import WORKERS, MemoryLog, Processes, kill
from chaos.report import lines
from chaos.run import plan_of
from chaos.storm import Outcome
from chaos.timing import Decided, Happened, Recovery, percentile, recovery, undisturbed

SLEEP = "import time; time.sleep(600)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])"


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of our own; where none can be mounted the test is skipped, with the reason."""
    try:
        with disk.mounted(tmp_path / "disk", tmp_path / "image"):
            yield tmp_path / "disk"
    except disk.NoMount as error:
        pytest.skip(f"the database's disk cannot be filled here: {error}")


def test_a_full_disk_refuses_to_grow_and_takes_again_when_emptied(full_disk: Path) -> None:
    (full_disk / "before").write_bytes(b"x" * 4096)
    taken = disk.fill(full_disk / "ballast")
    assert taken > 0.9 * disk.SIZE_GB * 1e9
    with pytest.raises(OSError, match="No space left on device"):
        (full_disk / "after").write_bytes(b"x" * 20_000_000)
    assert (full_disk / "before").read_bytes() == b"x" * 4096
    disk.empty(full_disk / "ballast")
    (full_disk / "later").write_bytes(b"x" * 1_000_000)


def test_filling_takes_nothing_of_the_machines_disk(full_disk: Path) -> None:
    before = os.statvfs(full_disk.parent).f_bavail
    disk.fill(full_disk / "ballast")
    block = os.statvfs(full_disk.parent).f_bsize
    assert (before - os.statvfs(full_disk.parent).f_bavail) * block < 1e9


def test_a_machine_that_cannot_mount_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_FOLDERS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(disk.NoMount, match=r"no mkfs\.ext4"),
        disk.mounted(tmp_path / "d", tmp_path / "image"),
    ):
        pass
    assert not (tmp_path / "image").exists()


@pytest.fixture
def family(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A home folder, and a worker of it that has a child."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, "ecom.worker"],
        env={**os.environ, "ECOM_HOME": str(tmp_path)},
    )
    deadline = time.monotonic() + 20
    while not psutil.Process(process.pid).children() and time.monotonic() < deadline:
        time.sleep(0.02)
    yield tmp_path, process
    with suppress(psutil.Error):
        kill([psutil.Process(process.pid)])
    process.wait()


def test_processes_are_found_by_home_and_command_line(
    family: tuple[Path, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    home, process = family
    found = Processes(home).all()
    assert [each.pid for each in found["worker"]] == [process.pid]
    assert len(found["other"]) == 1
    assert Processes(tmp_path / "another").of(WORKERS) == []


def test_killing_takes_the_children_along_and_orphans_are_still_found(
    family: tuple[Path, subprocess.Popen[bytes]],
) -> None:
    home, process = family
    (child,) = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    assert [each.pid for each in Processes(home).of(["other"])] == [child.pid]
    assert kill(Processes(home).of(["other"])) == [child.pid]
    psutil.wait_procs([child], timeout=10)
    assert Processes(home).of(["other", "worker"]) == []


def test_killing_what_has_gone_is_no_error(family: tuple[Path, subprocess.Popen[bytes]]) -> None:
    home, process = family
    found = Processes(home).of(WORKERS)
    assert len(kill(found)) == 2
    process.wait()
    assert kill(found) == []


def test_memory_is_taken_per_kind(family: tuple[Path, subprocess.Popen[bytes]]) -> None:
    log = MemoryLog(Processes(family[0]))
    log.look()
    log.look()
    assert len(log.samples["worker"]) == 2
    assert all(size > 1_000_000 for _, size in log.samples["worker"])


FAULT = Happened("workers", 100.0, 110.0, "killed 3 processes")


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([], Recovery(None, None)),
        ([Decided(90, 95)], Recovery(None, 0.0)),
        ([Decided(90, 95), Decided(105, 130), Decided(111, 118)], Recovery(8.0, 20.0)),
        # Decided in another order than received: the first to be decided counts.
        ([Decided(111, 140), Decided(112, 120)], Recovery(10.0, None)),
        ([Decided(110, 150)], Recovery(None, 40.0)),
    ],
)
def test_recovery_is_counted_from_the_end_of_the_fault(
    orders: list[Decided], expected: Recovery
) -> None:
    assert recovery(FAULT, orders) == expected


def test_undisturbed_orders_met_neither_a_fault_nor_its_backlog() -> None:
    calm = [Decided(10, 20), Decided(131, 132)]
    met = [Decided(95, 101), Decided(105, 106), Decided(120, 125), Decided(50, 200)]
    back = Recovery(1.0, 20.0)
    assert undisturbed([*calm, *met], [FAULT], [back]) == calm
    assert undisturbed(met, [], []) == met


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    below = sum(value < found for value in values)
    within = sum(value <= found for value in values)
    assert below < share * len(values) <= within or math.isclose(below, share * len(values))


def test_no_values_have_no_percentile() -> None:
    assert math.isnan(percentile([], 0.5))


def test_a_long_plan_does_every_fault_about_equally_often() -> None:
    plan = plan_of(30, 25, 60, list(FAULTS), seed=1)
    assert len(plan.faults) == 30
    times = [plan.faults.count(name) for name in FAULTS]
    assert max(times) - min(times) <= 1
    assert plan.orders > 30 * 60 * 25
    assert plan_of(30, 25, 60, list(FAULTS), seed=1) == plan


def test_an_unknown_fault_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown: flood; known: .*disk full"):
        plan_of(1, 1, 60, ["flood", "workers"], seed=1)


def test_the_report_names_what_is_wrong_and_what_was_skipped() -> None:
    outcome = Outcome(
        faults=[FAULT], recovered=[Recovery(1.25, None)], skipped={"disk full": "no mount here"},
        wrong={"received and lost": ["web/1", "web/2"]}, orders=[Decided(1, 2), Decided(1, 3)],
        memory={"daemon": [(0.0, 50 * 1024**2), (10.0, 60 * 1024**2)]}, runs={"SUCCESS": 2},
    )  # fmt: skip
    text = "\n".join(lines(outcome))
    assert "SKIPPED disk full: no mount here" in text
    assert "WRONG received and lost: 2, such as web/1; web/2" in text
    assert "1.25" in text
    assert "never" in text
    assert "everything holds" not in text


def test_the_report_of_a_storm_without_orders_can_be_read() -> None:
    assert "everything holds" in "\n".join(lines(Outcome()))
