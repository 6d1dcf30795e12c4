"""Open a catalogue file: which format it is, what its columns hold, and its rows to stage."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from ecom_assets.catalog.reading import shopify, workbook
from ecom_assets.catalog.reading.layout import layout_of
from ecom_assets.catalog.reading.merchant import OPTIONS, feed_items
from ecom_assets.catalog.reading.problem import BadFile
from ecom_assets.catalog.reading.staged import Item, Staged, encode, refused
from ecom_assets.catalog.reading.table import stage_table
from ecom_assets.shared.records import (
    BATCH_RECORDS,
    Lines,
    Unreadable,
    read_header,
    read_records,
)

FORMATS = ("csv", "xlsx", "shopify", "merchant")
"""Formats that are recognised, or may be named."""

_HEAD_BYTES = 65_536
_MERCHANT = {"id", "title", "link"}
_DELIMITERS = ("\t", ";", ",", "|")


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """A file whose format is known.

    Attributes:
        path: where it is.
        format: one of `FORMATS`.
        digest: SHA-256 of its bytes, hexadecimal.
        columns: column by field, as a person said.
    """

    path: Path
    format: str
    digest: str
    columns: Mapping[str, str]

    def rows(self, settings: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
        """Staged rows in blocks of CSV for COPY, with the number of rows of each block.

        Args:
            settings: takes what was read from which column, and what was not read.

        Raises:
            BadFile: the file is empty, corrupt, or lacks the SKU.
        """
        try:
            yield from self._rows(settings)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise BadFile(f"{self.path.name}: the compressed file is corrupt: {error}") from error
        except OSError as error:
            raise BadFile(f"{self.path.name}: {error.strerror or error}") from error

    def _rows(self, settings: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
        if self.format == "xlsx":
            yield from self._sheet(settings)
        elif self.format == "merchant" and _is_xml(_head(self.path)):
            with _opened(self.path) as stream:
                yield from _staged(feed_items(stream, self.path.name))
        else:
            yield from self._delimited(settings)

    def _sheet(self, settings: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
        rows = workbook.sheet_rows(self.path)
        header = [name.strip() for name in next(rows, [])]
        if not any(header):
            raise BadFile(f"{self.path.name}: the first sheet is empty")
        layout = layout_of(header, self.columns)
        settings |= {"columns": layout.said(header), "ignored": layout.ignored}
        yield from stage_table(layout, workbook.blocks_of(rows, len(header)))

    def _delimited(self, settings: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
        head = _head(self.path)
        encoding, delimiter = _encoding(head), _delimiter(head)
        with (
            _opened(self.path) as binary,
            io.TextIOWrapper(binary, encoding, errors="surrogateescape", newline="") as text,
        ):
            lines = Lines(text)
            header = read_header(lines, delimiter)
            if self.format == "shopify":
                yield from _shopify(lines, header, delimiter)
                return
            options = OPTIONS if self.format == "merchant" else ()
            layout = layout_of(header, self.columns, options)
            settings |= {"columns": layout.said(header), "ignored": layout.ignored}
            records = read_records(lines, len(header), lambda row: row, delimiter)
            yield from stage_table(layout, records)


def open_catalogue(
    path: Path, form: str | None = None, columns: Mapping[str, str] | None = None
) -> CatalogueFile:
    """Recognise a file.

    Args:
        path: the file; compressed by gzip or not.
        form: one of `FORMATS`, where it is not to be recognised.
        columns: column by field, where the names of the columns do not say it.

    Raises:
        BadFile: it cannot be read, is empty, or is nothing we know.
    """
    if form is not None and form not in FORMATS:
        raise BadFile(f"unknown format {form!r}; known: {', '.join(FORMATS)}")
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        head = _head(path)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadFile(f"{path.name}: the compressed file is corrupt: {error}") from error
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror or error}") from error
    if not head.strip():
        raise BadFile(f"{path.name}: the file is empty")
    return CatalogueFile(path, form or _recognised(path, head), digest, dict(columns or {}))


def _recognised(path: Path, head: bytes) -> str:
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    if _is_xml(head):
        return "merchant"
    encoding = _encoding(head)
    if b"\0" in head and not encoding.startswith("utf-16"):
        raise BadFile(f"{path.name}: neither text nor an XLSX workbook")
    line = head.decode(encoding, "replace").splitlines()[0]
    delimiter = _delimiter(head)
    names = [name.strip().strip('"') for name in line.split(delimiter)]
    if set(names) >= shopify.MARKS:
        return "shopify"
    plain = {name.lower().replace(" ", "_") for name in names}
    return "merchant" if plain >= _MERCHANT and delimiter == "\t" else "csv"


def _is_xml(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def _encoding(head: bytes) -> str:
    # Without a mark it is UTF-8: whatever is not is named in its row, never guessed.
    return "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"


def _delimiter(head: bytes) -> str:
    line = head.decode(_encoding(head), "replace").partition("\n")[0]
    counts = {mark: line.count(mark) for mark in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda mark: counts[mark])
    return best if counts[best] else ","


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as plain:
        is_packed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        yield cast(IO[bytes], gzip.GzipFile(fileobj=plain)) if is_packed else plain


def _head(path: Path) -> bytes:
    with _opened(path) as stream:
        return stream.read(_HEAD_BYTES)


def _staged(items: Iterator[Item]) -> Iterator[tuple[int, bytes]]:
    while block := [item.staged() for item in islice(items, BATCH_RECORDS)]:
        yield len(block), encode(block)


def _shopify(lines: Lines, header: list[str], delimiter: str) -> Iterator[tuple[int, bytes]]:
    bad: list[Staged] = []
    yield from _staged(shopify.variants(_numbered(lines, header, delimiter, bad)))
    if bad:
        yield len(bad), encode(bad)


def _numbered(
    lines: Lines, header: list[str], delimiter: str, bad: list[Staged]
) -> Iterator[tuple[int, shopify.Record]]:
    """Records by column with their numbers; those that are none go to `bad`."""
    row_no = 0
    for block in read_records(lines, len(header), lambda row: row, delimiter):
        for record in block:
            row_no += 1
            if isinstance(record, Unreadable):
                bad.append(refused(row_no, record))
            else:
                values = (value or "" for value in record)
                yield row_no, dict(zip(header, values, strict=True))
