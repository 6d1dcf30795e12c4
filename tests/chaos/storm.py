"""A storm: the platform under load, fault after fault, until it is quiet; then the questions."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg
import sqlalchemy as sa

from chaos import disk
from chaos.audit import still_waits, violations
from chaos.faults import FAULTS, Skipped, Target
from chaos.load import Load, read_messages
from chaos.processes import MemoryLog, Processes
from chaos.proxy import ProxyProcess
from chaos.served import Served, platform
from chaos.timing import Decided, Happened, Recovery, decided_orders, recovery
from resources.database import DatabaseResource

IS_DECIDED = sa.text("SELECT EXISTS (SELECT FROM risk.decisions)")
FIRST_DECISION_S = 240.0
"""Longest wait for the first order to be decided."""

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
        served, url, dagster_url = stack.enter_context(
            platform(home, plan.orders, plan.seed, proxy)
        )
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
    deadline = time.monotonic() + FIRST_DECISION_S
    while time.monotonic() < deadline:
        served.check()
        with database.begin() as conn:
            if conn.execute(IS_DECIDED).scalar_one():
                return
        time.sleep(0.2)
    raise RuntimeError(f"no order was decided within {FIRST_DECISION_S:g} s")


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
