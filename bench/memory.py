"""The most memory a benchmark took: this process, its children, the database server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

import psutil

_EVERY_S = 0.2


@dataclass
class Peak:
    """Most bytes that were seen at one look, without what processes share.

    Attributes:
        own: of this process.
        printers: of its other children, all together.
        server: of the database server and its backends, all together.
    """

    own: int = 0
    printers: int = 0
    server: int = 0


@contextmanager
def watched(server: int | None) -> Iterator[Peak]:
    """Look at the memory several times a second until the block ends.

    Args:
        server: process id of the database server, if it is a child of ours.
    """
    peak, ended = Peak(), Event()
    watcher = Thread(target=_watch, args=(peak, ended, server), daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _watch(peak: Peak, ended: Event, server: int | None) -> None:
    own = psutil.Process()
    while True:
        children = {child.pid: child for child in own.children(recursive=True)}
        backends = _family(server) if server else {}
        peak.own = max(peak.own, _private(own))
        others = [child for pid, child in children.items() if pid not in backends]
        peak.printers = max(peak.printers, sum(map(_private, others)))
        peak.server = max(peak.server, sum(map(_private, backends.values())))
        if ended.wait(_EVERY_S):
            return


def _family(server: int) -> dict[int, psutil.Process]:
    try:
        process = psutil.Process(server)
        return {each.pid: each for each in [process, *process.children(recursive=True)]}
    except psutil.NoSuchProcess:
        return {}


def _private(process: psutil.Process) -> int:
    try:
        info = process.memory_info()
    except psutil.NoSuchProcess:
        return 0
    # Shared buffers would count once per backend; where sharing is not told, all is counted.
    return max(0, info.rss - getattr(info, "shared", 0))
