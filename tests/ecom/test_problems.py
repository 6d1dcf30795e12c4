"""Every failure is told in one line, also one of the child that builds the marts."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.engine import URL

from ecom.platform import opened
from ecom.problems import Problem, explain
from ecom.progress import Progress
from ecom.settings import Settings
from ecom.standby import Standby


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), psycopg.errors.DiskFull("could not extend file")],
)
def test_a_full_disk_is_told_as_such(error: Exception) -> None:
    outer = RuntimeError("outer")
    outer.__cause__ = error
    assert "disk is full" in explain(outer)


def test_the_unexpected_goes_to_a_log_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ECOM_HOME", str(tmp_path))
    line = explain(ValueError("strange\nand long"))
    assert "strange" in line
    assert "\n" not in line
    assert "ValueError" in (tmp_path / "logs" / "ecom.log").read_text()


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("server closed\nin the middle"),
        sa.exc.OperationalError("SELECT 1", {}, psycopg.OperationalError("server closed")),
    ],
)
def test_a_lost_database_is_told_as_such(
    error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ECOM_HOME", str(tmp_path))
    assert explain(error) == "the database went away: server closed"


def test_a_child_that_loses_its_database_says_so_in_one_line(
    server: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("DAGSTER_HOME", "ECOM_DAGSTER_URL", "ECOM_DATABASE_URL", "ECOM_HOME"):
        monkeypatch.setenv(name, "")  # put back what `opened` sets
    name = f"standby_{os.getpid()}"
    url = server.set(database=name).render_as_string(hide_password=False)
    with opened(Settings(tmp_path, url)) as platform:
        child = Standby(platform, "marts_refresh")
        with psycopg.connect(
            server.set(drivername="postgresql").render_as_string(hide_password=False),
            autocommit=True,
        ) as conn:
            conn.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(f"{name}_dagster"))
            )
        with pytest.raises(Problem, match="the database went away"):
            child.run(Progress())
    assert "Traceback" not in capfd.readouterr().err
