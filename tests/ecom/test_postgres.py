"""The embedded server: made, found, ended with its parent, recovered after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from ecom import postgres as module
from ecom.postgres import EmbeddedPostgres
from ecom.problems import Problem
from ecom.settings import ROOT

START = """
import sys, time
from pathlib import Path
from ecom.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "home" / "postgres"


@pytest.fixture
def holder(data: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process that started a server, and the server's process id."""
    data.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(data)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout
    yield process, int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()


def _execute(server: EmbeddedPostgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        cursor = conn.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def _wait_gone(pid: int, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_data_survives_a_restart_and_the_port_is_below_the_ephemeral_range(data: Path) -> None:
    with EmbeddedPostgres(data) as server:
        assert server.port < 32768
        _execute(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    with EmbeddedPostgres(data) as server:
        assert _execute(server, "SELECT answer FROM kept") == [(42,)]


def test_a_running_server_is_used_and_left_running(
    data: Path, holder: tuple[subprocess.Popen[str], int]
) -> None:
    with EmbeddedPostgres(data) as server:
        assert not server.is_owner
        assert _execute(server, "SELECT 1") == [(1,)]
    assert psutil.pid_exists(holder[1])


def test_the_server_ends_with_its_parent(
    data: Path, holder: tuple[subprocess.Popen[str], int]
) -> None:
    process, server_pid = holder
    process.kill()
    assert _wait_gone(server_pid)
    with EmbeddedPostgres(data) as server:
        assert server.is_owner


def test_a_killed_server_comes_back_with_what_was_committed(data: Path) -> None:
    server = EmbeddedPostgres(data)
    server.start()
    _execute(server, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    port, pid = server.port, server.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert _wait_gone(pid)
    assert not server.is_alive
    server.restart()
    try:
        assert server.port == port
        assert _execute(server, "SELECT count(*) FROM kept") == [(1000,)]
    finally:
        server.stop()


def test_a_half_made_data_folder_is_made_again(data: Path) -> None:
    data.mkdir(parents=True)
    (data / "base").mkdir()
    with EmbeddedPostgres(data) as server:
        assert _execute(server, "SELECT 1") == [(1,)]


def test_the_password_is_random_and_only_its_owner_reads_it(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "postgres"
    with EmbeddedPostgres(data) as server, EmbeddedPostgres(other) as second:
        assert (data.parent / "postgres.password").stat().st_mode & 0o077 == 0
        wrong = second.url("postgres").replace(str(second.port), str(server.port))
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders others cannot pass")
def test_root_may_keep_it_in_a_folder_that_nobody_else_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "postgres") as server:
        assert _execute(server, "SELECT 1") == [(1,)]
        assert server.pid
        assert psutil.Process(server.pid).uids().effective != 0
    assert closed.stat().st_mode & 0o077 == 0


def test_a_restart_that_fails_can_be_tried_again(data: Path) -> None:
    with EmbeddedPostgres(data) as server:
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        assert _wait_gone(server.pid)
        (data / "global").rename(data / "away")
        with pytest.raises(Problem, match="did not start"):
            server.restart()
        assert server.is_owner
        assert not server.is_alive
        (data / "away").rename(data / "global")
        server.restart()
        assert _execute(server, "SELECT 1") == [(1,)]


def test_a_server_that_never_answers_is_not_left_behind(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedPostgres(data):
        pass
    # As if the password were another's: the server runs and lets nobody in.
    (data.parent / "postgres.password").write_text("wrong")
    monkeypatch.setattr(module, "_START_SECONDS", 2)
    server = EmbeddedPostgres(data)
    with pytest.raises(Problem, match="password authentication failed"):
        server.start()
    assert not server.is_owner
    assert not (data / "postmaster.pid").exists()
