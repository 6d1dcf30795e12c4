"""The first sheet of an XLSX workbook, row by row."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

MOST_BYTES = 4_000_000_000
"""Unpacked size a workbook may have; a larger one is taken for a trap."""


class UnusableWorkbook(Exception):
    """A file is no workbook that can be read; the message says why."""


def first_sheet(
    source: Path | IO[bytes], *, with_formulas: bool = False, most_bytes: int = MOST_BYTES
) -> Iterator[tuple[Any, ...]]:
    """Values of each row of the first sheet.

    Args:
        source: where the workbook is, or its bytes.
        with_formulas: formulas as texts that begin with `=`, not their last results.
        most_bytes: unpacked size it may have.

    Raises:
        UnusableWorkbook: it is none, is damaged, or unpacks to too much.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(source) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > most_bytes:
            raise UnusableWorkbook(f"it unpacks to {unpacked:,} bytes, too many for a workbook")
        book = load_workbook(source, read_only=True, data_only=not with_formulas)
        try:
            yield from book.worksheets[0].iter_rows(values_only=True)
        finally:
            book.close()
    # The library lets many kinds of errors out of a file that is damaged or made up.
    except (zipfile.BadZipFile, InvalidFileException, KeyError, OSError, EOFError, ValueError,
            IndexError, TypeError, AttributeError, SyntaxError) as error:  # fmt: skip
        raise UnusableWorkbook(f"no readable XLSX workbook: {error}") from error
