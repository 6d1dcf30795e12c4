"""Stage the files of a source in temporary tables and settle what became of every row.

The temporary table `unreadable` holds the records that were no rows; it counts as parked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from psycopg import Connection, sql
from sqlalchemy.dialects.postgresql import JSONB

from ecom_assets.shared.imports import IMPORT_ACCOUNTS
from ecom_assets.shared.quarantine import park
from importers.reading import Batch, read
from importers.source import SourceFile, raw_table

FATES = ("accepted", "parked", "superseded")
"""What can become of a row."""

_UNREADABLE = sa.Table(
    "unreadable",
    sa.MetaData(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("row_no", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


@dataclass(frozen=True, slots=True)
class FileAccount:
    """What became of the rows of one file; the parts add up to what was read."""

    source: str
    rows_read: int
    rows_accepted: int
    rows_parked: int
    rows_superseded: int


Found = tuple[SourceFile, Path | None]
"""A file of a source and where it is; None for an optional file that is not there."""


def stage(
    conn: sa.Connection, files: list[Found], progress: Callable[[str], object] | None = None
) -> None:
    """Read every file into its raw table; unreadable records are set apart.

    Raises:
        Problem: a file is empty, corrupt or lacks a column.
    """
    _UNREADABLE.create(conn)
    for file, path in files:
        table = raw_table(file)
        table.create(conn)
        rows = sum(_store(conn, file, batch) for batch in read(path, file.columns)) if path else 0
        analyze(conn, table)
        if progress and path:
            progress(f"{path.name}: {rows:,} rows read")


def analyze(conn: sa.Connection, table: sa.Table) -> None:
    """Count a temporary table for the planner; nothing else would before it is joined."""
    name = conn.dialect.identifier_preparer.format_table(table)
    conn.execute(sa.text("ANALYZE " + name))


def _store(conn: sa.Connection, file: SourceFile, batch: Batch) -> int:
    if batch.rows:
        _copy(conn, file, batch.data)
    if batch.unreadable:
        values = [
            {"name": file.name, "row_no": bad.row_no, "reason": bad.reason, "detail": bad.detail,
             "text": bad.text}
            for bad in batch.unreadable
        ]  # fmt: skip
        conn.execute(sa.insert(_UNREADABLE), values)
    return batch.rows + len(batch.unreadable)


def _copy(conn: sa.Connection, file: SourceFile, data: bytes) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(f"raw_{file.name}"),
        sql.SQL(", ").join(sql.Identifier(column) for column in ("row_no", *file.columns)),
    )
    # SQLAlchemy has no COPY; the driver below it shares the transaction.
    driver = conn.connection.driver_connection
    assert isinstance(driver, Connection)  # noqa: S101 - the engine always uses psycopg 3
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(data)


def require_fates(conn: sa.Connection, files: list[Found]) -> None:
    """Hold the mapping to its contract.

    Raises:
        RuntimeError: a row has no fate, or is parked without a reason and a detail.
    """
    for file, path in files:
        raw = raw_table(file).c
        is_unsettled = sa.or_(
            raw.fate.is_(None),
            raw.fate.not_in(FATES),
            sa.and_(raw.fate == "parked", sa.or_(raw.reason.is_(None), raw.detail.is_(None))),
        )
        # The first such row is named, so that the same file gives the same message.
        row_no = conn.scalar(sa.select(sa.func.min(raw.row_no)).where(is_unsettled))
        if row_no is not None:
            raise RuntimeError(f"{path}: the importer gave row {row_no} no fate, or no reason")


def settle(conn: sa.Connection, files: list[Found], import_id: int, run: str) -> None:
    """Put the parked rows into the quarantine and write the account of every file."""
    for file, path in files:
        if path:
            parked = _park(conn, file, path.name, run)
            _account(conn, file, path.name, import_id, parked)


def _park(conn: sa.Connection, file: SourceFile, source: str, run: str) -> int:
    raw = raw_table(file)
    whole = sa.func.to_jsonb(sa.literal_column(raw.name), type_=JSONB)
    row = whole.op("-")(sa.cast(["row_no", *_MARKS], sa.ARRAY(sa.Text)))
    rows = sa.select(
        sa.literal(source).label("source"),
        raw.c.row_no.label("row_number"),
        sa.func.coalesce(raw.c.subject, "").label("subject"),
        raw.c.reason,
        raw.c.detail,
        row.label("row"),
    ).where(raw.c.fate == "parked")
    bad = _UNREADABLE.c
    unread = sa.select(
        sa.literal(source).label("source"),
        bad.row_no.label("row_number"),
        sa.literal("").label("subject"),
        bad.reason,
        bad.detail,
        sa.func.jsonb_build_object("record", bad.text).label("row"),
    ).where(bad.name == file.name)
    park(conn, rows, run)
    return park(conn, unread, run)


_MARKS = ("fate", "reason", "detail", "subject")


def _account(
    conn: sa.Connection, file: SourceFile, source: str, import_id: int, unreadable: int
) -> None:
    raw = raw_table(file)
    found = conn.execute(sa.select(raw.c.fate, sa.func.count()).group_by(raw.c.fate)).tuples()
    fates = dict(found.all())
    accepted, parked, superseded = (fates.get(fate, 0) for fate in FATES)
    conn.execute(
        sa.insert(IMPORT_ACCOUNTS).values(
            import_id=import_id,
            source=source,
            rows_read=sum(fates.values()) + unreadable,
            rows_accepted=accepted,
            rows_parked=parked + unreadable,
            rows_superseded=superseded,
        )
    )


def accounts_of(conn: sa.Connection, import_id: int) -> tuple[FileAccount, ...]:
    """The accounts of an import, by file name."""
    table = IMPORT_ACCOUNTS
    rows = conn.execute(
        sa.select(
            table.c.source,
            table.c.rows_read,
            table.c.rows_accepted,
            table.c.rows_parked,
            table.c.rows_superseded,
        )
        .where(table.c.import_id == import_id)
        .order_by(table.c.source)
    )
    return tuple(FileAccount(*row) for row in rows)
