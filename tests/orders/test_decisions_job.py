"""The job of the decisions: takes what arrives while it works, tells it, and ends when idle."""

from __future__ import annotations

from threading import Thread
from typing import Any

import dagster as dg
import pytest

from ecom_assets import deciding
from ecom_assets.definitions import build_defs
from ecom_assets.orders.model import Message
from ecom_assets.orders.store import receive
from fixtures.changed_shop import ChangedShop, document, minute
from resources.database import DatabaseResource

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def shop(database: DatabaseResource) -> ChangedShop:
    """An open shop."""
    shop = ChangedShop(database)
    shop.open()
    return shop


def send(shop: ChangedShop, name: str) -> None:
    with shop.database.begin() as conn:
        receive(conn, [Message("web", name, minute(0), document(1))])


def run(
    shop: ChangedShop, decide: Any = deciding.decide, **patience: float
) -> list[dict[str, Any]]:
    """Run the job; returns what each materialisation says, with its asset."""
    job = build_defs({"database": shop.database, "decide": decide}).resolve_job_def(
        "orders_decisions"
    )
    config = {**QUIET, "ops": {"decide": {"config": {"idles_s": 0.05, **patience}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, run_config=config)
    assert result.success
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    events = [event for event in result.all_events if event.event_type is kind]
    found = [event.step_materialization_data.materialization for event in events]
    return [
        {"asset": "/".join(each.asset_key.path)}
        | {name: value.value for name, value in each.metadata.items()}
        for each in found
    ]


def test_an_empty_inbox_advances_nothing(shop: ChangedShop) -> None:
    assert run(shop) == []


def test_every_table_that_was_advanced_is_told_with_its_counts(shop: ChangedShop) -> None:
    send(shop, "A")
    send(shop, "B")
    told = {each["asset"]: each for each in run(shop)}
    parts = {table for part in deciding.PARTS for table in part.tables}
    assert set(told) == parts | {"orders/inbox", "orders/orders", "orders/order_lines"}
    assert {each["orders"] for each in told.values()} == {2}
    assert told["orders/inbox"]["accepted"] == 2
    assert shop.states("A") == ("authorised", "accepted", "allocated", "none")


def test_what_is_told_is_an_asset_of_the_platform() -> None:
    graph = build_defs().get_repository_def().asset_graph
    names = {table for part in deciding.PARTS for table in part.tables} | set(deciding._ACCEPTED)
    assert {dg.AssetKey(name.split("/")) for name in names} <= set(graph.get_all_asset_keys())


def test_orders_that_arrive_meanwhile_are_taken_by_the_same_run(shop: ChangedShop) -> None:
    names = iter("BCD")
    senders: list[Thread] = []

    def decide(*given: Any) -> deciding.Advanced:
        """Decide, and let one more order arrive while the run goes on."""
        advanced = deciding.decide(*given)
        if name := next(names, None):
            senders.append(Thread(target=send, args=(shop, name)))
            senders[-1].start()
        return advanced

    send(shop, "A")
    told = run(shop, decide, idles_s=5.0, stays_s=3.0)
    for sender in senders:
        sender.join()
    accepted = [each["accepted"] for each in told if each["asset"] == "orders/orders"]
    assert sum(accepted) == 4
    assert {shop.states(name)[2] for name in "ABCD"} == {"allocated"}


def test_a_run_ends_when_its_time_is_over_however_many_arrive(shop: ChangedShop) -> None:
    rounds: list[int] = []

    def decide(*given: Any) -> deciding.Advanced:
        rounds.append(len(rounds))
        send(shop, f"order-{len(rounds)}")
        return deciding.decide(*given)

    run(shop, decide, idles_s=20.0, stays_s=0.5)
    assert 1 <= len(rounds) < 100
