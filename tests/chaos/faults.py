"""The faults, each done to a platform at work.

A fault is a function that does its harm, waits until it is over where it lasts, and says in a few
words what it did. `FAULTS` names them; a new one is a function and a line there.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psycopg

from chaos import disk
from chaos.processes import WORKERS, Processes, kill
from chaos.proxy import ProxyProcess


@dataclass(frozen=True, slots=True)
class Target:
    """What faults are done to.

    Attributes:
        home: the platform's home folder.
        processes: its processes.
        proxy: what leads its processes to the database.
        url: the database, by the direct way.
        draw: chooses victims.
        lasting_s: how long faults last that do not happen in a moment.
        no_disk: why the database's disk cannot be filled; empty if it can.
    """

    home: Path
    processes: Processes
    proxy: ProxyProcess
    url: str
    draw: Random
    lasting_s: float
    no_disk: str = ""


MOST_IDLE_S = 15.0
"""Longest wait for a process that may be started for every run."""


class Skipped(RuntimeError):
    """The fault cannot be done on this machine; the message says why."""


def kill_workers(target: Target) -> str:
    """Kill every process that decides orders; wait for one if none is there."""
    _wait_for(lambda: len(target.processes.of(WORKERS)), MOST_IDLE_S)
    killed = kill(target.processes.of(WORKERS))
    return f"killed {len(killed)} processes"


def kill_daemon(target: Target) -> str:
    """Kill the daemon alone; what it started goes on as orphans."""
    daemons = target.processes.of(["daemon"])
    for daemon in daemons:
        daemon.kill()
    return f"killed {len(daemons)} processes"


def kill_daemon_and_children(target: Target) -> str:
    """Kill the daemon with its code servers and runs, and the workers with them.

    Raises:
        Skipped: nobody would see that the runs are dead; they would be waited for.
    """
    if "run_monitoring" not in (target.home / "dagster" / "dagster.yaml").read_text():
        raise Skipped("the platform does not monitor its runs, and waits an hour for dead ones")
    killed = kill(target.processes.of(["daemon", "code server", *WORKERS]))
    return f"killed {len(killed)} processes"


_CLIENTS = """
    SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid
"""


@contextmanager
def _with_clients(target: Target) -> Iterator[tuple[psycopg.Connection, list[int]]]:
    """A connection, and the process ids of all others; waits for a server that just comes back."""
    deadline = time.monotonic() + MOST_IDLE_S
    while True:
        try:
            conn = psycopg.connect(target.url, autocommit=True)
            break
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    with conn:
        pids: list[int] = []
        while not pids and time.monotonic() < deadline:
            pids = [row[0] for row in conn.execute(_CLIENTS)]
        if not pids:
            raise RuntimeError("nobody is connected with the database")
        yield conn, pids


def terminate_backends(target: Target) -> str:
    """End half of the database's connections, in the order of the server."""
    with _with_clients(target) as (conn, pids):
        chosen = target.draw.sample(pids, (len(pids) + 1) // 2)
        conn.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [chosen])
    return f"ended {len(chosen)} of {len(pids)} connections"


def kill_backend(target: Target) -> str:
    """Kill one backend: the server cannot trust its shared memory and starts anew with all."""
    count = 0
    # The server ends our own connection as well.
    with suppress(psycopg.OperationalError), _with_clients(target) as (_, pids):
        count = len(pids)
        os.kill(target.draw.choice(pids), signal.SIGKILL)
    if not count:
        raise RuntimeError("the database server does not answer")
    return f"killed 1 of {count} backends"


def kill_database(target: Target) -> str:
    """Kill the server's first process; whoever serves the platform starts it again."""
    _wait_for(lambda: target.processes.postmaster() is not None, MOST_IDLE_S)
    postmaster = target.processes.postmaster()
    if postmaster is None:
        raise RuntimeError("the database server does not run")
    postmaster.kill()
    return "killed the server"


def cut_connection(target: Target) -> str:
    """Break all connections and refuse new ones for a while."""
    target.proxy.tell("refuse", "cut")
    time.sleep(target.lasting_s)
    target.proxy.tell("accept")
    return f"cut for {target.lasting_s:g} s"


LATENCY_S = 0.05


def delay_connection(target: Target) -> str:
    """Deliver everything late for a while."""
    target.proxy.tell(f"latency {LATENCY_S}")
    time.sleep(target.lasting_s)
    target.proxy.tell("latency 0")
    return f"{LATENCY_S * 2000:g} ms per round trip for {target.lasting_s:g} s"


FULL = "No space left on device"
MOST_FULL_S = 30.0


def fill_disk(target: Target) -> str:
    """Fill the database's disk until the server has hit the end of it, and a while longer.

    Raises:
        Skipped: the database has no disk of its own.
    """
    if target.no_disk:
        raise Skipped(target.no_disk)
    log = target.home / "postgres.log"
    before, ballast = log.stat().st_size, target.home / "postgres" / "ballast"
    taken = disk.fill(ballast)
    try:
        hits = _wait_for(lambda: _told(log, before), MOST_FULL_S)
        time.sleep(target.lasting_s)
        hits = _told(log, before)
    finally:
        disk.empty(ballast)
    if not hits:
        raise RuntimeError("the disk was full, and the server has not noticed")
    return f"filled with {taken / 1e9:.1f} GB; the server met its end {hits} times"


def _told(log: Path, since: int) -> int:
    with log.open("rb") as file:
        file.seek(since)
        return file.read().count(FULL.encode())


def _wait_for(condition: Callable[[], int], seconds: float) -> int:
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


FAULTS: dict[str, Callable[[Target], str]] = {
    "workers": kill_workers,
    "daemon": kill_daemon,
    "daemon+children": kill_daemon_and_children,
    "connections": terminate_backends,
    "backend": kill_backend,
    "database": kill_database,
    "cut": cut_connection,
    "delay": delay_connection,
    "disk full": fill_disk,
}
"""Every kind of fault by its name."""
