"""Working tables: temporary, of a session, emptied by whoever opens them.

They are made once per session and emptied by DELETE: a table that is made anew, truncated or
analysed makes PostgreSQL plan every statement that names it again, and one that is emptied by every
commit makes every commit empty all of them. For a few rows either costs many times what the
statements do. After many rows the session starts afresh (`resources.database`).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from resources.database import ANALYSED, SWOLLEN

FEW = 1_000
"""Up to so many rows a plan made for a few is as good as any."""

_WORKING = sa.MetaData()


def working_table(name: str, *columns: sa.Column[Any]) -> sa.Table:
    """Declare a working table."""
    return sa.Table(
        name, _WORKING, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="PRESERVE ROWS"
    )


def open_empty(conn: sa.Connection, *tables: sa.Table) -> None:
    """Make working tables, or empty what this transaction has put into them."""
    for table in tables:
        conn.execute(CreateTable(table, if_not_exists=True))
        conn.execute(sa.delete(table))


def analyse(conn: sa.Connection, statement: sa.TextClause, rows: int) -> None:
    """Give the planner figures of working tables, which nobody else does, where they change much.

    Args:
        conn: connection inside the transaction that filled the tables.
        statement: `ANALYZE` of the tables.
        rows: rows of the largest of them.
    """
    # Once per session also for few: a table without figures is taken for one of many rows.
    known: set[str] = conn.info.setdefault(ANALYSED, set())
    if rows > FEW or statement.text not in known:
        conn.execute(statement)
        known.add(statement.text)
    if rows > FEW:
        conn.info[SWOLLEN] = True
