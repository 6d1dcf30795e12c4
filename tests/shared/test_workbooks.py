"""Workbooks: their rows as they are, and one clear error for whatever is none."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from ecom_assets.inventory.feed_files import UnusableFeed, open_feed
from ecom_assets.shared.workbooks import UnusableWorkbook, first_sheet


def book(path: Path, *rows: tuple[object, ...]) -> Path:
    made = Workbook()
    for row in rows:
        made.worksheets[0].append(row)
    made.create_sheet("other").append(("not", "read"))
    made.save(path)
    return path


def test_the_rows_of_the_first_sheet_come_as_they_are(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", ("sku", "qty"), ("A", 7), ("B", None))
    assert list(first_sheet(path)) == [("sku", "qty"), ("A", 7), ("B", None)]
    assert list(first_sheet(io.BytesIO(path.read_bytes()))) == list(first_sheet(path))


def test_a_formula_is_a_text_only_where_that_is_wanted(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", ("=1+1",))
    assert list(first_sheet(path, with_formulas=True)) == [("=1+1",)]
    assert list(first_sheet(path)) == [(None,)]


def test_what_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "trap.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 10_000_000)
    with pytest.raises(UnusableWorkbook, match="unpacks to 10,000,000 bytes"):
        next(first_sheet(path, most_bytes=9_999_999))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _without_sheet(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            if not name.endswith("workbook.xml"):
                archive.writestr(name, content)


def _bad_xml(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            is_sheet = name.endswith("sheet1.xml")
            archive.writestr(name, content[: len(content) // 2] if is_sheet else content)


DAMAGES: list[Callable[[Path], object]] = [
    _cut, _without_sheet, _bad_xml, lambda path: path.write_bytes(b"no archive"), Path.unlink,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_workbook_is_refused_in_one_way(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    path = book(tmp_path / "a.xlsx", ("sku", "qty"), *((f"S{n}", n) for n in range(50)))
    damage(path)
    with pytest.raises(UnusableWorkbook, match="no readable XLSX workbook"):
        list(first_sheet(path))
    with pytest.raises(UnusableFeed, match=r"a\.xlsx: no readable XLSX workbook"):
        open_feed(path)
