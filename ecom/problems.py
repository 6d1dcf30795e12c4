"""What a failure says to a person: one clear line that says how to mend it, never a trace."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator

import psycopg
import sqlalchemy as sa

from ecom.settings import load


class Problem(Exception):
    """Something the person at the keyboard can mend; the message is one line that says how."""


def explain(error: Exception) -> str:
    """One line for a failure; the trace of one nobody foresaw goes to a file of the home folder."""
    lost = _lost_connection(error)
    if _is_disk_full(error) or (
        (isinstance(error, Problem) or lost is not None) and _server_lacks_space()
    ):
        return "the disk is full; free some space and run the command again, nothing is lost"
    if isinstance(error, Problem):
        return str(error)
    if lost is not None:
        return f"the database went away: {_first_line(lost)}"
    log = load().logs / "ecom.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.writelines(traceback.format_exception(error))
        where = f"; details are in {log}"
    except OSError:
        where = ""
    return f"something unexpected happened: {_first_line(error)}{where}"


def _lost_connection(error: BaseException) -> BaseException | None:
    """What the driver said if the database could not be reached or hung up."""
    for cause in _causes(error):
        if isinstance(cause, sa.exc.OperationalError):
            return cause.orig or cause
        if isinstance(cause, psycopg.OperationalError):
            return cause
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _server_lacks_space() -> bool:
    """Whether the last thing the embedded server said is that the disk is full."""
    try:
        lines = (load().home / "postgres.log").read_text(errors="replace").splitlines()
    except OSError:
        return False
    return any("No space left on device" in line for line in lines[-30:])


def _is_disk_full(error: BaseException) -> bool:
    return any(
        getattr(getattr(cause, "orig", cause), "sqlstate", None) == "53100"
        or (isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT))
        for cause in _causes(error)
    )
