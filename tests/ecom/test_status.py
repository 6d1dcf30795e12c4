"""What `ecom status` says of the workers: who is busy, who is silent, which lane has none."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ecom.platform import Platform
from ecom.status import _workers_degraded, report, text
from ecom_assets.shared import workers
from ecom_assets.shared.workers import Lane
from fixtures import warm_platform

platform = warm_platform.platform
NONE_ALIVE = "no worker of {} is alive; the daemon starts a process for each of its runs"


@pytest.fixture
def staff(platform: Platform) -> Platform:
    """A platform with a busy and an idle worker."""
    with platform.database.begin() as conn:
        conn.execute(sa.delete(workers.WORKERS))
        conn.execute(sa.delete(workers.RUN_CLAIMS))
        workers.beat(conn, "here-1", Lane.DECISIONS, 1, 3)
        workers.beat(conn, "here-2", Lane.CHORES, 2, 0)
        workers.own(conn, "run", Lane.CHORES, "here-2")
    return platform


def told(platform: Platform) -> list[str]:
    return text(report(platform.settings))


def test_workers_are_shown_with_what_they_do(staff: Platform) -> None:
    found = told(staff)
    assert "workers: chores busy, decisions idle" in found
    assert not [line for line in found if "no worker" in line]


def test_a_worker_that_fell_silent_is_named_and_its_lane_degraded(staff: Platform) -> None:
    with staff.database.begin() as conn:
        conn.execute(
            sa.update(workers.WORKERS)
            .where(workers.WORKERS.c.lane == Lane.CHORES.value)
            .values(seen_at=sa.text("clock_timestamp() - interval '1 hour'"))
        )
    found = told(staff)
    assert any(line.startswith("workers: chores silent for 36") for line in found)
    assert any(line.endswith(" s, decisions idle") for line in found)
    assert f"degraded: {NONE_ALIVE.format('chores')}" in found
    assert f"degraded: {NONE_ALIVE.format('decisions')}" not in found


def test_a_second_worker_of_the_lane_makes_up_for_a_silent_one(staff: Platform) -> None:
    with staff.database.begin() as conn:
        conn.execute(sa.text("UPDATE flow.workers SET seen_at = seen_at - interval '1 minute'"))
        for number, lane in enumerate(Lane):
            workers.beat(conn, f"there-{number}", lane, number, 0)
    reasons = report(staff.settings)["degraded"]
    assert not [reason for reason in reasons if "worker" in reason]


def test_without_workers_that_were_ever_there_nothing_is_missed(staff: Platform) -> None:
    with staff.database.begin() as conn:
        conn.execute(sa.delete(workers.WORKERS))
    found = told(staff)
    assert "workers: none" in found
    for lane in Lane:
        assert f"degraded: {NONE_ALIVE.format(lane.value)}" not in found


def test_a_platform_that_does_not_run_needs_no_workers() -> None:
    silent = [{"lane": lane.value, "is_alive": False} for lane in Lane]
    assert _workers_degraded({"is_up": False, "workers": silent}) == []
    assert len(_workers_degraded({"is_up": True, "workers": silent})) == len(Lane)
