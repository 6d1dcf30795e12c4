"""Which workers are alive: each holds a lock for as long as its connection lives.

PostgreSQL gives the lock back the moment the process behind a connection is gone, so what a killed
worker left is seen at once rather than when its lease is over. A lost connection looks the same;
that is why a worker taken for dead is never taken for one that has stopped sending: only the end of
its lease proves that.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

LOCK_CLASS = 0x65666665
"""First key of the advisory locks of workers (the letters "effe"); the second is the worker."""

_LOCK = sa.text("SELECT pg_try_advisory_lock(:class, :worker)").bindparams(**{"class": LOCK_CLASS})
_UNLOCK = sa.text("SELECT pg_advisory_unlock(:class, :worker)").bindparams(**{"class": LOCK_CLASS})


@contextmanager
def present(engine: sa.Engine) -> Iterator[int]:
    """Be a worker: hold a lock on a connection of its own until the block ends.

    Returns:
        The worker's number.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        worker = secrets.randbelow(2**31)
        while not conn.execute(_LOCK, {"worker": worker}).scalar_one():
            worker = secrets.randbelow(2**31)
        try:
            yield worker
        finally:
            _leave(conn, worker)


def _leave(conn: sa.Connection, worker: int) -> None:
    # The connection goes back to a pool, and the lock is the session's: it would live on.
    try:
        conn.execute(_UNLOCK, {"worker": worker})
    except sa.exc.DBAPIError:
        conn.invalidate()
