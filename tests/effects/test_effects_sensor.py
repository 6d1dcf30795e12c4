"""The dispatch inside Dagster: the sensor, the asset, its checks and its job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.definitions import build_defs
from ecom_assets.shared.outbox import OUTBOX
from fixtures.mail import Sink, effects, free_port, plan_letters
from jobs.effects import EFFECTS_DISPATCH
from resources.database import DatabaseResource
from resources.mail import MailResource
from sensors import effects as module
from sensors.effects import effects_waiting


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def evaluate(
    instance: dg.DagsterInstance, database: DatabaseResource, mail: MailResource
) -> dg.RunRequest | str:
    """The run asked for, or why none is."""
    resources = {"database": database, "mail": mail}
    outcome = effects_waiting(dg.build_sensor_context(instance=instance, resources=resources))
    if isinstance(outcome, dg.SkipReason):
        return outcome.skip_message or ""
    assert isinstance(outcome, dg.RunRequest)
    return outcome


def run_job(
    instance: dg.DagsterInstance, database: DatabaseResource, mail: MailResource
) -> dg.ExecuteInProcessResult:
    job = build_defs({"database": database, "mail": mail}).resolve_job_def(EFFECTS_DISPATCH.name)
    config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return job.execute_in_process(instance=instance, run_config=config)


def shown(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node("effects__outbox")
    return {name: entry.value for name, entry in event.metadata.items()}


def test_a_waiting_letter_starts_one_run_that_sends_it(
    instance: dg.DagsterInstance, database: DatabaseResource, sink: Sink
) -> None:
    mail = sink.mail()
    assert evaluate(instance, database, mail) == "nothing waits"
    with database.begin() as conn:
        plan_letters(conn, "accept.s1@a.example", "never.s1@a.example")
    assert isinstance(evaluate(instance, database, mail), dg.RunRequest)
    result = run_job(instance, database, mail)
    assert shown(result)["confirmed"] == shown(result)["failed"] == 1
    assert "<never.s1@shop.example>" in shown(result)["failed_effects"]
    assert "never.s1@a" not in shown(result)["failed_effects"].partition("550")[0]
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks == {"outbox_unknown_none_open": True, "outbox_failed_none": False}
    assert result.success, "the checks only warn"
    assert evaluate(instance, database, mail) == "nothing waits"


def test_without_a_mail_server_nothing_fails_and_it_is_said(
    instance: dg.DagsterInstance, database: DatabaseResource
) -> None:
    with database.begin() as conn:
        plan_letters(conn, "a@a.example")
    reason = "no mail server is configured"
    assert str(evaluate(instance, database, MailResource())).startswith(f"degraded: {reason}")
    result = run_job(instance, database, MailResource())
    assert result.success
    assert shown(result)["degraded"].startswith(reason)
    assert shown(result)["effects_planned"] == 1


def test_after_an_outage_the_sensor_waits(
    instance: dg.DagsterInstance,
    database: DatabaseResource,
    sink: Sink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with database.begin() as conn:
        plan_letters(conn, "accept.s2@a.example", "accept.s3@a.example")
    away = sink.mail(port=free_port())
    assert "takes nothing" in shown(run_job(instance, database, away))["degraded"]
    assert str(evaluate(instance, database, away)).startswith("the last run could not send")
    monkeypatch.setattr(module, "PAUSE_AFTER_OUTAGE", module.PAUSE_AFTER_OUTAGE * 0)
    assert isinstance(evaluate(instance, database, away), dg.RunRequest)


def test_what_only_a_person_can_settle_is_shown_and_warned_of(
    instance: dg.DagsterInstance, database: DatabaseResource, sink: Sink
) -> None:
    with database.begin() as conn:
        plan_letters(conn, "cut.s1@a.example")
    blind = sink.mail(archive="")
    run_job(instance, database, blind)
    assert isinstance(evaluate(instance, database, blind), dg.RunRequest), "it is looked up"
    result = run_job(instance, database, blind)
    assert "<cut.s1@shop.example>" in shown(result)["unknown_effects"]
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks["outbox_unknown_none_open"] is False
    assert evaluate(instance, database, blind) == "nothing waits", "not again at once"
    assert effects(database) == {"cut.s1@a.example": "unknown"}


def test_what_a_killed_dispatch_left_starts_a_run(
    instance: dg.DagsterInstance, database: DatabaseResource, sink: Sink
) -> None:
    now = sa.func.now()
    with database.begin() as conn:
        plan_letters(conn, "accept.s4@a.example")
        left = {"state": "sending", "claimed_at": now, "lease_until_at": now, "worker": 1}
        conn.execute(sa.update(OUTBOX).values(left))
    assert isinstance(evaluate(instance, database, sink.mail()), dg.RunRequest)
    run = instance.create_run_for_job(
        dg.job(name=EFFECTS_DISPATCH.name)(_nothing), status=dg.DagsterRunStatus.STARTED
    )
    assert run.run_id in str(evaluate(instance, database, sink.mail()))


def _nothing() -> None:
    """A job's body that does nothing."""


def test_the_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MailResource.of_environment().model_dump(exclude_defaults=True) == {}
    monkeypatch.setenv("ECOM_SMTP_HOST", "mail.example")
    monkeypatch.setenv("ECOM_SMTP_PORT", "2525")
    monkeypatch.setenv("ECOM_SMTP_PASSWORD", "secret")
    given = MailResource.of_environment()
    assert "secret" not in repr(given)
    seen = []

    @dg.asset
    def probe(mail: MailResource) -> None:
        seen.append((mail.host, mail.server.port, mail.password))

    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([probe], resources={"mail": given}, instance=instance)
    assert seen == [("mail.example", 2525, "secret")]
