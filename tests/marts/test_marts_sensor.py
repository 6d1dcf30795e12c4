"""The marts are refreshed after the order path ran, and not more often than needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from jobs.marts import MARTS_REFRESH
from jobs.orders import ORDERS_FLOW
from sensors import marts as module
from sensors.marts import marts_outdated


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a refresh follow the one before at once."""
    monkeypatch.setattr(module, "LEAST_APART", timedelta(0))


def _run(instance: dg.DagsterInstance, name: str, succeeds: bool = True) -> None:
    @dg.op
    def body() -> None:
        if not succeeds:
            raise RuntimeError("broken on purpose")

    @dg.job(name=name)
    def job() -> None:
        body()

    job.execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )


def _outcome(instance: dg.DagsterInstance) -> str:
    outcome = marts_outdated(dg.build_sensor_context(instance=instance))
    if isinstance(outcome, dg.SkipReason):
        return outcome.skip_message or ""
    assert isinstance(outcome, dg.RunRequest)
    return "refresh"


def test_nothing_was_decided_yet(instance: dg.DagsterInstance) -> None:
    assert "not run yet" in _outcome(instance)


def test_a_failed_order_run_asks_for_nothing(instance: dg.DagsterInstance) -> None:
    _run(instance, ORDERS_FLOW.name, succeeds=False)
    assert "not run yet" in _outcome(instance)


def test_the_first_decided_orders_ask_for_a_refresh(instance: dg.DagsterInstance) -> None:
    _run(instance, ORDERS_FLOW.name)
    assert _outcome(instance) == "refresh"


@pytest.mark.usefixtures("at_once")
def test_a_refresh_is_asked_for_once_per_order_run(instance: dg.DagsterInstance) -> None:
    _run(instance, ORDERS_FLOW.name)
    _run(instance, MARTS_REFRESH.name)
    assert "up to date" in _outcome(instance)
    _run(instance, ORDERS_FLOW.name)
    assert _outcome(instance) == "refresh"


def test_refreshes_keep_apart(instance: dg.DagsterInstance) -> None:
    _run(instance, MARTS_REFRESH.name)
    _run(instance, ORDERS_FLOW.name)
    assert "next refresh in" in _outcome(instance)


def test_a_failed_refresh_is_tried_again_later(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(instance, ORDERS_FLOW.name)
    _run(instance, MARTS_REFRESH.name, succeeds=False)
    assert "next refresh in" in _outcome(instance)
    monkeypatch.setattr(module, "LEAST_APART", timedelta(0))
    assert _outcome(instance) == "refresh"
