"""Bring a set of rows into a table: new ones in, changed ones updated, equal ones left alone.

Two set-based statements, so cost follows the change: an equal row is compared, never rewritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom_assets.shared.columns import Rows


def newest(feed: sa.Table, key: Sequence[str]) -> sa.Select[Any]:
    """The rows of a feed, of those with an equal key the one that was written last."""
    keys = [feed.c[name] for name in key]
    written_last: sa.ColumnElement[Any] = sa.literal_column("ctid")
    return sa.select(*feed.c).distinct(*keys).order_by(*keys, written_last.desc())


def upsert(
    conn: sa.Connection,
    table: sa.Table,
    rows: Rows,
    key: Sequence[str],
    stamps: Mapping[str, Any] | None = None,
) -> int:
    """Insert rows that are new and update those that differ.

    Inserting comes first: a row that another transaction inserted meanwhile is then compared and
    updated like any other, so the outcome does not depend on who was faster.

    Args:
        conn: connection inside the caller's transaction.
        table: the table to bring up to date.
        rows: a select whose columns are named as in `table`, at most one row per key.
        key: columns that identify a row.
        stamps: values written with a new or changed row that are not compared, such as the import.

    Returns:
        How many rows were inserted or changed.
    """
    given = rows.subquery()
    same_key = sa.and_(*(table.c[name] == given.c[name] for name in key))
    marks = dict(stamps or {})
    return _insert_new(conn, table, given, same_key, key, marks) + _update_changed(
        conn, table, given, same_key, key, marks
    )


def _insert_new(
    conn: sa.Connection,
    table: sa.Table,
    given: sa.Subquery,
    same_key: sa.ColumnElement[bool],
    key: Sequence[str],
    marks: dict[str, Any],
) -> int:
    is_known = sa.select(sa.literal(1)).select_from(table).where(same_key).correlate(given).exists()
    # One order of insertion for all writers: two of them cannot wait for each other.
    source = (
        sa.select(*given.c, *(sa.literal(mark) for mark in marks.values()))
        .where(~is_known)
        .order_by(*(given.c[name] for name in key))
    )
    columns = [*(column.name for column in given.c), *marks]
    statement = insert(table).from_select(columns, source).on_conflict_do_nothing()
    return conn.execute(statement).rowcount


def _update_changed(
    conn: sa.Connection,
    table: sa.Table,
    given: sa.Subquery,
    same_key: sa.ColumnElement[bool],
    key: Sequence[str],
    marks: dict[str, Any],
) -> int:
    compared = [column.name for column in given.c if column.name not in key]
    is_changed = sa.or_(
        sa.false(), *(table.c[name].is_distinct_from(given.c[name]) for name in compared)
    )
    values = {name: given.c[name] for name in compared}
    statement = sa.update(table).values({**values, **marks}).where(same_key, is_changed)
    return conn.execute(statement).rowcount
