"""The sensor of freed stock: asks for one run, with the moment only where something ran out."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from ecom_assets.definitions import build_defs
from ecom_assets.inventory.store import expire, hold_stock, reserve
from ecom_assets.shared.flow import Stage, claim
from fixtures.stock_shop import Move, Order, day, open_sites, place, stock
from jobs.inventory import INVENTORY_PROMISES
from resources.database import DatabaseResource
from sensors.inventory import inventory_stock_freed


def evaluate(
    database: DatabaseResource, instance: dg.DagsterInstance
) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_sensor_context(instance=instance, resources={"database": database})
    answer = inventory_stock_freed(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def test_an_idle_shop_is_left_alone(database: DatabaseResource) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert isinstance(evaluate(database, instance), dg.SkipReason)


def test_stock_that_came_asks_for_a_run_without_a_moment(database: DatabaseResource) -> None:
    with database.begin() as conn:
        open_sites(conn, [("N", 53, 10)])
        place(conn, [Order(1, [("A", 1)])])
        claim(conn, Stage.RESERVE)
        reserve(conn, "run")
        stock(conn, [Move("A", 1, 3)])
    with dg.DagsterInstance.ephemeral() as instance:
        answer = evaluate(database, instance)
    assert isinstance(answer, dg.RunRequest)
    assert answer.run_config == {"ops": {"inventory__stock_holds": {"config": {}}}}


def test_a_hold_that_ran_out_is_ended_by_the_run_that_is_asked_for(
    database: DatabaseResource,
) -> None:
    with database.begin() as conn:
        open_sites(conn, [("N", 53, 10)])
        stock(conn, [Move("A", 1)])
        hold_stock(conn, "basket", {"A": 1}, day(1), day(1) + (datetime.now(UTC) - day(1)) / 2)
    with dg.DagsterInstance.ephemeral() as instance:
        answer = evaluate(database, instance)
        assert isinstance(answer, dg.RunRequest)
        job = build_defs({"database": database}).resolve_job_def(INVENTORY_PROMISES.name)
        result = job.execute_in_process(run_config=answer.run_config, instance=instance)
        assert result.success
        assert isinstance(evaluate(database, instance), dg.SkipReason)
    with database.begin() as conn:
        assert expire(conn, datetime.now(UTC), "run")["held_units"] == 0


def test_one_run_at_a_time(database: DatabaseResource) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs({"database": database}).resolve_job_def(INVENTORY_PROMISES.name)
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        answer = evaluate(database, instance)
    assert isinstance(answer, dg.SkipReason)
    assert run.run_id in str(answer.skip_message)
