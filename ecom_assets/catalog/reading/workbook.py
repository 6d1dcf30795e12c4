"""Rows of the first sheet of an XLSX workbook, as texts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ecom_assets.catalog.reading.problem import BadFile
from ecom_assets.shared.records import BATCH_RECORDS, Records
from ecom_assets.shared.workbooks import UnusableWorkbook, first_sheet


def sheet_rows(path: Path) -> Iterator[list[str]]:
    """The rows of the first sheet, the header first; formulas stay texts that begin with `=`.

    Raises:
        BadFile: it is no workbook.
    """
    try:
        for row in first_sheet(path, with_formulas=True):
            yield [_text(cell) for cell in row]
    except UnusableWorkbook as error:
        raise BadFile(f"{path.name}: {error}") from error


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
