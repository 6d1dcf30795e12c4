"""The proxy forwards faithfully, and cuts, refuses and delays when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.engine import URL

from chaos.proxy import HOST, Proxy, ProxyProcess, obey


@pytest.fixture
def proxy() -> Iterator[ProxyProcess]:
    with ProxyProcess() as process:
        yield process


@pytest.fixture
def through(proxy: ProxyProcess, server: URL) -> str:
    """Address of the test server by way of the proxy."""
    proxy.tell(f"target {server.port}")
    return server.set(host=HOST, port=proxy.port).render_as_string(hide_password=False)


@pytest.fixture
def echo() -> Iterator[int]:
    """Port of a server that sends back what it gets, and ends when the client has ended."""
    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=_serve_echo, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        # Wakes accept(), which closing alone does not.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _serve_echo(listener: socket.socket) -> None:
    while True:
        try:
            conn, _ = listener.accept()
        except OSError:
            return
        with conn:
            try:
                while data := conn.recv(65536):
                    conn.sendall(data)
            except ConnectionError:
                continue


def test_what_is_asked_comes_back_unchanged(through: str) -> None:
    text = "é" * 3_000_000
    with psycopg.connect(through) as conn:
        row = conn.execute("SELECT %s::text, current_database()", [text]).fetchone()
    assert row is not None
    assert row[0] == text


def test_many_connections_at_once_do_not_mix(through: str) -> None:
    connections = [psycopg.connect(through) for _ in range(20)]
    for number, conn in enumerate(connections):
        row = conn.execute("SELECT %s::int", [number]).fetchone()
        assert row == (number,)
        conn.close()


def test_a_cut_breaks_open_connections_and_lets_new_ones_in(
    proxy: ProxyProcess, through: str
) -> None:
    with psycopg.connect(through) as conn:
        proxy.tell("cut")
        with pytest.raises(psycopg.OperationalError):
            conn.execute("SELECT 1")
    with psycopg.connect(through) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_refusing_keeps_open_connections_and_turns_new_ones_away(
    proxy: ProxyProcess, through: str
) -> None:
    with psycopg.connect(through) as conn:
        proxy.tell("refuse")
        with pytest.raises(psycopg.OperationalError, match="refused"):
            psycopg.connect(through, connect_timeout=5)
        assert conn.execute("SELECT 1").fetchone() == (1,)
        proxy.tell("accept")
    with psycopg.connect(through) as conn:
        assert conn.execute("SELECT 2").fetchone() == (2,)


def test_accepting_twice_and_refusing_twice_is_harmless(proxy: ProxyProcess, through: str) -> None:
    proxy.tell("refuse", "refuse", "accept", "accept")
    with psycopg.connect(through) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_latency_delays_both_ways_and_can_be_taken_away(proxy: ProxyProcess, through: str) -> None:
    with psycopg.connect(through) as conn:
        proxy.tell("latency 0.15")
        begun = time.monotonic()
        conn.execute("SELECT 1")
        assert time.monotonic() - begun >= 0.3
        proxy.tell("latency 0")
        row = conn.execute("SELECT repeat('x', 100000)").fetchone()
        assert row == ("x" * 100_000,)


def test_less_latency_never_lets_later_bytes_overtake(proxy: ProxyProcess, echo: int) -> None:
    proxy.tell(f"target {echo}")
    sent = [f"{number:04}".encode() for number in range(400)]
    with socket.create_connection((HOST, proxy.port)) as client:
        client.settimeout(10)
        for number, part in enumerate(sent):
            if number % 40 == 0:
                proxy.tell(f"latency {0.05 if number % 80 == 0 else 0}")
            client.sendall(part)
        client.shutdown(socket.SHUT_WR)
        got = b""
        while len(got) < 4 * len(sent) and (data := client.recv(65536)):
            got += data
    assert got == b"".join(sent)


def test_a_target_that_is_not_there_ends_the_connection(proxy: ProxyProcess) -> None:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        proxy.tell(f"target {probe.getsockname()[1]}")
        with socket.create_connection((HOST, proxy.port)) as client:
            client.settimeout(10)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""


def test_a_slow_reader_slows_the_writer_instead_of_filling_memory(
    proxy: ProxyProcess, echo: int
) -> None:
    proxy.tell(f"target {echo}")
    with socket.create_connection((HOST, proxy.port)) as client:
        client.settimeout(1)
        # Nothing is read back: once the buffers on the way are full, sending must block.
        with pytest.raises(TimeoutError):
            client.sendall(b"x" * 200_000_000)


def test_the_end_of_the_server_ends_the_client(through: str) -> None:
    with psycopg.connect(through) as conn, pytest.raises(psycopg.OperationalError):
        conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize("line", ["", "latency", "latency soon", "cut it", "target"])
def test_what_is_not_understood_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"soon|not understood"):
        asyncio.run(obey(Proxy(), line))
