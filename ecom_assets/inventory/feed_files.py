"""Files of stock feeds: which column says what, and the bytes that COPY takes.

CSV (plain or gzip) goes to COPY as it is; only a file that COPY refuses is read record by record,
so that its good rows are used. XLSX is turned into CSV. Knows neither the database nor stock.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from ecom_assets.shared.workbooks import UnusableWorkbook, first_sheet

CHUNK_BYTES = 1 << 20
EXCERPT = 2_000
"""Characters kept of a record that could not be read."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "sku": ("sku", "sku_code", "seller_sku", "item_sku", "article", "item"),
    "quantity": ("quantity", "qty", "stock", "on_hand", "level", "available", "units"),
    "change": ("change", "delta", "adjustment", "difference"),
    "unit": ("unit", "uom", "unit_of_measure"),
}
"""Headers that a role goes by, the likeliest first; case, spaces and dashes do not matter."""


class UnusableFeed(Exception):
    """A file that is no stock feed; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class FeedFile:
    """A file with its header read.

    Attributes:
        path: where it is.
        columns: for each column its role in `NAMES`, or a name of no meaning.
        digest: SHA-256 over its bytes, hexadecimal.
    """

    path: Path
    columns: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Record:
    """A record read by itself.

    Attributes:
        row_no: its number in the file, from 1 without the header.
        fields: its values, or none where it is unreadable.
        problem: what is wrong with it, if anything.
        text: the record as it came, where it is unreadable.
    """

    row_no: int
    fields: Sequence[str]
    problem: str | None
    text: str


def open_feed(path: Path) -> FeedFile:
    """Read the header of a file.

    Raises:
        UnusableFeed: the file cannot be opened, is empty or corrupt, or names no SKUs.
    """
    with reading(path) as stream, io.TextIOWrapper(stream, "utf-8-sig", "replace") as text:
        header = next(csv.reader(text), [])
    columns = roles(header)
    if "sku" not in columns:
        raise UnusableFeed(f"{path.name}: no column sku; found {', '.join(header)[:200]}")
    try:
        with path.open("rb") as plain:
            digest = hashlib.file_digest(plain, "sha256").hexdigest()
    except OSError as error:
        raise UnusableFeed(f"{path.name}: {error.strerror or error}") from error
    return FeedFile(path, columns, digest)


def require_column(file: FeedFile, name: str) -> None:
    """Insist on a column.

    Raises:
        UnusableFeed: the file has no column of that role.
    """
    if name not in file.columns:
        raise UnusableFeed(f"{file.path.name}: no column {name}, by any of its usual names")


def feed_key(digest: str, stated_as_of: str) -> str:
    """What makes a feed the same feed: its content, and the moment it was said to be of, if any.

    A shop whose stock did not move sends the same bytes on two days; where the moments are stated
    these are two feeds. Where they are not, the same bytes are the same feed, sent twice.
    """
    return f"{digest}@{stated_as_of}" if stated_as_of else digest


def roles(header: Sequence[str]) -> tuple[str, ...]:
    """The role of each column of a header, by its likeliest name; others are numbered."""
    names = [_plain(name) for name in header]
    chosen: dict[int, str] = {}
    for role, known in NAMES.items():
        found = [names.index(name) for name in known if name in names]
        chosen.update({place: role for place in found[:1] if place not in chosen})
    return tuple(chosen.get(place, f"extra_{place}") for place in range(len(names)))


def _plain(name: str) -> str:
    return "_".join(name.strip().lower().replace("-", " ").replace("_", " ").split())


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """The file as CSV in bytes, with its header.

    Raises:
        UnusableFeed: the file cannot be opened, or is corrupt.
    """
    try:
        if path.suffix.lower() == ".xlsx":
            yield io.BytesIO(_sheet(path))
        elif path.suffix.lower() == ".gz":
            with gzip.open(path, "rb") as packed:
                yield cast(IO[bytes], packed)
        else:
            with path.open("rb") as plain:
                yield plain
    except UnusableWorkbook as error:
        raise UnusableFeed(f"{path.name}: {error}") from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UnusableFeed(f"{path.name}: the file is corrupt: {error}") from error
    except OSError as error:
        raise UnusableFeed(f"{path.name}: {error.strerror or error}") from error


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a stream, in pieces of bounded size."""
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def records(file: FeedFile) -> Iterator[Record]:
    """Every record of a file by itself; what is no row says why."""
    width = len(file.columns)
    with (
        reading(file.path) as stream,
        io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="") as text,
    ):
        lines = (line for line in text if line.strip())
        next(lines, None)
        for row_no, line in enumerate(lines, 1):
            yield _record(row_no, line, width)


def _record(row_no: int, line: str, width: int) -> Record:
    """A line as a record. Stock feeds have no values of several lines, so a line is a record."""
    shown = line.rstrip("\r\n").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    shown = shown.replace("\0", "\N{REPLACEMENT CHARACTER}")[:EXCERPT]
    if "\0" in line:
        return Record(row_no, (), "nul_character: the record holds a NUL", shown)
    try:
        line.encode()
        fields = next(csv.reader([line], strict=True), [])
    except UnicodeEncodeError:
        return Record(row_no, (), "not_utf8: bytes of the record are not UTF-8", shown)
    except csv.Error as error:
        return Record(row_no, (), f"bad_quoting: {error}", shown)
    if len(fields) != width:
        problem = f"wrong_field_count: {len(fields)} fields, the header has {width}"
        return Record(row_no, (), problem, shown)
    return Record(row_no, fields, None, "")


def _sheet(path: Path) -> bytes:
    """The first sheet of a workbook as CSV."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    for row in first_sheet(path):
        if any(cell is not None for cell in row):
            writer.writerow(["" if cell is None else cell for cell in row])
    return buffer.getvalue().encode()
