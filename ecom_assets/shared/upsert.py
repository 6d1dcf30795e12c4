"""Bring a set of rows into a table: new ones in, changed ones updated, equal ones left alone.

One set-based statement, so cost follows the change: an equal row is compared, never rewritten.
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
    # Rows of a temporary table that nobody updates lie in the order they were written.
    place: sa.ColumnElement[Any] = sa.literal_column("ctid")
    return sa.select(*feed.c).distinct(*keys).order_by(*keys, place.desc())


def upsert(
    conn: sa.Connection,
    table: sa.Table,
    rows: Rows,
    key: Sequence[str],
    stamps: Mapping[str, Any] | None = None,
) -> int:
    """Insert rows that are new and update those that differ.

    Where another transaction inserted a row of ours meanwhile, the insert waits for it and skips
    the row; the statement then runs again and compares it like any other, so that the outcome does
    not depend on who was faster.

    Args:
        conn: connection inside the caller's transaction (READ COMMITTED).
        table: the table to bring up to date.
        rows: a select whose columns are named as in `table`, at most one row per key.
        key: columns that identify a row.
        stamps: values written with a new or changed row that are not compared, such as the import.

    Returns:
        How many rows were inserted or changed.
    """
    statement = _statement(table, rows, key, stamps or {})
    written: int = 0
    while True:
        missing, added, changed = conn.execute(statement).tuples().one()
        written += int(added) + int(changed)
        # Fewer added than missing: somebody else inserted them since the statement began.
        if missing == added:
            return written


def _statement(
    table: sa.Table, rows: Rows, key: Sequence[str], stamps: Mapping[str, Any]
) -> sa.Select[Any]:
    """Counts of rows that were missing, that were added and that were changed."""
    # MATERIALIZED: it is read three times, and may be a costly select over a feed.
    given = rows.cte("given").prefix_with("MATERIALIZED", dialect="postgresql")
    same_key = sa.and_(*(table.c[name] == given.c[name] for name in key))
    is_known = sa.select(sa.literal(1)).select_from(table).where(same_key).correlate(given).exists()
    missing = sa.select(*given.c).where(~is_known).cte("missing")
    marks = [sa.literal(value, table.c[name].type) for name, value in stamps.items()]
    # One order of insertion for all writers: two of them cannot wait for each other.
    source = sa.select(*missing.c, *marks).order_by(*(missing.c[name] for name in key))
    columns = [*(column.name for column in given.c), *stamps]
    added = insert(table).from_select(columns, source).on_conflict_do_nothing(index_elements=key)
    compared = [column.name for column in given.c if column.name not in key]
    # IS DISTINCT FROM, not <>: a value that appears or disappears is a change.
    is_changed = sa.or_(
        sa.false(), *(table.c[name].is_distinct_from(given.c[name]) for name in compared)
    )
    values = {**{name: given.c[name] for name in compared}, **stamps}
    changed = sa.update(table).values(values).where(same_key, is_changed)
    return sa.select(
        *(
            sa.select(sa.func.count()).select_from(part).scalar_subquery()
            for part in (
                missing,
                added.returning(sa.literal(1)).cte("added"),
                changed.returning(sa.literal(1)).cte("changed"),
            )
        )
    )
