"""Columns of arrays into tables by COPY: a row at a time over the wire costs many times as much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from psycopg import sql

if TYPE_CHECKING:
    import psycopg


def copy_columns(conn: sa.Connection, table: sa.Table, columns: Mapping[str, Any]) -> int:
    """Append rows to a table.

    Args:
        conn: connection inside the caller's transaction.
        table: an area's table or a temporary one.
        columns: a list or array per column, all of one length.

    Returns:
        How many rows.
    """
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    place = [part for part in (table.schema, table.name) if part]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(*place), names)
    driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    lists = [part.tolist() if hasattr(part, "tolist") else part for part in columns.values()]
    rows = 0
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in zip(*lists, strict=True):
            copy.write_row(row)
            rows += 1
    return rows
