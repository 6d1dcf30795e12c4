"""Rows of the first sheet of an XLSX workbook, as texts."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ecom_assets.catalog.reading.problem import BadFile
from ecom_assets.shared.records import BATCH_RECORDS, Records

MOST_BYTES = 4_000_000_000
"""Unpacked size a workbook may have; a larger one is taken for a trap."""


def sheet_rows(path: Path) -> Iterator[list[str]]:
    """The rows of the first sheet, the header first; formulas stay texts that begin with `=`.

    Raises:
        BadFile: it is no workbook.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MOST_BYTES:
            raise BadFile(f"{path.name}: unpacks to {unpacked:,} bytes, too many for a workbook")
        book = load_workbook(path, read_only=True, data_only=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, OSError, ValueError) as error:
        raise BadFile(f"{path.name}: no readable XLSX workbook: {error}") from error
    try:
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield [_text(cell) for cell in row]
    finally:
        book.close()


def blocks_of(rows: Iterator[list[str]], width: int) -> Iterator[Records]:
    """Blocks of rows of one width: a sheet leaves out empty cells at the end of a row."""
    while block := list(islice(rows, BATCH_RECORDS)):
        yield [(row + [""] * (width - len(row)))[:width] for row in block]


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    # Dates have a form of their own; a number is written as Python does, so that a GTIN that was
    # stored as a float is seen for what it is.
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell).strip()
