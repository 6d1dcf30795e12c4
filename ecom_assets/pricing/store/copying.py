"""Moving columns between the database and memory by COPY, without a Python object per value."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import psycopg
import sqlalchemy as sa
from psycopg import sql

if TYPE_CHECKING:
    import pyarrow as pa

_SLICE = 100_000
"""Rows written as text at a time."""


def copy_out(
    conn: sa.Connection, query: sql.SQL, values: Mapping[str, Any], texts: Sequence[str],
    numbers: Sequence[str], reals: Sequence[str] = (),
) -> pa.Table:  # fmt: skip
    """The rows of a query as Arrow columns; whole numbers and texts, empty ones as null.

    Args:
        conn: connection inside a transaction.
        query: `COPY (SELECT ...) TO STDOUT (FORMAT csv, HEADER)` with named places.
        values: what the places stand for.
        texts: columns of texts; named, since a SKU may look like a number.
        numbers: columns of whole numbers.
        reals: columns of real numbers.
    """
    import pyarrow as pa
    from pyarrow import csv

    buffer = io.BytesIO()
    driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(query, values) as copy:
        for block in copy:
            buffer.write(block)
    buffer.seek(0)
    kinds = {name: pa.string() for name in texts} | {name: pa.int64() for name in numbers}
    options = csv.ConvertOptions(
        column_types=kinds | {name: pa.float64() for name in reals},
        strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""],
    )  # fmt: skip
    return csv.read_csv(buffer, convert_options=options)


def copy_in(conn: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
    """Write Arrow columns to the columns of the same names of a table."""
    from pyarrow import csv

    names = sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
    place = sql.Identifier(table.schema, table.name) if table.schema else sql.Identifier(table.name)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(place, names)
    driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    options = csv.WriteOptions(include_header=False)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, rows.num_rows, _SLICE):
            text = io.BytesIO()
            csv.write_csv(rows.slice(start, _SLICE), text, options)
            copy.write(text.getvalue())
