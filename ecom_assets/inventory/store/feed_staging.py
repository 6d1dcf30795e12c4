"""Staging of stock feeds: a file or a select becomes the temporary table `stock_feed`.

Its columns are `sku`, `quantity`, `change` and `unit` as text, further columns of the file without
meaning, `row_no` where the place of a row in the file is known, and `problem` with `record` for
what was no row. Temporary tables are never logged and are seen by nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg import Connection, sql

from ecom_assets.inventory.feed_files import NAMES, FeedFile, chunks, reading, records
from ecom_assets.shared.columns import Rows

_ANALYSE = sa.text("ANALYZE stock_feed")
_COPY_ROWS = sql.SQL("COPY stock_feed (row_no, problem, record, {}) FROM STDIN")
_COPY_FILE = sql.SQL("COPY stock_feed ({}) FROM STDIN (FORMAT csv, HEADER true)")


def stage_file(conn: sa.Connection, file: FeedFile) -> int:
    """Copy a file into `stock_feed`; what is no row is kept with its problem.

    Returns:
        Rows staged.
    """
    rows = _copy_whole(conn, file)
    if rows is None:
        rows = _copy_records(conn, file)
    conn.execute(_ANALYSE)
    return rows


def stage_rows(conn: sa.Connection, rows: Rows) -> int:
    """Put a select with the columns `sku`, `quantity` or `change`, and perhaps `unit`, there.

    Returns:
        Rows staged.
    """
    given = rows.subquery()
    table = _open(conn, ())
    names = [name for name in NAMES if name in given.c]
    source = sa.select(*(sa.cast(given.c[name], sa.Text) for name in names))
    staged = conn.execute(sa.insert(table).from_select(names, source)).rowcount
    conn.execute(_ANALYSE)
    return staged


def _open(conn: sa.Connection, columns: Sequence[str]) -> sa.Table:
    extra = [name for name in columns if name not in NAMES]
    texts = [*NAMES, "problem", "record", *extra]
    table = sa.Table(
        "stock_feed",
        sa.MetaData(),
        *(sa.Column(name, sa.Text) for name in texts),
        sa.Column("row_no", sa.BigInteger),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    conn.execute(sa.text("DROP TABLE IF EXISTS stock_feed"))
    table.create(conn, checkfirst=False)
    return table


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _driver(conn: sa.Connection) -> Connection[Any]:
    # SQLAlchemy has no COPY; the driver below it shares the transaction.
    return cast(Connection[Any], conn.connection.driver_connection)


def _copy_whole(conn: sa.Connection, file: FeedFile) -> int | None:
    """Rows copied from the file as it is; None where PostgreSQL refuses some record."""
    _open(conn, file.columns)
    statement = _COPY_FILE.format(_names(file.columns))
    point = conn.begin_nested()
    try:
        with reading(file.path) as stream, _driver(conn).cursor() as cursor:
            with cursor.copy(statement) as copy:
                for chunk in chunks(stream):
                    copy.write(chunk)
            copied = cursor.rowcount
    except psycopg.DataError:
        point.rollback()
        return None
    point.commit()
    return copied


def _copy_records(conn: sa.Connection, file: FeedFile) -> int:
    """Copy a file record by record, with what was no row beside the others."""
    _open(conn, file.columns)
    nothing = [None] * len(file.columns)
    staged = 0
    statement = _COPY_ROWS.format(_names(file.columns))
    with _driver(conn).cursor() as cursor, cursor.copy(statement) as copy:
        for record in records(file):
            fields = [field or None for field in record.fields] or nothing
            copy.write_row([record.row_no, record.problem, record.text or None, *fields])
            staged += 1
    return staged
