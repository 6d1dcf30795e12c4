"""`ecom effects`: a person settles what nobody saw the end of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom import cli
from ecom_assets.shared.outbox import ATTEMPTS, OUTBOX
from fixtures.mail import effects, plan_letters
from resources.database import DatabaseResource

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ecom(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    database: DatabaseResource,
    tmp_path: Path,
) -> Run:
    """Run the command in this process; returns exit code, standard output and error."""
    for name in ("DAGSTER_HOME", "ECOM_DAGSTER_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("ECOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECOM_DATABASE_URL", database.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ecom", *arguments])
        code = cli.run()
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def doubtful(database: DatabaseResource, *names: str) -> list[int]:
    """Effects that are unknown; returns their numbers."""
    now = sa.func.now()
    with database.begin() as conn:
        plan_letters(conn, *(f"{name}@a.example" for name in names))
        sending = {"state": "sending", "claimed_at": now, "lease_until_at": now, "worker": 1}
        conn.execute(sa.update(OUTBOX).values({**sending, "attempts": 1}))
        conn.execute(sa.update(OUTBOX).values(state="unknown", last_error="cut"))
        rows = sa.select(OUTBOX.c.effect_id).order_by(OUTBOX.c.effect_id)
        return list(conn.execute(rows).scalars())


def test_a_person_settles_doubts_both_ways(ecom: Run, database: DatabaseResource) -> None:
    first, second = doubtful(database, "a", "b")
    code, out, _ = ecom("effects", "list")
    assert code == 0
    assert f"{first}: email unknown after 1 attempts, <a@shop.example>: cut" in out
    assert ecom("effects", "resolve", str(first), "--sent", "--by", "Ada")[0] == 0
    assert "planned again" in ecom("effects", "resolve", str(second), "--not-sent", "--by", "B")[1]
    assert effects(database) == {"a@a.example": "confirmed", "b@a.example": "planned"}
    assert ecom("effects", "list")[1] == "nothing to settle\n"
    (waiting,) = json.loads(ecom("effects", "list", "--planned", "--json")[1])
    assert waiting["effect_id"] == second
    with database.begin() as conn:
        said = conn.execute(sa.select(ATTEMPTS.c.action, ATTEMPTS.c.answer)).tuples().all()
    assert ("person", "decided by Ada") in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--by", "Ada"), "--sent or --not-sent"),
        (("--sent", "--by", " "), "needs a name"),
        (("--sent", "--by", "Ada"), "only unknown effects are resolved"),
    ],
)
def test_a_mistake_is_one_line(
    ecom: Run, database: DatabaseResource, arguments: tuple[str, ...], message: str
) -> None:
    with database.begin() as conn:
        plan_letters(conn, "a@a.example")
    code, out, err = ecom("effects", "resolve", "1", *arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_an_effect_that_is_not_there_is_named(ecom: Run) -> None:
    assert "there is no effect 7" in ecom("effects", "resolve", "7", "--sent", "--by", "A")[2]


def test_status_tells_what_waits_for_whom(
    ecom: Run, database: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECOM_SMTP_HOST", raising=False)
    doubtful(database, "a")
    with database.begin() as conn:
        plan_letters(conn, "b@a.example")
    out = ecom("status")[1]
    assert "effects to settle: 1 planned, 1 unknown" in out
    assert "degraded: no mail server is configured (ECOM_SMTP_HOST); 1 letters wait" in out
    assert "degraded: 1 effects are unknown; see `ecom effects list`" in out
