"""The sensor asks for one run whenever something waits, and misses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.definitions import build_defs
from ecom_assets.orders.model import Message
from ecom_assets.orders.store import accept_pending, receive
from ecom_assets.shared.flow import Stage, hand_on
from jobs.orders import JOBS, ORDERS_FLOW, PATH, SCHEDULES
from resources.database import DatabaseResource
from sensors import orders as module
from sensors.orders import orders_arrived

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
IN_PROGRESS = dg.DagsterRunStatus.STARTED


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def evaluate(instance: dg.DagsterInstance, database: DatabaseResource) -> dg.RunRequest | str:
    """The run asked for, or why none is."""
    context = dg.build_sensor_context(instance=instance, resources={"database": database})
    outcome = orders_arrived(context)
    if isinstance(outcome, dg.SkipReason):
        return outcome.skip_message or ""
    assert isinstance(outcome, list)
    (request,) = outcome
    assert isinstance(request, dg.RunRequest)
    assert request.job_name == ORDERS_FLOW.name
    return request


def send(conn: sa.Connection, *orders: str) -> None:
    receive(conn, [Message("web", order, NOON, {"order": order}) for order in orders])


def add_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    return instance.create_run_for_job(dg.job(name=ORDERS_FLOW.name)(_nothing), status=status)


def _nothing() -> None:
    """A job's body that does nothing."""


def test_nothing_waits(instance: dg.DagsterInstance, database: DatabaseResource) -> None:
    assert evaluate(instance, database) == "nothing waits"


def test_many_messages_are_one_request(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    with database.begin() as conn:
        send(conn, "A-1", "A-2", "A-3")
    request = evaluate(instance, database)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key is None, "a key would forbid the next batch"
    assert request.tags["ecom/waiting"] == "3 messages, 0 steps"


@pytest.mark.parametrize(
    "status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, IN_PROGRESS]
)
def test_no_second_run_while_one_is_in_progress(
    instance: dg.DagsterInstance, database: DatabaseResource, status: dg.DagsterRunStatus
) -> None:
    with database.begin() as conn:
        send(conn, "A-1")
    run = add_run(instance, status)
    assert run.run_id in str(evaluate(instance, database))
    instance.report_run_canceled(run)
    assert isinstance(evaluate(instance, database), dg.RunRequest)


def test_rows_that_commit_out_of_id_order_are_not_missed(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    """The row with the smaller id commits after the one with the larger was already worked on."""
    with database.begin() as slow:
        send(slow, "early")
        with database.begin() as fast:
            send(fast, "late")
        assert isinstance(evaluate(instance, database), dg.RunRequest)
        assert accept_pending(database.begin, "run")["messages"] == 1
        assert evaluate(instance, database) == "nothing waits"
    assert isinstance(evaluate(instance, database), dg.RunRequest)
    assert accept_pending(database.begin, "run")["messages"] == 1


def test_orders_a_killed_run_left_between_stages_start_a_run(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    with database.begin() as conn:
        left = sa.select(sa.literal(1).label("order_id"), sa.literal(NOON).label("due_at"))
        hand_on(conn, [Stage.PAYMENT], left)
    request = evaluate(instance, database)
    assert isinstance(request, dg.RunRequest)
    assert request.tags["ecom/waiting"] == "0 messages, 1 steps"


def test_run_whose_process_died_is_given_up(
    instance: dg.DagsterInstance, database: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.begin() as conn:
        send(conn, "A-1")
    add_run(instance, IN_PROGRESS)
    monkeypatch.setattr(module, "GIVEN_UP_AFTER", timedelta(0))
    assert isinstance(evaluate(instance, database), dg.RunRequest)


def test_failed_run_is_tried_again_after_a_pause(
    instance: dg.DagsterInstance, database: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.begin() as conn:
        send(conn, "A-1")
    instance.report_run_failed(add_run(instance, IN_PROGRESS))
    assert "the last run failed" in str(evaluate(instance, database))
    monkeypatch.setattr(module, "FIRST_PAUSE", timedelta(0))
    assert isinstance(evaluate(instance, database), dg.RunRequest)


def test_jobs_and_schedules_resolve(database: DatabaseResource) -> None:
    repository = build_defs({"database": database}).get_repository_def()
    for job in JOBS:
        assert repository.get_job(job.name).executor_def is dg.in_process_executor
    path = repository.get_job(ORDERS_FLOW.name).asset_layer.executable_asset_keys
    assert {"orders", "catalog", "customers"} <= {key.path[0] for key in path} <= set(PATH)
    assert {schedule.name for schedule in SCHEDULES} <= {
        schedule.name for schedule in repository.schedule_defs
    }
    assert repository.has_sensor_def(orders_arrived.name)


def test_changes_start_a_run_of_their_own(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    with database.begin() as conn:
        waits = sa.select(sa.literal(1).label("order_id"), sa.literal(NOON).label("due_at"))
        hand_on(conn, [Stage.SETTLE, Stage.RETURN_MONEY], waits)
        send(conn, "A-1")
    context = dg.build_sensor_context(instance=instance, resources={"database": database})
    outcome = orders_arrived(context)
    assert isinstance(outcome, list)
    assert [(each.job_name, each.tags["ecom/waiting"]) for each in outcome] == [
        ("orders_flow", "1 messages, 0 steps"),
        ("orders_changes", "2 changes"),
    ]
    add_run(instance, IN_PROGRESS)
    outcome = orders_arrived(context)
    assert isinstance(outcome, list)
    assert [each.job_name for each in outcome] == ["orders_changes"]
