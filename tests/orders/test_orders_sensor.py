"""The sensor asks for one run of each job for which something waits, and misses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.definitions import build_defs
from ecom_assets.orders.model import Message
from ecom_assets.orders.store import accept_pending, receive
from ecom_assets.shared.flow import DECIDING, Stage, hand_on
from jobs.orders import ORDERS_FLOW, PATH, SCHEDULES, orders_decisions
from resources.database import DatabaseResource
from sensors import orders as module
from sensors.orders import orders_arrived

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
IN_PROGRESS = dg.DagsterRunStatus.STARTED


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def requests(instance: dg.DagsterInstance, database: DatabaseResource) -> dict[str, str] | str:
    """What waits for each run asked for, by job, or why none is asked for."""
    context = dg.build_sensor_context(instance=instance, resources={"database": database})
    outcome = orders_arrived(context)
    if isinstance(outcome, dg.SkipReason):
        return outcome.skip_message or ""
    assert isinstance(outcome, list)
    assert [each.run_key for each in outcome] == [None] * len(outcome), "a key forbids the next run"
    return {each.job_name or "": each.tags["ecom/waiting"] for each in outcome}


def decisions(instance: dg.DagsterInstance, database: DatabaseResource) -> bool:
    """Whether a run of the decisions, and of nothing else, is asked for."""
    found = requests(instance, database)
    return isinstance(found, dict) and list(found) == [orders_decisions.name]


def hand_to(database: DatabaseResource, *stages: Stage) -> None:
    """Let an order wait for stages."""
    rows = sa.select(sa.literal(1).label("order_id"), sa.literal(NOON).label("due_at"))
    with database.begin() as conn:
        hand_on(conn, stages, rows)


def send(conn: sa.Connection, *orders: str) -> None:
    receive(conn, [Message("web", order, NOON, {"order": order}) for order in orders])


def add_run(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus, job: str = orders_decisions.name
) -> dg.DagsterRun:
    return instance.create_run_for_job(dg.job(name=job)(_nothing), status=status)


def _nothing() -> None:
    """A job's body that does nothing."""


def test_nothing_waits(instance: dg.DagsterInstance, database: DatabaseResource) -> None:
    assert requests(instance, database) == "nothing waits"


def test_many_messages_are_one_request(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    with database.begin() as conn:
        send(conn, "A-1", "A-2", "A-3")
    assert requests(instance, database) == {"orders_decisions": "3 messages, 0 steps, 0 changes"}


@pytest.mark.parametrize(
    "status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, IN_PROGRESS]
)
def test_no_second_run_while_one_is_in_progress(
    instance: dg.DagsterInstance, database: DatabaseResource, status: dg.DagsterRunStatus
) -> None:
    with database.begin() as conn:
        send(conn, "A-1")
    run = add_run(instance, status)
    assert run.run_id in str(requests(instance, database))
    instance.report_run_canceled(run)
    assert decisions(instance, database)


def test_rows_that_commit_out_of_id_order_are_not_missed(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    """The row with the smaller id commits after the one with the larger was already worked on."""
    with database.begin() as slow:
        send(slow, "early")
        with database.begin() as fast:
            send(fast, "late")
        assert decisions(instance, database)
        assert accept_pending(database.begin, "run")["messages"] == 1
        assert requests(instance, database) == "nothing waits"
    assert decisions(instance, database)
    assert accept_pending(database.begin, "run")["messages"] == 1


@pytest.mark.parametrize("stage", DECIDING)
def test_orders_a_killed_run_left_between_stages_start_a_run(
    instance: dg.DagsterInstance, database: DatabaseResource, stage: Stage
) -> None:
    hand_to(database, stage)
    assert requests(instance, database) == {"orders_decisions": "0 messages, 1 steps, 0 changes"}


def test_what_is_decided_is_carried_out_by_the_order_path(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    hand_to(database, Stage.CUSTOMER, Stage.SHIP, Stage.INVOICE)
    assert requests(instance, database) == {"orders_flow": "3 steps"}


def test_run_whose_process_died_is_given_up(
    instance: dg.DagsterInstance, database: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.begin() as conn:
        send(conn, "A-1")
    add_run(instance, IN_PROGRESS)
    monkeypatch.setattr(module, "GIVEN_UP_AFTER", timedelta(0))
    assert decisions(instance, database)


def test_failed_run_is_tried_again_after_a_pause(
    instance: dg.DagsterInstance, database: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.begin() as conn:
        send(conn, "A-1")
    instance.report_run_failed(add_run(instance, IN_PROGRESS))
    assert "the last run failed" in str(requests(instance, database))
    monkeypatch.setattr(module, "FIRST_PAUSE", timedelta(0))
    assert decisions(instance, database)


def test_jobs_and_schedules_resolve(database: DatabaseResource) -> None:
    repository = build_defs({"database": database}).get_repository_def()
    for name in ("orders_changes", "orders_decisions", "orders_flow", "orders_replay_parked"):
        assert repository.get_job(name).executor_def is dg.in_process_executor
    path = repository.get_job(ORDERS_FLOW.name).asset_layer.executable_asset_keys
    assert {"orders", "catalog", "customers"} <= {key.path[0] for key in path} <= set(PATH)
    assert {schedule.name for schedule in SCHEDULES} <= {
        schedule.name for schedule in repository.schedule_defs
    }
    assert repository.has_sensor_def(orders_arrived.name)


def test_each_job_is_started_for_what_waits_for_it(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    hand_to(database, Stage.SETTLE, Stage.RETURN_MONEY, Stage.SHIP)
    with database.begin() as conn:
        send(conn, "A-1")
    waits = {
        "orders_decisions": "1 messages, 0 steps, 2 changes",
        "orders_flow": "1 steps",
    }
    assert requests(instance, database) == waits
    for job in list(waits)[:1]:
        add_run(instance, IN_PROGRESS, job)
        del waits[job]
        assert requests(instance, database) == waits
