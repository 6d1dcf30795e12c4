"""A storm: the platform under load, fault after fault, until it is quiet; then the questions."""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg
import sqlalchemy as sa

from chaos import disk
from chaos.audit import still_waits, violations
from chaos.faults import FAULTS, Skipped, Target
from chaos.load import Load, read_messages
from chaos.processes import MemoryLog, Processes, kill
from chaos.proxy import ProxyProcess
from chaos.timing import Decided, Happened, Recovery, decided_orders, recovery
from ecom.privileges import tie_to_parent
from ecom.settings import ROOT
from resources.database import DatabaseResource

FIRST_UI_PORT = 13900
IS_DECIDED = sa.text("SELECT EXISTS (SELECT FROM risk.decisions)")
READY_S = 240.0
"""Longest wait for the platform to be up; it prepares the shop first."""

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a storm is to be.

    Attributes:
        faults: names of `FAULTS`, in order.
        rate: orders per second.
        every_s: seconds from the beginning of a fault to that of the next.
        lasting_s: seconds that faults last which do not happen in a moment.
        before_s: seconds of load before the first fault.
        after_s: seconds of load after the last fault.
        settle_s: longest time in which everything must then be done.
        seed: chooses orders, changes and victims.
    """

    faults: Sequence[str]
    rate: float
    every_s: float
    lasting_s: float
    before_s: float
    after_s: float
    settle_s: float
    seed: int = 1

    @property
    def orders(self) -> int:
        """Orders that are held back for the load: some more than it can hand over."""
        each = self.every_s + self.lasting_s + 5
        lasting = 60 + self.before_s + len(self.faults) * each + self.after_s
        return max(300, int(lasting * self.rate * 1.2))


@dataclass(slots=True)
class Outcome:
    """What came of a storm.

    Attributes:
        faults: the faults that were done.
        skipped: why some were not, by name.
        wrong: what does not hold, see `audit.violations`.
        orders: the orders that were decided.
        recovered: how the platform came back, fault by fault.
        settled_s: seconds from the end of the load until nothing waited; None if that never was.
        counts: orders received and changes requested, and what happened on the way.
        memory: samples per kind of process, see `MemoryLog`.
        runs: Dagster runs by status.
        proxy_s: seconds that the proxy adds to every round trip; all latencies include it.
    """

    faults: list[Happened] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    orders: list[Decided] = field(default_factory=list)
    recovered: list[Recovery] = field(default_factory=list)
    settled_s: float | None = None
    counts: Counter[str] = field(default_factory=Counter)
    memory: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    proxy_s: float = 0.0


class Served:
    """A platform that serves in a process of its own, see `chaos.serving`."""

    def __init__(self, home: Path, orders: int, seed: int, proxy_port: int) -> None:
        """Start it; it prepares the shop and then waits for `go`."""
        self.log = home / "platform.log"
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        arguments = map(str, (orders, seed, _free_port(), proxy_port))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chaos.serving", *arguments],
                env={**os.environ, "ECOM_HOME": str(home), "PYTHONPATH": path}, cwd=ROOT,
                preexec_fn=tie_to_parent(), text=True, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip

    def prepared(self) -> dict[str, str]:
        """Wait until the shop is prepared; the addresses of the databases."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the platform ended:\n{self.log.read_text()}")
        addresses: dict[str, str] = json.loads(line)
        return addresses

    def go(self) -> None:
        """Let it serve, and wait until it does."""
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        deadline = time.monotonic() + READY_S
        while "Ctrl-C" not in self.log.read_text():
            self.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"the platform did not come up:\n{self.log.read_text()}")
            time.sleep(0.2)

    def check(self) -> None:
        """Make sure that it has not given up.

        Raises:
            RuntimeError: it has.
        """
        if self.process.poll() is not None:
            raise RuntimeError(f"the platform ended:\n{self.log.read_text()}")

    def stop(self) -> int:
        """End it as Ctrl-C does; returns its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)

    def close(self) -> None:
        """Wait for the end of one that was killed or stopped."""
        self.process.communicate(timeout=30)


def _free_port() -> int:
    for port in range(FIRST_UI_PORT, FIRST_UI_PORT + 500):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port for the UI")


@contextmanager
def _platform(home: Path, plan: Plan, proxy: ProxyProcess) -> Iterator[tuple[Served, str, str]]:
    """A served platform with its addresses; whatever happens, nothing of it is left."""
    served = Served(home, plan.orders, plan.seed, proxy.port)
    try:
        addresses = served.prepared()
        proxy.tell(f"target {sa.make_url(addresses['url']).port}")
        served.go()
        yield served, addresses["url"], addresses["dagster_url"]
    finally:
        everything = Processes(home).all()
        kill([process for members in everything.values() for process in members])
        served.close()


def run(plan: Plan, home: Path, say: Say) -> Outcome:
    """Let a storm pass over a new platform.

    Args:
        plan: what it is to be.
        home: an empty folder for the platform.
        say: told what goes on, in short lines.

    Raises:
        RuntimeError: the platform or the load gave up, or a fault could not be done.
    """
    outcome = Outcome()
    with ExitStack() as stack:
        no_disk = ""
        try:
            stack.enter_context(disk.mounted(home / "postgres", home / "postgres.img"))
        except disk.NoMount as error:
            no_disk = str(error)
        proxy = stack.enter_context(ProxyProcess())
        say(f"preparing a shop of {plan.orders:,} orders")
        served, url, dagster_url = stack.enter_context(_platform(home, plan, proxy))
        outcome.proxy_s = _round_trip(url, proxy.port) - _round_trip(url)
        database = DatabaseResource(url=url)
        stack.callback(database.engine.dispose)
        processes = Processes(home)
        target = Target(home, processes, proxy, url, Random(plan.seed), plan.lasting_s, no_disk)
        memory = MemoryLog(processes)
        memory.start()
        load = Load(
            database, read_messages(home / "messages.jsonl"), plan.rate, plan.seed,
            home / "received.jsonl",
        )  # fmt: skip
        load.start()
        say("the platform is up, the load has begun")
        # A fault before anything was decided would only prolong the start.
        _wait_for_decisions(database, served)
        say("the first order is decided")
        _do_faults(plan, target, served, outcome, say)
        load.stop()
        outcome.settled_s = _settle(database, plan.settle_s, served)
        memory.stop()
        _judge(outcome, load, database, memory)
        outcome.runs = _runs(dagster_url)
        if served.stop():
            outcome.wrong["the platform did not end as asked"] = [served.log.read_text()[-500:]]
    return outcome


def _round_trip(url: str, port: int | None = None, times: int = 300) -> float:
    """Seconds of an empty question to the database, the median of many."""
    taken = []
    address = sa.make_url(url)
    address = address.set(port=port) if port else address
    with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as conn:
        for _ in range(times):
            begun = time.perf_counter()
            conn.execute("SELECT")
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _wait_for_decisions(database: DatabaseResource, served: Served) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        served.check()
        with database.begin() as conn:
            if conn.execute(IS_DECIDED).scalar_one():
                return
        time.sleep(0.2)
    raise RuntimeError(f"no order was decided within {READY_S:g} s")


def _do_faults(plan: Plan, target: Target, served: Served, outcome: Outcome, say: Say) -> None:
    due = time.monotonic() + plan.before_s
    for name in plan.faults:
        time.sleep(max(0.0, due - time.monotonic()))
        served.check()
        begun = time.time()
        due = time.monotonic() + plan.every_s
        try:
            note = FAULTS[name](target)
        except Skipped as error:
            outcome.skipped[name] = str(error)
            say(f"SKIPPED {name}: {error}")
            continue
        outcome.faults.append(Happened(name, begun, time.time(), note))
        say(f"{name}: {note}")
    time.sleep(plan.after_s)


def _settle(database: DatabaseResource, longest_s: float, served: Served) -> float | None:
    """Seconds until nothing waits any more, or None if something still does after the longest."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < longest_s:
        served.check()
        try:
            with database.begin() as conn:
                if not still_waits(conn):
                    return passed
        except sa.exc.DBAPIError:
            pass  # the server may still be recovering from the last fault
        time.sleep(0.5)
    return None


def _judge(outcome: Outcome, load: Load, database: DatabaseResource, memory: MemoryLog) -> None:
    engine = database.engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.begin() as conn:
        outcome.wrong = violations(conn, load.received, load.requested)
        outcome.orders = decided_orders(conn)
    outcome.recovered = [recovery(fault, outcome.orders) for fault in outcome.faults]
    outcome.counts = load.counts + Counter(
        received=len(load.received), requested=len(load.requested), decided=len(outcome.orders)
    )
    outcome.memory = dict(memory.samples)


def _runs(dagster_url: str) -> dict[str, int]:
    engine = sa.create_engine(sa.make_url(dagster_url).set(drivername="postgresql+psycopg"))
    try:
        with engine.begin() as conn:
            rows = conn.execute(sa.text("SELECT status, count(*) FROM runs GROUP BY 1 ORDER BY 1"))
            return dict(rows.tuples().all())
    finally:
        engine.dispose()
