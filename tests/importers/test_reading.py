"""Reading CSV and Parquet: bad records are set apart, alone, and the rest is read."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecom.problems import Problem
from importers import reading
from importers.reading import read

Seen = tuple[list[list[str]], list[tuple[int, str]]]


def _read(path: Path, *columns: str) -> Seen:
    batches = list(read(path, columns))
    data = b"".join(batch.data for batch in batches).decode()
    rows = list(csv.reader(io.StringIO(data, newline="")))
    assert len(rows) == sum(batch.rows for batch in batches)
    return rows, [(bad.row_no, bad.reason) for batch in batches for bad in batch.unreadable]


def _file(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    raw = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_columns_are_picked_by_name_and_rows_numbered(tmp_path: Path, name: str) -> None:
    path = _file(tmp_path, "a,b,c\n1,2,3\n4,,6\n", name)
    assert _read(path, "c", "b") == ([["1", "3", "2"], ["2", "6", ""]], [])
    assert _read(path, "b") == ([["1", "2"], ["2", ""]], [])


def test_a_byte_order_mark_and_spaces_in_the_header_are_no_part_of_a_name(tmp_path: Path) -> None:
    assert _read(_file(tmp_path, "\ufeffa , b\n1,2\n"), "a", "b") == ([["1", "1", "2"]], [])


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    assert _read(_file(tmp_path, "a,b\n\n1,2\n\n\n3,4\n"), "a")[0] == [["1", "1"], ["2", "3"]]


def test_a_field_may_span_lines_even_over_the_end_of_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = 'a,b\n1,"x\ny\r\nz"\n2,"p\nq"\n3,r\n'
    expected = [["1", "1", "x\ny\r\nz"], ["2", "2", "p\nq"], ["3", "3", "r"]]
    for block in (1, 2, 3, 4, 100):
        monkeypatch.setattr(reading, "BATCH_RECORDS", block)
        assert _read(_file(tmp_path, content), "a", "b") == (expected, [])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"7", "wrong_field_count"),
        (b"7,8,9", "wrong_field_count"),
        (b"7,\xff\xfe", "not_utf8"),
        (b"7,a\0b", "nul_character"),
        (b'7,"open', "bad_quoting"),
        (b'7,"shut"ter', "bad_quoting"),
        (b'7,"open, and shut",', "wrong_field_count"),
    ],
)
def test_a_bad_record_is_set_apart_alone(tmp_path: Path, bad: bytes, reason: str) -> None:
    path = _file(tmp_path, b"a,b\n1,2\n" + bad + b'\n3,"4"\n5,6\n')
    rows, unreadable = _read(path, "a", "b")
    assert rows == [["1", "1", "2"], ["3", "3", "4"], ["4", "5", "6"]]
    assert unreadable == [(2, reason)]


def test_an_unclosed_quote_costs_one_line_however_long_the_file(tmp_path: Path) -> None:
    lines = "".join(f"{n},{'y' * 50}\n" for n in range(5_000))
    rows, unreadable = _read(_file(tmp_path, 'a,b\nx,"open\n' + lines), "a", "b")
    assert len(rows) == 5_000
    assert unreadable == [(1, "bad_quoting")]


def test_what_was_unreadable_is_kept_with_its_line(tmp_path: Path) -> None:
    [batch] = read(_file(tmp_path, 'a,b\n"1\n1",2\n3,4,5\n'), ["a", "b"])
    assert [(bad.detail, bad.text) for bad in batch.unreadable] == [
        ("line 4: 3 fields, the header has 2", "3,4,5")
    ]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.lists(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6),
            min_size=3, max_size=3,
        ).filter(any),
        max_size=12,
    ),
    block=st.integers(1, 5),
)  # fmt: skip
def test_whatever_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], block: int
) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([["a", "b", "c"], *rows])
    path = _file(tmp_path_factory.mktemp("csv"), written.getvalue())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BATCH_RECORDS", block)
        read_rows, unreadable = _read(path, "a", "b", "c")
    assert [row[1:] for row in read_rows] == rows
    assert not unreadable


def _parquet(folder: Path, columns: dict[str, pa.Array]) -> Path:
    path = folder / "t.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet_values_become_text(tmp_path: Path) -> None:
    moment = pa.array([1_291_190_760_000_000, None], pa.timestamp("us"))
    columns = {"id": pa.array([7.0, None]), "n": pa.array([-3, 4]), "at": moment}
    rows, _ = _read(_parquet(tmp_path, columns), "at", "id", "n")
    assert rows == [["1", "2010-12-01 08:06:00.000000", "7", "-3"], ["2", "", "", "4"]]


def test_parquet_text_that_cannot_be_stored_is_set_apart(tmp_path: Path) -> None:
    texts = pa.array([b"good", b"n\0l", b"\xff", b"fine"])
    rows, unreadable = _read(
        _parquet(tmp_path, {"t": pa.Array.from_buffers(pa.string(), 4, texts.buffers())}), "t"
    )
    assert rows == [["1", "good"], ["4", "fine"]]
    assert unreadable == [(2, "nul_character"), (3, "not_utf8")]


def _cut(folder: Path) -> Path:
    path = _file(folder, "a,b\n" + "1,2\n" * 5_000, "t.csv.gz")
    path.write_bytes(path.read_bytes()[:-20])
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: _file(folder, ""), "empty"),
        (lambda folder: _file(folder, "a,c\n1,2\n"), "no column b; found a, c"),
        (lambda folder: _parquet(folder, {"a": pa.array([1])}), "no column b; found a"),
        (_cut, "corrupt"),
        (lambda folder: _file(folder, b"PK\3\4", "t.parquet"), "Parquet file is corrupt"),
        (lambda folder: folder / "missing.csv", "No such file"),
    ],
)
def test_problems_name_the_file(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    path = make(tmp_path)
    with pytest.raises(Problem, match=words) as caught:
        list(read(path, ["a", "b"]))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_plain_text_named_gz_is_called_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(Problem, match="corrupt"):
        list(read(path, ["a", "b"]))
