"""The shop's database: one pooled engine per process and address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import dagster as dg
import sqlalchemy as sa
from sqlalchemy.engine import make_url

ANALYSED = "analysed"
"""Key in a connection's `info` of the temporary tables whose figures the planner has."""

SWOLLEN = "is_swollen"
"""Set in a connection's `info` by who put many rows into temporary tables of the session."""

_START_AFRESH = sa.text("DISCARD TEMP")
_OPTIONS = "-c timezone=UTC -c jit=off -c idle_in_transaction_session_timeout=60s"
"""A process that is stopped in a transaction would hold its locks; the server ends that."""

_SESSION_S = 900
"""Temporary tables grow slowly where rows come and go; a session ends, and they with it."""


@cache
def engine_for(url: str) -> sa.Engine:
    """The pooled engine of an address, which may lack a driver; psycopg 3 is used.

    Sessions run in UTC, without just-in-time compilation, which takes seconds for our long
    statements over few rows. Connections are tested before use, so a restarted server is survived.
    """
    address = make_url(url).set(drivername="postgresql+psycopg")
    return sa.create_engine(
        address,
        # A step uses one connection, a refresh of the marts two; the rest is for what runs beside.
        pool_size=5,
        max_overflow=5,
        pool_pre_ping=True,
        pool_recycle=_SESSION_S,
        # Without it SQLAlchemy says -1 where an INSERT ... SELECT was asked how many rows it wrote.
        execution_options={"preserve_rowcount": True},
        connect_args={"options": _OPTIONS, "application_name": "ecom"},
    )


_IMPATIENT = "SELECT set_config('idle_in_transaction_session_timeout', :idle, true)"
# A process stopped between two messages of one statement is not idle; servers that can limit the
# whole transaction end it too.
_WHOLLY_IMPATIENT = sa.text(_IMPATIENT + ", set_config('transaction_timeout', :whole, true)")
_KNOWS_WHOLE = (17,)
"""The version of PostgreSQL that can."""

_WHOLE = 3
"""How many times as long as its longest silence a whole transaction may take."""


def be_impatient(conn: sa.Connection, seconds: float = 10) -> None:
    """Let the server end this transaction if its process says nothing for a while.

    Args:
        conn: connection inside the transaction.
        seconds: how long; short where others wait for what it holds. The whole transaction may
            take three times as long where the server can limit that.
    """
    idle = int(seconds * 1000)
    if (conn.dialect.server_version_info or ()) >= _KNOWS_WHOLE:
        conn.execute(_WHOLLY_IMPATIENT, {"idle": str(idle), "whole": str(idle * _WHOLE)})
    else:
        conn.execute(sa.text(_IMPATIENT), {"idle": str(idle)})


class DatabaseResource(dg.ConfigurableResource[None]):
    """Transactions on the shop's database.

    Attributes:
        url: `postgresql://user:password@host:port/database`.
    """

    url: str

    @property
    def engine(self) -> sa.Engine:
        """The pooled engine of this process."""
        return engine_for(self.url)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction that commits at the end, or rolls back when an error leaves the block."""
        with self.engine.begin() as conn:
            # Nothing cleans a temporary table while its session lives.
            if conn.info.pop(SWOLLEN, False):
                conn.execute(_START_AFRESH)
                conn.info.pop(ANALYSED, None)
            yield conn
