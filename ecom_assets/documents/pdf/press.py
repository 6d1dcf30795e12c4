"""Print many documents at once, on every core.

A page is about half a millisecond of one core, so a day's documents are worth a few processes; a
handful is not.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from types import ModuleType
from typing import TypeVar

Document = TypeVar("Document")

WORTH_PROCESSES = 500
"""Documents from which on the start of further processes (about half a second) pays."""

_BATCH = 100
_PR_SET_PDEATHSIG = 1


@contextmanager
def press(
    draw: Callable[[Document], bytes],
) -> Iterator[Callable[[Sequence[Document]], Iterable[bytes]]]:
    """A printer of many documents; its processes end with the block, or with us.

    Args:
        draw: makes one PDF; a function of a module, as other processes must find it.
    """
    with ExitStack() as stack:
        pools: list[ProcessPoolExecutor] = []

        def print_all(documents: Sequence[Document]) -> Iterable[bytes]:
            if len(documents) < WORTH_PROCESSES:
                return map(draw, documents)
            if not pools:
                # spawned, not forked: connections and threads of ours must not be copied
                pool = ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_tie)
                pools.append(stack.enter_context(pool))
            with _nameless_main():
                return pools[0].map(draw, documents, chunksize=_BATCH)

        yield print_all


@contextmanager
def _nameless_main() -> Iterator[None]:
    """Keep processes that start meanwhile from running our main module again.

    By itself a spawned process imports what the program began with, such as all of Dagster, which
    takes it many times as long as what a printer needs.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _tie() -> None:
    """End this process when its parent is killed; an orphan would wait for work for ever."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have died before the line above took hold.
    if os.getppid() == 1:
        os._exit(1)
