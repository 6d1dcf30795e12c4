"""Files as other systems write them: odd line ends, empty parts, and every type Parquet knows."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecom.problems import Problem
from importers import reading
from importers.reading import read


def _rows(path: Path, *columns: str) -> list[list[str]]:
    data = b"".join(batch.data for batch in read(path, columns)).decode()
    return list(csv.reader(io.StringIO(data, newline="")))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("is_closed", [True, False])
def test_line_ends_of_all_systems(tmp_path: Path, end: str, is_closed: bool) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(end.join(["a,b", "1,2", "3,4", *[""] * is_closed]).encode())
    assert _rows(path, "a", "b") == [["1", "1", "2"], ["2", "3", "4"]]


def test_a_header_alone_is_no_row_and_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n")
    assert _rows(path, "a") == []


def test_an_empty_field_differs_from_a_quoted_space(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b,c\n,"", \n')
    [batch] = read(path, ["a", "b", "c"])
    # COPY reads the bare empty field as NULL; a space is a value.
    assert batch.data == b"1,,, \r\n"


def test_of_two_columns_of_one_name_the_first_counts(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,a\n1,2\n")
    assert _rows(path, "a") == [["1", "1"]]


def test_compressed_parts_that_were_joined_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"))
    assert _rows(path, "a", "b") == [["1", "1", "2"], ["2", "3", "4"]]


def test_a_field_of_a_megabyte_is_set_apart_and_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3," + "x" * 1_000_000 + "\n5,6\n")
    batches = list(read(path, ["a", "b"]))
    [bad] = [bad for batch in batches for bad in batch.unreadable]
    assert (bad.row_no, bad.reason) == (2, "bad_quoting")
    assert len(bad.text) == 2_000
    assert sum(batch.rows for batch in batches) == 2


def test_numbers_of_rows_go_on_over_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{n},x\n" if n % 4 else f"{n}\n" for n in range(1, 23)))
    monkeypatch.setattr(reading, "BATCH_RECORDS", 5)
    batches = list(read(path, ["a"]))
    assert len(batches) == 5
    assert [bad.row_no for batch in batches for bad in batch.unreadable] == [4, 8, 12, 16, 20]
    assert [row[0] for row in _rows(path, "a")] == [row[1] for row in _rows(path, "a")]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array([date(2024, 2, 29), None]), ["2024-02-29", ""]),
        (pa.array([Decimal("12.50"), Decimal("-0.01")]), ["12.50", "-0.01"]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        (pa.array([True, None]), ["true", ""]),
        (pa.array([2**62, -1]), [str(2**62), "-1"]),
        (pa.array(["Größe 中文", ""]), ["Größe 中文", ""]),
        (pa.array([1_700_000_000], pa.timestamp("s")), ["2023-11-14 22:13:20.000"]),
    ],
)
def test_types_of_parquet_become_plain_text(
    tmp_path: Path, values: pa.Array, texts: list[str]
) -> None:
    pq.write_table(pa.table({"v": values}), tmp_path / "t.parquet")
    assert [row[1] for row in _rows(tmp_path / "t.parquet", "v")] == texts


def test_a_type_that_is_no_text_is_a_problem_in_one_line(tmp_path: Path) -> None:
    pq.write_table(pa.table({"v": pa.array([[1, 2], [3]])}), tmp_path / "t.parquet")
    with pytest.raises(Problem, match="corrupt") as caught:
        list(read(tmp_path / "t.parquet", ["v"]))
    assert "\n" not in str(caught.value)


def test_a_parquet_file_without_rows_is_read(tmp_path: Path) -> None:
    empty: dict[str, Any] = {"v": pa.array([], pa.string())}
    pq.write_table(pa.table(empty), tmp_path / "t.parquet")
    assert _rows(tmp_path / "t.parquet", "v") == []


def test_a_folder_named_like_a_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(Problem, match="Is a directory"):
        list(read(tmp_path / "t.csv", ["a"]))
