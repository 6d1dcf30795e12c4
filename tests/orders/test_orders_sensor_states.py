"""When the sensor starts a run, by what became of earlier ones; when jobs run by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.orders.model import Message
from ecom_assets.orders.store import receive
from ecom_assets.shared import workers
from ecom_assets.shared.workers import Lane
from jobs import marts, orders, quality
from jobs.orders import (
    ORDERS_CHANGES,
    ORDERS_FLOW,
    ORDERS_REPLAY_PARKED,
    orders_decisions,
)
from resources.database import DatabaseResource
from sensors import orders as module
from sensors.orders import FIRST_PAUSE, FOLLOW_EVERY, LONGEST_PAUSE, orders_arrived

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
Status = dg.DagsterRunStatus


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(scope="module")
def shop(module_database: DatabaseResource) -> DatabaseResource:
    """A shop with one message that waits; the sensor reads and never writes."""
    with module_database.begin() as conn:
        receive(conn, [Message("web", "A-1", NOON, {})])
    return module_database


def evaluate(instance: dg.DagsterInstance, shop: DatabaseResource) -> str | None:
    """Why no run is asked for, None where one is."""
    context = dg.build_sensor_context(instance=instance, resources={"database": shop})
    outcome = orders_arrived(context)
    return outcome.skip_message if isinstance(outcome, dg.SkipReason) else None


def add_run(
    instance: dg.DagsterInstance, status: Status, job: str = orders_decisions.name
) -> dg.DagsterRun:
    return instance.create_run_for_job(dg.job(name=job)(_nothing), status=status)


def _nothing() -> None:
    """A job's body that does nothing."""


@pytest.mark.parametrize(
    ("status", "may_take_what_waits"),
    [
        (Status.NOT_STARTED, True),
        (Status.STARTING, True),
        (Status.STARTED, True),
        (Status.CANCELING, True),
        (Status.CANCELED, False),
        (Status.SUCCESS, False),
        # A failure that nobody reported has no end; it is as old as can be.
        (Status.FAILURE, False),
    ],
)
def test_only_a_run_that_may_take_what_waits_stops_another(
    instance: dg.DagsterInstance, shop: DatabaseResource, status: Status, may_take_what_waits: bool
) -> None:
    run = add_run(instance, status)
    waited_for = f"run {run.run_id} is in progress; it takes what arrives meanwhile"
    assert evaluate(instance, shop) == (waited_for if may_take_what_waits else None)


def test_a_run_of_another_job_is_not_waited_for(
    instance: dg.DagsterInstance, shop: DatabaseResource
) -> None:
    add_run(instance, Status.STARTED, ORDERS_REPLAY_PARKED.name)
    assert evaluate(instance, shop) is None


def reason_after(
    instance: dg.DagsterInstance,
    shop: DatabaseResource,
    later: float,
    job: str = orders_decisions.name,
) -> str | None:
    """What the sensor says of a job some seconds after the end of its last run."""
    (record,) = instance.get_run_records(dg.RunsFilter(job_name=job), limit=1)
    now = datetime.fromtimestamp(record.end_time or 0, UTC) + timedelta(seconds=later)
    with shop.begin() as conn:
        return module._reason_to_wait(instance, conn, job, now)


def told(left: int) -> str | None:
    return f"the last run failed; next try in {left} s" if left > 0 else None


def test_a_failure_that_a_later_run_made_good_delays_nothing(
    instance: dg.DagsterInstance, shop: DatabaseResource
) -> None:
    instance.report_run_failed(add_run(instance, Status.STARTED))
    assert evaluate(instance, shop) is not None
    add_run(instance, Status.SUCCESS)
    assert evaluate(instance, shop) is None


@pytest.mark.parametrize("later", [0, 1, 4, 5, 3_600])
def test_the_pause_after_a_failure_counts_from_its_end(
    instance: dg.DagsterInstance, shop: DatabaseResource, later: int
) -> None:
    instance.report_run_failed(add_run(instance, Status.STARTED))
    assert reason_after(instance, shop, later) == told(int(FIRST_PAUSE.total_seconds()) - later)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (9, 60)]
)
def test_the_pause_grows_while_nothing_but_failures_follow_each_other(
    instance: dg.DagsterInstance, shop: DatabaseResource, failures: int, seconds: int
) -> None:
    for _ in range(failures):
        instance.report_run_failed(add_run(instance, Status.STARTED))
    assert reason_after(instance, shop, 0) == told(seconds)
    assert seconds <= LONGEST_PAUSE.total_seconds()


def test_a_success_makes_the_next_pause_short_again(
    instance: dg.DagsterInstance, shop: DatabaseResource
) -> None:
    for _ in range(4):
        instance.report_run_failed(add_run(instance, Status.STARTED))
    add_run(instance, Status.SUCCESS)
    instance.report_run_failed(add_run(instance, Status.STARTED))
    assert reason_after(instance, shop, 0) == told(int(FIRST_PAUSE.total_seconds()))


def test_failures_of_another_job_do_not_make_the_pause_longer(
    instance: dg.DagsterInstance, shop: DatabaseResource
) -> None:
    for _ in range(3):
        instance.report_run_failed(add_run(instance, Status.STARTED, ORDERS_CHANGES.name))
    instance.report_run_failed(add_run(instance, Status.STARTED))
    assert reason_after(instance, shop, 0) == told(int(FIRST_PAUSE.total_seconds()))


def test_a_run_in_progress_matters_more_than_a_failure(
    instance: dg.DagsterInstance, shop: DatabaseResource
) -> None:
    running = add_run(instance, Status.STARTED)
    instance.report_run_failed(add_run(instance, Status.STARTED))
    assert running.run_id in str(evaluate(instance, shop))


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.CANCELED])
def test_the_order_path_rests_between_two_runs(
    instance: dg.DagsterInstance, shop: DatabaseResource, status: Status
) -> None:
    run = add_run(instance, Status.STARTED, ORDERS_FLOW.name)
    if status is Status.SUCCESS:
        ended = dg.DagsterEvent(
            event_type_value=dg.DagsterEventType.RUN_SUCCESS.value, job_name=ORDERS_FLOW.name
        )
        instance.report_dagster_event(ended, run.run_id)
    else:
        instance.report_run_canceled(run)
    rest = FOLLOW_EVERY.total_seconds()
    assert reason_after(instance, shop, rest - 20, ORDERS_FLOW.name) == (
        "the order path goes on in 20 s"
    )
    assert reason_after(instance, shop, rest, ORDERS_FLOW.name) is None


def test_a_failed_order_path_is_tried_again_sooner_than_it_would_follow(
    instance: dg.DagsterInstance, shop: DatabaseResource
) -> None:
    instance.report_run_failed(add_run(instance, Status.STARTED, ORDERS_FLOW.name))
    assert FIRST_PAUSE < FOLLOW_EVERY
    for later in (0, 5):
        left = int(FIRST_PAUSE.total_seconds()) - later
        assert reason_after(instance, shop, later, ORDERS_FLOW.name) == told(left)


def test_a_run_of_a_lost_worker_is_not_waited_for(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    with database.begin() as conn:
        receive(conn, [Message("web", "A-1", NOON, {})])
    run = add_run(instance, Status.STARTED)
    with database.begin() as conn:
        workers.beat(conn, "host-1", Lane.DECISIONS, 1, 0)
        workers.own(conn, run.run_id, Lane.DECISIONS, "host-1")
    assert run.run_id in str(evaluate(instance, database))
    with database.begin() as conn:
        conn.execute(sa.text("UPDATE flow.workers SET seen_at = seen_at - interval '1 minute'"))
    assert evaluate(instance, database) is None


def test_a_database_that_is_down_is_an_error_not_an_empty_inbox(
    instance: dg.DagsterInstance,
) -> None:
    down = DatabaseResource(url="postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(sa.exc.OperationalError):
        evaluate(instance, down)


def test_nightly_jobs_follow_each_other() -> None:
    """Parked messages first, so that what they become is in the marts and under the checks."""
    found = [schedule for each in (orders, marts, quality) for schedule in each.SCHEDULES]
    often = found.pop(0)
    assert (often.job_name, often.cron_schedule) == ("orders_release_holds", "*/10 * * * *")
    hourly = found.pop(0)
    assert (hourly.job_name, hourly.cron_schedule) == ("orders_changes", "50 * * * *")
    assert [(each.job_name, each.cron_schedule) for each in found] == [
        ("orders_replay_parked", "15 2 * * *"),
        ("marts_refresh", "30 3 * * *"),
        ("shop_daily", "15 4 * * *"),
    ]
    assert {each.execution_timezone for each in found} == {"UTC"}
    assert {each.default_status for each in found} == {dg.DefaultScheduleStatus.RUNNING}


def test_names_of_jobs_and_schedules_are_unique() -> None:
    modules = (orders, marts, quality)
    names = [job.name for each in modules for job in each.JOBS]
    names += [schedule.name for each in modules for schedule in each.SCHEDULES]
    assert len(set(names)) == len(names)
