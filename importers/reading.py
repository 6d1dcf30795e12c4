"""Read CSV (plain or gzip) and Parquet in batches of bounded size, ready for COPY.

A record that cannot be a row is set apart with its line, and reading goes on behind it. Nothing
here knows the database or what the columns mean.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, cast

from ecom.problems import Problem
from ecom_assets.shared.records import (
    BATCH_RECORDS,
    Lines,
    Records,
    Row,
    Unreadable,
    read_header,
    read_records,
    shown,
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of a file.

    Attributes:
        data: the rows as CSV for COPY, UTF-8, each with its number in front; empty fields are NULL.
        rows: how many rows `data` holds.
        unreadable: the records that were no rows.
    """

    data: bytes
    rows: int
    unreadable: tuple[Unreadable, ...]


def read(path: Path, columns: Sequence[str]) -> Iterator[Batch]:
    """Read the given columns of a file.

    Args:
        path: a `.parquet` file, or CSV with a header, compressed if it ends in `.gz`.
        columns: columns to return, in this order.

    Yields:
        Batches of about `BATCH_RECORDS` records.

    Raises:
        Problem: the file is empty, corrupt, cannot be opened or lacks a column.
    """
    chunks = _parquet(path, columns) if path.suffix == ".parquet" else _csv(path, columns)
    done = 0
    # Unreadable records are counted too: a row number is a place in the file.
    for records in chunks:
        yield _batch(records, done + 1)
        done += len(records)


def _batch(records: Records, first: int) -> Batch:
    numbered = list(enumerate(records, first))
    rows = [(row_no, row) for row_no, row in numbered if not isinstance(row, Unreadable)]
    refused = [replace(bad, row_no=no) for no, bad in numbered if isinstance(bad, Unreadable)]
    try:
        data = _encode(rows)
    except ValueError:
        # Rare: look at the rows one by one, so that only the bad ones are set apart.
        bad = {row_no: found for row_no, row in rows if (found := _unstorable(row_no, row))}
        rows = [(row_no, row) for row_no, row in rows if row_no not in bad]
        refused += bad.values()
        data = _encode(rows)
    return Batch(data, len(rows), tuple(refused))


def _encode(rows: list[tuple[int, Row]]) -> bytes:
    """Write rows as CSV; a ValueError says that PostgreSQL could not store some character."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([(row_no, *row) for row_no, row in rows])
    text = buffer.getvalue()
    if "\0" in text:
        raise ValueError("NUL character")
    return text.encode()


def _unstorable(row_no: int, row: Row) -> Unreadable | None:
    excerpt = shown(",".join(field or "" for field in row))
    for position, field in enumerate(row, 1):
        if field and "\0" in field:
            return Unreadable(row_no, "nul_character", f"field {position}: NUL character", excerpt)
        if field and not _is_utf8(field):
            return Unreadable(row_no, "not_utf8", f"field {position}: bytes are not UTF-8", excerpt)
    return None


def _is_utf8(field: str) -> bool:
    try:
        field.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _open_text(path: Path) -> Iterator[IO[str]]:
    try:
        with path.open("rb") as plain:
            binary = gzip.GzipFile(fileobj=plain) if path.suffix == ".gz" else plain
            # Bytes that are not UTF-8 survive as surrogates, so that only their row is parked.
            with io.TextIOWrapper(
                cast(IO[bytes], binary), "utf-8-sig", errors="surrogateescape", newline=""
            ) as text:
                yield text
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise Problem(f"{path}: the compressed file is corrupt: {error}") from error
    except OSError as error:
        raise Problem(f"{path}: {error.strerror or error}") from error


def _csv(path: Path, columns: Sequence[str]) -> Iterator[Records]:
    with _open_text(path) as stream:
        lines = Lines(stream)
        header = read_header(lines)
        if not header:
            raise Problem(f"{path}: the file is empty")
        yield from read_records(
            lines, len(header), _picker(path, header, columns), most=BATCH_RECORDS
        )


def _picker(path: Path, header: list[str], columns: Sequence[str]) -> Callable[[Row], Row]:
    missing = [column for column in columns if column not in header]
    if missing:
        raise Problem(f"{path}: no column {', '.join(missing)}; found {', '.join(header)[:200]}")
    positions = [header.index(column) for column in columns]
    if len(positions) == 1:
        return lambda record: (record[positions[0]],)
    return itemgetter(*positions)


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Records]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            found = file.schema_arrow.names
            missing = [column for column in columns if column not in found]
            if missing:
                raise Problem(f"{path}: no column {', '.join(missing)}; found {', '.join(found)}")
            for batch in file.iter_batches(BATCH_RECORDS, columns=list(columns)):
                yield list(zip(*(_texts(batch.column(name)) for name in columns), strict=True))
    except (pa.ArrowException, OSError) as error:
        raise Problem(f"{path}: the Parquet file is corrupt: {error}") from error


def _texts(column: Any) -> list[str | None]:
    import pyarrow as pa

    try:
        return cast(list[str | None], column.cast(pa.string()).to_pylist())
    except UnicodeDecodeError:
        # One value is not UTF-8; as surrogates the others of the column stay readable.
        raw = cast(list[bytes | None], column.cast(pa.binary()).to_pylist())
        return [None if value is None else value.decode(errors="surrogateescape") for value in raw]
