"""The platform's processes, found by their command lines, and what they take of memory."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import psutil

KINDS: tuple[tuple[str, str], ...] = (
    ("worker", "ecom.worker"),
    ("daemon", "dagster._daemon"),
    ("entrance", "-m gateway"),
    ("code server", "dagster api grpc"),
    ("run", "dagster api execute"),
    ("run", "multiprocessing.spawn"),
    ("platform", "chaos.serving"),
)
"""Kinds of processes, each with a word of its command line; the first that fits names it."""

WORKERS = frozenset({"worker", "run"})
"""Kinds of processes that decide orders."""

SAMPLE_EVERY_S = 5.0


class Processes:
    """The processes of one home folder."""

    def __init__(self, home: Path) -> None:
        """Processes whose environment names the home folder, and the database server's."""
        self._home = home

    def all(self) -> dict[str, list[psutil.Process]]:
        """Every process, by kind; `other` for those no kind fits."""
        found: dict[str, list[psutil.Process]] = defaultdict(list)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                # Orphans are ours too, so the environment is asked and not the parent.
                if process.environ().get("ECOM_HOME") == str(self._home):
                    found[_kind(process)].append(process)
        found["postgres"] = self.postgres()
        return found

    def of(self, kinds: Iterable[str]) -> list[psutil.Process]:
        """The processes of some kinds."""
        everything = self.all()
        return [process for kind in kinds for process in everything.get(kind, [])]

    def postmaster(self) -> psutil.Process | None:
        """The database server's first process, if it runs."""
        try:
            lines = (self._home / "postgres" / "postmaster.pid").read_text().splitlines()
            return psutil.Process(int(lines[0]))
        except (OSError, ValueError, IndexError, psutil.Error):
            return None

    def postgres(self) -> list[psutil.Process]:
        """The database server and its backends: they overwrite their environment."""
        first = self.postmaster()
        try:
            return [first, *first.children()] if first else []
        except psutil.Error:
            return []


def _kind(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    name = process.name()
    if name == "postgres":
        return "server child"
    return next((kind for kind, word in KINDS if word in line), "other")


def kill(processes: Iterable[psutil.Process]) -> list[int]:
    """Kill processes at once, with everything they started; returns the ids of those killed."""
    killed = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            family = [process, *process.children(recursive=True)]
            for member in family:
                member.kill()
                killed.append(member.pid)
    return killed


class MemoryLog:
    """Resident memory per kind of process over time, taken by a thread of its own.

    Attributes:
        samples: per kind (seconds since the start, bytes of all processes of the kind).
    """

    def __init__(self, processes: Processes) -> None:
        """A log that has not begun."""
        self.samples: dict[str, list[tuple[float, int]]] = defaultdict(list)
        self._processes = processes
        self._begun = time.monotonic()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._is_over.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._is_over.wait(SAMPLE_EVERY_S):
            self.look()

    def look(self) -> None:
        """Take one sample of every kind."""
        at = time.monotonic() - self._begun
        for kind, members in self._processes.all().items():
            if members:
                self.samples[kind].append((at, sum(map(_private_bytes, members))))


def _private_bytes(process: psutil.Process) -> int:
    """Memory of a process; of the server's without what they share, which would count often."""
    try:
        info = process.memory_info()
    except psutil.Error:
        return 0
    shared = int(getattr(info, "shared", 0))
    return int(info.rss) - (shared if process.name() == "postgres" else 0)
