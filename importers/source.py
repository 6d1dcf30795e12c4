"""What an importer is: the files it reads and the SQL that maps them to our feeds.

The engine (`importers.engine`) reads every file into a temporary table

    raw_<name>(row_no bigint, <columns> text, fate text, reason text, detail text, subject text)

where an empty field is NULL and `row_no` counts the records from 1 without the header. Then it
creates the feeds (`ecom_assets.shared.feeds`) and calls `map`, which must

- insert into the feeds, only from rows it accepts;
- give *every* row of every raw table a `fate`: `accepted` (it reached a feed, or a figure derived
  from it did), `parked` (it could not be used) or `superseded` (another row repeats or replaces
  it);
- give a parked row a `reason`, a code such as `order_missing`, and a `detail` that names the field;
  `subject`, the row's business key, is optional.

Records that are no rows at all (a wrong number of fields, bytes that are not UTF-8) never reach a
raw table: the engine parks them itself. `map` sees no paths, no runs and no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source.

    Attributes:
        name: short name; the rows are staged in `raw_<name>`.
        patterns: file name globs, such as `orders.csv` and `orders.csv.gz`; `*.parquet` is read as
            Parquet, everything else as CSV with a header.
        columns: columns that must be there; further columns of the file are not read.
        is_required: whether the import stops when there is no such file; without the file an
            optional one is staged empty.
    """

    name: str
    patterns: tuple[str, ...]
    columns: tuple[str, ...]
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """A foreign shop's schema and its mapping to ours.

    Attributes:
        format: name a person types, such as `olist`.
        files: the files it consists of.
        map: fills the feeds from the raw tables, in the transaction of the import.
    """

    format: str
    files: tuple[SourceFile, ...]
    map: Callable[[sa.Connection], None]


def raw_table(file: SourceFile) -> sa.Table:
    """The temporary table that holds the rows of a file while they are mapped."""
    return sa.Table(
        f"raw_{file.name}",
        sa.MetaData(),
        sa.Column("row_no", sa.BigInteger, nullable=False),
        *(sa.Column(column, sa.Text) for column in file.columns),
        *(sa.Column(column, sa.Text) for column in ("fate", "reason", "detail", "subject")),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )


def csv_file(name: str, stem: str, *columns: str, is_required: bool = True) -> SourceFile:
    """A CSV file that may be compressed: `<stem>.csv` or `<stem>.csv.gz`."""
    return SourceFile(name, (f"{stem}.csv", f"{stem}.csv.gz"), columns, is_required)
