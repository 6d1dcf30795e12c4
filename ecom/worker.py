"""A warm worker: one long-lived process that has imported everything and runs the jobs of a lane.

It takes runs that the launcher offers (`ecom.launcher`); the lane `decisions` also starts runs of
its own when orders arrive. Sensors stay the guarantee: a worker may die at any line, and whatever
it leaves is found by its state.

    python -m ecom.worker decisions

SIGTERM ends a worker and the run it has; SIGINT ends the run only.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dagster as dg
import psycopg
import sqlalchemy as sa
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator

from ecom import warmup
from ecom.platform import Platform
from ecom.settings import load
from ecom.work import QUIET, REPOSITORY_TAG
from ecom_assets.shared import workers
from ecom_assets.shared.workers import Lane
from jobs.orders import ARRIVALS
from resources.listening import Listener

LOOK_S = 1.0
"""Seconds after which a worker looks for work that nobody told it of."""

_DECISIONS = "orders_decisions"
_PAUSE_AFTER_PROBLEM_S = 0.5
_LONGEST_PAUSE_S = 10.0
"""An order that no stage can take must not make a failed run follow the other."""

_MOST_MEMORY_KIB = 1_500_000
"""A worker that has grown beyond this ends between two runs; its parent starts another."""

_SWITCH_S = 0.0005
"""How long a thread that computes keeps the others waiting. A decision makes some hundred short
trips to the server, and after each of them would wait for whatever records the last one."""

_CHORES_NICE = 10
"""Documents and checks yield the processor to decisions where there is too little of it."""

_log = logging.getLogger("ecom.worker")


class Worker:
    """Runs what its lane is offered, one run at a time, in the main thread."""

    def __init__(self, platform: Platform, instance: dg.DagsterInstance, lane: Lane) -> None:
        """Make a worker of an open platform; `serve` makes it known."""
        self.worker_id = f"{socket.gethostname()}-{os.getpid()}"
        self.runs = 0
        self._lane = lane
        self._instance = instance
        self._database = platform.database
        self._listener = Listener(platform.url, (workers.OFFERS, *_own_channels(lane)))
        self._run_id: str | None = None
        self._failures = 0
        self._rests_until = 0.0

    def serve(self, stop: threading.Event) -> None:
        """Work until told to stop, or until the process has grown too large."""
        self._bury_the_dead()
        beats = threading.Thread(target=self._beat, args=(stop,), name="beat", daemon=True)
        beats.start()
        has_lost_touch = False
        while not stop.is_set() and not _is_too_large():
            try:
                if has_lost_touch:
                    self._let_go()
                    has_lost_touch = False
                # Looked for first: what was told while nobody listened is lost.
                if not self._work():
                    self._listener.wait(LOOK_S)
            except (sa.exc.DBAPIError, psycopg.Error) as error:
                # The server may be down; it comes back, and until then there is nothing to do.
                _log.warning("the database does not answer: %s", str(error).splitlines()[0])
                has_lost_touch = True
                stop.wait(_PAUSE_AFTER_PROBLEM_S)
        stop.set()
        beats.join(2 * workers.BEAT_S)
        self._listener.close()
        with suppress(sa.exc.DBAPIError), self._database.begin() as conn:
            workers.leave(conn, self.worker_id)

    def _work(self) -> bool:
        with self._database.begin() as conn:
            offered = workers.take(conn, self._lane, self.worker_id)
        if offered:
            self._execute_offered(offered)
            return True
        is_rested = time.monotonic() >= self._rests_until
        if self._lane is Lane.DECISIONS and is_rested and self._is_due():
            self._decide()
            return True
        return False

    def _is_due(self) -> bool:
        from ecom_assets.deciding import is_due

        with self._database.begin() as conn:
            return is_due(conn)

    def _decide(self) -> None:
        """Start a run of our own, without the queue: its order would wait seconds there."""
        run = self._instance.create_run_for_job(
            job_def=_job(_DECISIONS),
            run_config=QUIET,
            tags={**REPOSITORY_TAG, workers.LANE_TAG: self._lane.value},
        )
        with self._database.begin() as conn:
            workers.own(conn, run.run_id, self._lane, self.worker_id)
        self._execute(run)
        self._rest_if_failed(run.run_id)

    def _rest_if_failed(self, run_id: str) -> None:
        run = self._instance.get_run_by_id(run_id)
        self._failures = self._failures + 1 if run and run.is_failure else 0
        if self._failures:
            pause = min(_PAUSE_AFTER_PROBLEM_S * 2 ** (self._failures - 1), _LONGEST_PAUSE_S)
            self._rests_until = time.monotonic() + pause

    def _execute_offered(self, run_id: str) -> None:
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            with self._database.begin() as conn:
                workers.end(conn, run_id)
            return
        self._execute(run)

    def _execute(self, run: dg.DagsterRun) -> None:
        _log.info("run %s of %s", run.run_id, run.job_name)
        self._run_id = run.run_id
        try:
            for _ in execute_run_iterator(InMemoryJob(_job(run.job_name)), run, self._instance):
                pass
        except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
            _log.info("run %s was interrupted", run.run_id)
        except Exception:
            # Whatever a job raises is told in its run; the worker goes on.
            _log.exception("run %s", run.run_id)
        finally:
            self._run_id = None
            self.runs += 1
        _settle()
        with self._database.begin() as conn:
            workers.end(conn, run.run_id)

    def _beat(self, stop: threading.Event) -> None:
        """Tell that we live, and interrupt the run whose end was asked for."""
        while not stop.wait(workers.BEAT_S):
            try:
                with self._database.begin() as conn:
                    workers.beat(conn, self.worker_id, self._lane, os.getpid(), self.runs)
                    run_id = self._run_id
                    if run_id and workers.is_cancelled(conn, run_id) and self._run_id == run_id:
                        # Dagster turns it into the end of the run, as canceled.
                        os.kill(os.getpid(), signal.SIGINT)
            except sa.exc.DBAPIError as error:
                _log.warning("no sign of life: %s", str(error).splitlines()[0])

    def _bury_the_dead(self) -> None:
        """Close the runs of workers that are gone, at once those of this host."""
        with self._database.begin() as conn:
            # A container that starts again may give our process id to another worker.
            left = workers.end_all(conn, self.worker_id)
            workers.leave(conn, self.worker_id)
            workers.beat(conn, self.worker_id, self._lane, os.getpid(), self.runs)
            for seen in workers.listed(conn):
                if _is_gone(seen.worker_id):
                    workers.leave(conn, seen.worker_id)
            workers.forget(conn)
            left += workers.abandoned(conn, self._lane)
        self._close(left, "The worker that had it ended before it did.")

    def _let_go(self) -> None:
        """Close what we had when the database was lost, of which nobody may have been told."""
        with self._database.begin() as conn:
            left = workers.end_all(conn, self.worker_id)
        self._close(left, "The worker that had it lost the database before it could tell its end.")

    def _close(self, run_ids: list[str], reason: str) -> None:
        for run_id in run_ids:
            run = self._instance.get_run_by_id(run_id)
            if run and not run.is_finished:
                self._instance.report_run_failed(run, reason)


def _settle() -> None:
    """Spare later collections what outlived this one: modules, compiled statements, the model.

    To look through them stops everything for half a second, in the middle of a decision.
    """
    gc.collect()
    gc.freeze()


def _own_channels(lane: Lane) -> tuple[str, ...]:
    return (ARRIVALS,) if lane is Lane.DECISIONS else ()


def _job(name: str) -> dg.JobDefinition:
    from ecom_assets.definitions import defs

    return defs.resolve_job_def(name)


def _is_gone(worker_id: str) -> bool:
    """Whether a worker of this host has no process any more."""
    host, _, process = worker_id.rpartition("-")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _is_too_large() -> bool:
    with open("/proc/self/statm", "rb") as file:
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024 > _MOST_MEMORY_KIB


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, also while a run has signal handlers of Dagster's in place.

    The interpreter writes the number of each signal into a socket before it calls any handler.
    """
    stop = threading.Event()
    told, teller = socket.socketpair()
    teller.setblocking(False)

    def listen() -> None:
        while number := told.recv(1):
            if number[0] == signal.SIGTERM:
                stop.set()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    # Handlers of our own, for neither signal may raise or end the process between two runs.
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: None)
    signal.set_wakeup_fd(teller.fileno())
    try:
        yield stop
    finally:
        signal.set_wakeup_fd(-1)
        teller.close()


def main(lane: str) -> None:
    """Serve a lane of the platform that the parent process has opened."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    if lane == Lane.CHORES.value:
        os.nice(_CHORES_NICE)
    warmup.begin().join()
    _job(_DECISIONS)
    _settle()
    sys.setswitchinterval(_SWITCH_S)
    platform = Platform.of_environment(load())
    with _told_to_stop() as stop, platform.instance() as instance:
        Worker(platform, instance, Lane(lane)).serve(stop)


if __name__ == "__main__":
    main(sys.argv[1])
