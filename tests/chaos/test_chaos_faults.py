"""Each fault against a real server of its own: it does its harm, and no more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import psycopg
import pytest

from chaos.faults import FAULTS, LATENCY_S, Skipped, Target
from chaos.processes import Processes
from chaos.proxy import HOST, ProxyProcess
from ecom.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server in a home folder, as the platform has it; some faults kill it."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("faults") / "home" / "postgres") as server:
        yield server


@pytest.fixture
def target(server: EmbeddedPostgres) -> Iterator[Target]:
    home = server.data.parent
    with ProxyProcess() as proxy:
        proxy.tell(f"target {server.port}")
        url = server.url("postgres")
        yield Target(home, Processes(home), proxy, url, Random(1), 0.3, "no disk here")


@pytest.fixture
def clients(target: Target) -> Iterator[list[psycopg.Connection]]:
    """Some connections by way of the proxy, and nobody else's."""
    end_others(target)
    url = psycopg.conninfo.make_conninfo(target.url, host=HOST, port=target.proxy.port)
    connections = [psycopg.connect(url, autocommit=True) for _ in range(4)]
    yield connections
    for conn in connections:
        conn.close()


def end_others(target: Target) -> None:
    """End connections that earlier tests have left and the server has not noticed the end of."""
    with psycopg.connect(target.url) as conn:
        ended = conn.execute(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall()
    assert all(is_ended for (is_ended,) in ended)


def still_work(clients: list[psycopg.Connection]) -> int:
    """How many of the connections answer."""
    working = 0
    for conn in clients:
        try:
            conn.execute("SELECT 1")
            working += 1
        except psycopg.OperationalError:
            continue
    return working


def until(condition: Callable[[], object], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def answers(target: Target) -> bool:
    try:
        psycopg.connect(target.url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_half_of_the_connections_are_ended(
    target: Target, clients: list[psycopg.Connection]
) -> None:
    assert FAULTS["connections"](target) == "ended 2 of 4 connections"
    assert still_work(clients) == 2


def test_a_killed_backend_takes_all_connections_with_it_but_not_the_server(
    server: EmbeddedPostgres, target: Target, clients: list[psycopg.Connection]
) -> None:
    assert FAULTS["backend"](target) == "killed 1 of 4 backends"
    # The server needs a moment to see that one of its processes is dead.
    assert until(lambda: still_work(clients) == 0)
    assert until(lambda: answers(target))
    assert server.is_alive


def test_the_killed_database_is_gone_until_somebody_starts_it(
    server: EmbeddedPostgres, target: Target
) -> None:
    FAULTS["database"](target)
    assert until(lambda: not server.is_alive)
    server.restart()
    assert answers(target)


def test_a_cut_breaks_what_is_open_and_ends_by_itself(
    target: Target, clients: list[psycopg.Connection]
) -> None:
    FAULTS["cut"](target)
    assert still_work(clients) == 0
    psycopg.connect(target.url, host=HOST, port=target.proxy.port).close()


def test_a_delay_breaks_nothing_and_ends_by_itself(
    target: Target, clients: list[psycopg.Connection]
) -> None:
    longest = 0.0

    def ask() -> None:
        nonlocal longest
        while delaying.is_alive():
            begun = time.monotonic()
            clients[0].execute("SELECT 1")
            longest = max(longest, time.monotonic() - begun)

    delaying = threading.Thread(target=FAULTS["delay"], args=(target,))
    delaying.start()
    ask()
    assert longest >= 2 * LATENCY_S
    assert still_work(clients) == 4


def test_a_disk_that_cannot_be_filled_is_skipped_with_the_reason(target: Target) -> None:
    with pytest.raises(Skipped, match="no disk here"):
        FAULTS["disk full"](target)


@pytest.mark.parametrize(("text", "is_done"), [("run_monitoring:\n", True), ("storage:\n", False)])
def test_runs_are_killed_with_their_daemon_only_where_somebody_would_notice(
    target: Target, tmp_path: Path, text: str, is_done: bool
) -> None:
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text(text)
    other = replace(target, home=tmp_path, processes=Processes(tmp_path))
    if is_done:
        assert FAULTS["daemon+children"](other) == "killed 0 processes"
    else:
        with pytest.raises(Skipped, match="does not monitor"):
            FAULTS["daemon+children"](other)
