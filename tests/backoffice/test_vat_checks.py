"""VAT ids: only an answer of the register makes one valid, and no answer is asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.backoffice.store import vat_checks
from ecom_assets.backoffice.taxation import Treatment, VatState, treatment
from ecom_assets.backoffice.vat import normal, pause, problem_of
from ecom_assets.definitions import build_defs
from fixtures.vat_register import (
    BUSY,
    DOWN,
    DOWN_WITH_VERDICT,
    INVALID,
    Register,
    Reply,
    valid,
    vat_register,
)
from resources.database import DatabaseResource
from resources.vat import VatRegisterResource

NOW = datetime(2024, 6, 1, tzinfo=UTC)
FRENCH = "FR40303265045"


@pytest.fixture
def register() -> Iterator[Register]:
    with vat_register() as served:
        yield served


@pytest.mark.parametrize(
    ("reply", "is_valid", "problem"),
    [
        (valid("WAPI1"), True, ""),
        (INVALID, False, ""),
        (DOWN, None, "MS_UNAVAILABLE"),
        (BUSY, None, "GLOBAL_MAX_CONCURRENT_REQ"),
        (DOWN_WITH_VERDICT, None, "MS_UNAVAILABLE"),
        ((503, {}), None, "status 503"),
        ((200, {}), None, "the register sent no verdict"),
        ((200, []), None, "the register sent no object"),
        ((200, b"<html>"), None, "JSONDecodeError"),
    ],
)
def test_only_a_verdict_is_an_answer(
    register: Register, reply: Reply, is_valid: bool | None, problem: str
) -> None:
    register.replies[FRENCH] = reply
    answer = VatRegisterResource(url=register.url, requester="DE136695976").ask(FRENCH)
    assert answer.is_valid is is_valid
    assert answer.problem.startswith(problem)
    assert register.questions == [
        {
            "countryCode": "FR", "vatNumber": "40303265045", "requesterMemberStateCode": "DE",
            "requesterNumber": "136695976",
        }
    ]  # fmt: skip


def test_nobody_there_is_no_answer() -> None:
    answer = VatRegisterResource(url="http://127.0.0.1:9", timeout_s=0.5).ask(FRENCH)
    assert answer.is_valid is None
    assert answer.problem.startswith("Connect")


def ask_all(
    database: DatabaseResource, register: Register, at: datetime
) -> dg.ExecuteInProcessResult:
    own = {"database": database, "vat_register": VatRegisterResource(url=register.url)}
    job = build_defs(own).resolve_job_def("backoffice_vat_checks")
    config = {
        "ops": {"backoffice__vat_checks": {"config": {"as_of": at.isoformat()}}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(run_config=config, instance=instance)


def test_while_the_register_is_down_nothing_is_claimed(
    database: DatabaseResource, register: Register
) -> None:
    register.replies[FRENCH] = DOWN
    with database.begin() as conn:
        assert vat_checks.want(conn, "fr 40.303.265-045", NOW, "run") is VatState.PENDING
        assert vat_checks.want(conn, FRENCH, NOW, "run") is VatState.PENDING
    result = ask_all(database, register, NOW)
    (shown,) = result.asset_materializations_for_node("backoffice__vat_checks")
    assert shown.metadata["degraded"].value == "1 of 1 not answered: MS_UNAVAILABLE"
    with database.begin() as conn:
        state = vat_checks.state_of(conn, FRENCH, NOW)
        assert state is VatState.PENDING
        assert treatment("DE", "FR", state) is Treatment.ORIGIN
        assert vat_checks.due(conn, NOW) == []
    assert len(register.questions) == 1
    register.replies[FRENCH] = valid("WAPI7")
    later = NOW + pause(1)
    assert ask_all(database, register, later).success
    with database.begin() as conn:
        assert vat_checks.state_of(conn, FRENCH, later) is VatState.VALID
        assert treatment("DE", "FR", VatState.VALID) is Treatment.REVERSE_CHARGE
        # What was known when the order was placed stays what was known.
        assert vat_checks.state_of(conn, FRENCH, NOW) is VatState.PENDING
        row = conn.execute(sa.text("SELECT * FROM backoffice.vat_checks")).one()
    assert (row.attempts, row.consultation, row.answered_at) == (2, "WAPI7", later)


def test_an_answer_counts_for_a_month(conn: sa.Connection) -> None:
    vat_checks.want(conn, FRENCH, NOW, "run")
    ((check, _),) = vat_checks.due(conn, NOW)
    vat_checks.answered(conn, check, False, None, NOW)
    assert vat_checks.want(conn, FRENCH, NOW + timedelta(days=29), "run") is VatState.INVALID
    assert vat_checks.want(conn, FRENCH, NOW + timedelta(days=30), "run") is VatState.PENDING


@pytest.mark.parametrize(("vat_id", "said"), [
    ("DE 136.695.976", None), ("el094259216", None), ("GR094259216", "GR is no country"),
    ("US123", "US is no country"), ("DE1", "an id has 2 to 12"), ("", "nothing is no country"),
])  # fmt: skip
def test_the_form_of_an_id(conn: sa.Connection, vat_id: str, said: str | None) -> None:
    problem = problem_of(normal(vat_id))
    assert problem is None if said is None else str(problem).startswith(said)
    state = vat_checks.want(conn, vat_id, NOW, "run")
    assert state is (VatState.PENDING if said is None else VatState.MALFORMED)
