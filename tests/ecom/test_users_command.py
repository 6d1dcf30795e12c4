"""`ecom user`: the first admin, lost passwords, and people who leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom import cli
from ecom_assets.backoffice.store import links, users
from ecom_assets.backoffice.tables import AUDIT_ENTRIES
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
    for name in ("DAGSTER_HOME", "ECOM_DAGSTER_URL", "ECOM_PUBLIC_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("ECOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECOM_DATABASE_URL", database.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ecom", "user", *arguments])
        code = cli.run()
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def test_a_user_is_added_and_the_link_is_theirs(ecom: Run, database: DatabaseResource) -> None:
    assert "`ecom user add NAME --role admin` adds the first" in ecom("list")[1]
    code, out, _ = ecom("add", "Ann", "--role", "admin", "--role", "analyst", "--full-name", "A")
    assert code == 0
    address, _, token = out.strip().rpartition("/")
    assert address == "http://127.0.0.1:3000/welcome"
    with database.begin() as conn:
        found = links.user_of_link(conn, token, datetime.now(UTC))
    assert found
    assert (found.name, found.roles, found.has_password) == ("ann", ("admin", "analyst"), False)
    assert ecom("list")[1] == "ann: admin, analyst\n"
    assert json.loads(ecom("list", "--json")[1])[0]["roles"] == ["admin", "analyst"]


def test_a_new_link_ends_the_one_before(ecom: Run, database: DatabaseResource) -> None:
    first = ecom("add", "ann", "--role", "viewer")[1].strip().rpartition("/")[2]
    second = ecom("link", "ann")[1].strip().rpartition("/")[2]
    with database.begin() as conn:
        now = datetime.now(UTC)
        assert links.user_of_link(conn, first, now) is None
        assert links.user_of_link(conn, second, now)


def test_changes_are_recorded_as_done_at_the_command_line(
    ecom: Run, database: DatabaseResource
) -> None:
    for name in ("ann", "bob"):
        ecom("add", name, "--role", "admin")
    assert ecom("roles", "bob", "--role", "viewer")[0] == 0
    assert ecom("disable", "bob")[0] == 0
    assert "bob: viewer, disabled" in ecom("list")[1]
    assert ecom("enable", "bob")[0] == 0
    with database.begin() as conn:
        assert users.user_named(conn, "bob").is_active
        assert set(conn.execute(sa.select(AUDIT_ENTRIES.c.via)).scalars()) == {"command"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("disable", "ann"), "this is the last admin"),
        (("roles", "ann", "--role", "viewer"), "this is the last admin"),
        (("add", "ANN", "--role", "viewer"), "there is a user 'ann' already"),
        (("add", " ", "--role", "viewer"), "1 to 100 printable characters"),
        (("link", "nobody"), "there is no user 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    ecom: Run, arguments: tuple[str, ...], said: str
) -> None:
    ecom("add", "ann", "--role", "admin")
    code, out, error = ecom(*arguments)
    assert (code, out) == (1, "")
    assert said in error
    assert len(error.splitlines()) == 1
