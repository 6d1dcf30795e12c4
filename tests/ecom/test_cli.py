"""The command line: one line per problem, results on standard output, progress on the other."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ecom import cli
from ecom.platform import only_one
from resources.database import DatabaseResource

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def ecom(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    database: DatabaseResource,
    home: Path,
) -> Run:
    """Run the command in this process; returns exit code, standard output and error."""
    for name in ("DAGSTER_HOME", "ECOM_DAGSTER_URL"):
        monkeypatch.setenv(name, "")  # set by an open platform, restored after the test
    monkeypatch.setenv("ECOM_HOME", str(home))
    monkeypatch.setenv("ECOM_DATABASE_URL", database.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ecom", *arguments])
        code = cli.run()
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def _problem(result: tuple[int, str, str]) -> str:
    code, out, err = result
    assert code == 1
    assert out == ""
    assert "Traceback" not in err
    problems = [line for line in err.splitlines() if line.startswith("ecom: ")]
    assert len(problems) == 1
    return problems[0]


def test_a_folder_that_is_missing(ecom: Run) -> None:
    assert "no such folder" in _problem(ecom("import", "olist", "/does/not/exist"))


def test_an_unknown_format_names_the_known_ones(ecom: Run, tmp_path: Path) -> None:
    line = _problem(ecom("import", "excel", str(tmp_path)))
    assert "excel" in line
    assert "olist" in line


def test_data_without_a_format(ecom: Run, tmp_path: Path) -> None:
    assert "--format" in _problem(ecom("up", "--once", "--data", str(tmp_path)))


def test_a_taken_port(ecom: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = _problem(ecom("up", "--port", str(port)))
    assert f"port {port}" in line


def test_a_second_up_over_the_same_home(ecom: Run, home: Path) -> None:
    with only_one(home):
        assert str(os.getpid()) in _problem(ecom("up", "--once"))


def test_a_database_that_does_not_answer(ecom: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOM_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    assert "does not answer" in _problem(ecom("status"))


def test_an_address_of_another_kind(ecom: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOM_DATABASE_URL", "mysql://nobody@127.0.0.1/none")
    assert "postgresql://" in _problem(ecom("status"))


def test_status_of_an_empty_shop(ecom: Run) -> None:
    code, out, _ = ecom("status", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["received"], found["waiting"]) == (0, {})
    # The test's server is not the embedded one, and nobody said another account for the entrance.
    [reason] = found["degraded"]
    assert "the owner's account" in reason
    code, out, _ = ecom("status")
    assert "orders: none" in out


def test_sql_prints_rows_and_writes_nothing(ecom: Run) -> None:
    code, out, _ = ecom("sql", "--json", "SELECT 1 AS one, '[b]' AS two")
    assert (code, json.loads(out)) == (0, [{"one": 1, "two": "[b]"}])
    assert "[b]" in ecom("sql", "SELECT '[b]' AS two")[1]
    assert "read-only" in _problem(ecom("sql", "DELETE FROM orders.inbox"))
    assert "syntax error" in _problem(ecom("sql", "SELEC"))
