"""Large statements without parameters, made once per process.

A statement of many thousand characters that is composed and searched for placeholders at every call
costs more than the server needs to run it over a few rows.
"""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa


@lru_cache(maxsize=64)
def _fixed(statement: sa.Insert, dialect: sa.Dialect) -> str:
    text = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    # Doubled for a driver that looks for placeholders, which it does not do here.
    return text.replace("%%", "%")


def execute_fixed(conn: sa.Connection, statement: sa.Insert) -> int:
    """Run a statement of constants; returns how many rows it wrote.

    Args:
        conn: connection inside a transaction.
        statement: made of declarations, never of input: what it compares with becomes part of its
            text. The same object at every call, so that it is compiled once.
    """
    options = {"no_parameters": True}
    return conn.exec_driver_sql(_fixed(statement, conn.dialect), execution_options=options).rowcount
