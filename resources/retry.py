"""Whole transactions again, where the database ended them for reasons of its own.

Only what a second try may mend is tried again: a serialisation failure, a deadlock, a connection or
server that went away. An error of the statement itself would fail again and is raised at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import SystemRandom
from typing import TypeVar

import sqlalchemy as sa

ATTEMPTS = 5
"""Tries in all; with the pauses below they bridge a restart of the server of about a second."""

FIRST_PAUSE_S = 0.1
"""Longest pause before the second try, in seconds; it doubles with every try."""

_PASSING = frozenset({"40001", "40P01", "25P03", "25P04"})
_PASSING_CLASSES = ("08", "57P")

_random = SystemRandom()
T = TypeVar("T")


def is_passing(error: BaseException) -> bool:
    """Whether the error ended a transaction that may well succeed when it is begun anew.

    SQLSTATE 40001 and 40P01 (serialisation failure, deadlock), 25P03 and 25P04 (the process was
    silent, or the transaction open, for too long), class 08 (connection) and 57P (shutdown); a
    connection that breaks without a word of the server has no SQLSTATE at all.
    """
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return error.connection_invalidated or isinstance(error, sa.exc.OperationalError)
    return state in _PASSING or state.startswith(_PASSING_CLASSES)


def retried(
    transaction: Callable[[], T],
    attempts: int = ATTEMPTS,
    sleep: Callable[[float], object] = time.sleep,
) -> T:
    """Run a whole transaction, and run it again where `is_passing` says that it may succeed.

    A connection may be lost while the commit is under way, so the transaction may have happened:
    it must find by itself what is left to do, as the stages of the order path do.

    Args:
        transaction: begins, works and commits; called up to `attempts` times.
        attempts: tries in all.
        sleep: pauses between tries, given seconds.

    Raises:
        sqlalchemy.exc.DBAPIError: the last try failed too, or no further try would help.
    """
    for attempt in range(1, attempts):
        try:
            return transaction()
        except sa.exc.DBAPIError as error:
            if not is_passing(error):
                raise
        # Full jitter: those that met once must not meet again at the same moment.
        sleep(_random.uniform(0, FIRST_PAUSE_S * 2 ** (attempt - 1)))
    return transaction()
