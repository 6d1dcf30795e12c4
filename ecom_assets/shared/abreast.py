"""Draining a stage by several workers of one process, for backlogs of more than one chunk.

Only for stages that decide about each order by itself: which worker takes which chunk must not be
seen in the result. Where orders compete (for stock, sites, numbers) or one order's outcome is
another one's input, the chunks go one after the other through `flow.drain`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager

import sqlalchemy as sa

from ecom_assets.shared.flow import Stage, Step, drain
from ecom_assets.shared.setting_aside import NO_RUN

WORKERS = 2
"""Workers in all: the work is the database's, and its server is seldom ours alone."""


class _Stopped(Exception):
    """Another worker of the stage has failed; the chunk goes back to the queue."""


class _Team:
    """Workers of one stage: the caller's thread, and helpers that join at its second chunk."""

    def __init__(self, pool: ThreadPoolExecutor, step: Step, helpers: int) -> None:
        self.helping: list[Future[Counter[str]]] = []
        self._pool, self._step, self._helpers = pool, step, helpers
        self._chunks = 0
        self._is_stopped = False

    def work(self, conn: sa.Connection) -> Mapping[str, int]:
        """The step, unless a worker has failed."""
        if self._is_stopped:
            raise _Stopped
        return self._step(conn)

    def lead(self, help_out: Callable[[], Counter[str]], conn: sa.Connection) -> Mapping[str, int]:
        """The step of the caller's thread, which calls the helpers."""
        self._chunks += 1
        # Not before: most backlogs are one chunk, and a thread would come for nothing.
        if self._chunks == 2:
            self.helping += [self._pool.submit(self.run, help_out) for _ in range(self._helpers)]
        return self.work(conn)

    def run(self, draining: Callable[[], Counter[str]]) -> Counter[str]:
        """Drain, and stop the others at their next chunk if that fails or is interrupted."""
        try:
            return draining()
        except _Stopped:
            # Who stopped us says why.
            return Counter()
        except BaseException:
            self._is_stopped = True
            raise


def drain_abreast(
    begin: Callable[[], AbstractContextManager[sa.Connection]],
    stage: Stage,
    step: Step,
    progress: Callable[[str], object] | None = None,
    chunk: int | None = None,
    workers: int = WORKERS,
    run: str = NO_RUN,
) -> Counter[str]:
    """Advance every order that waits for `stage`, from the second chunk on by several workers.

    Args:
        begin: as in `flow.drain`; called by several threads.
        stage: as in `flow.drain`.
        step: as in `flow.drain`; called by several threads, each with a connection of its own.
        progress: as in `flow.drain`; told by the caller's thread, of its own chunks only.
        chunk: as in `flow.drain`.
        workers: how many, the caller's thread included.
        run: as in `flow.drain`.

    Returns:
        The counts of all chunks added up, as `flow.drain` does.

    Raises:
        Exception: what a worker raised; the others have ended with the chunk they were at.
    """
    with ThreadPoolExecutor(workers) as pool:
        team = _Team(pool, step, workers - 1)

        def help_out() -> Counter[str]:
            return drain(begin, stage, team.work, None, chunk, run)

        def leading(conn: sa.Connection) -> Mapping[str, int]:
            return team.lead(help_out, conn)

        totals = team.run(lambda: drain(begin, stage, leading, progress, chunk, run))
    # All have ended: nobody works on when the error of one of them is told.
    for helper in team.helping:
        totals.update(helper.result())
    return totals
