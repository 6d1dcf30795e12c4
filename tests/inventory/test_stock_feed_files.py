"""Files of stock feeds: headers by many names, CSV, gzip and XLSX, records that are none."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom_assets.inventory.feed_files import UnusableFeed, feed_key, open_feed, roles
from ecom_assets.inventory.feed_folder import find_feeds, stated_moment
from ecom_assets.inventory.model import FeedKind
from ecom_assets.inventory.store import stage_file

TEXT = "Index,SKU Code,Stock,Note\n0,A,5,x\n1,B,6.0,\n"


def staged(conn: sa.Connection, path: Path) -> list[tuple[object, ...]]:
    stage_file(conn, open_feed(path))
    rows = conn.execute(
        sa.text("SELECT sku, quantity, split_part(problem, ':', 1) FROM stock_feed ORDER BY ctid")
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["sku", "quantity"], ("sku", "quantity")),
        ([" SKU-Code ", "On Hand", "UOM"], ("sku", "quantity", "unit")),
        (["item", "sku", "qty", "stock"], ("extra_0", "sku", "quantity", "extra_3")),
        (["sku", "change"], ("sku", "change")),
    ],
)
def test_columns_are_found_by_their_usual_names(
    header: list[str], expected: tuple[str, ...]
) -> None:
    assert roles(header) == expected


def test_csv_gzip_and_xlsx_say_the_same(conn: sa.Connection, tmp_path: Path) -> None:
    from openpyxl import Workbook

    plain, packed, book = (tmp_path / name for name in ("a.csv", "a.csv.gz", "a.xlsx"))
    plain.write_text(TEXT, encoding="utf-8-sig")
    packed.write_bytes(gzip.compress(TEXT.encode()))
    sheet = Workbook()
    for row in (["Index", "SKU Code", "Stock", "Note"], [0, "A", 5, "x"], [1, "B", 6.0, None]):
        assert sheet.active is not None
        sheet.active.append(row)
    sheet.save(book)
    assert staged(conn, plain) == staged(conn, packed) == [("A", "5", None), ("B", "6.0", None)]
    assert [row[0] for row in staged(conn, book)] == ["A", "B"]


def test_a_record_that_is_no_row_does_not_stop_the_others(
    conn: sa.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "bad.csv"
    lines = [b"sku,stock", b"A,1", b"B,2,3", b'"C,4', b"D\xff,5", b"E\0,6", b"F,7"]
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert staged(conn, path) == [
        ("A", "1", None), (None, None, "wrong_field_count"), (None, None, "bad_quoting"),
        (None, None, "not_utf8"), (None, None, "nul_character"), ("F", "7", None),
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"name,stock\nx,1\n"])
def test_a_file_without_skus_is_no_feed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(UnusableFeed, match="no column sku"):
        open_feed(path)


def test_a_corrupt_file_is_no_feed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(b"not packed at all")
    with pytest.raises(UnusableFeed, match="corrupt"):
        open_feed(path)


def test_a_missing_file_is_no_feed(tmp_path: Path) -> None:
    with pytest.raises(UnusableFeed, match="No such file"):
        open_feed(tmp_path / "x.csv")


def test_the_same_bytes_of_two_stated_moments_are_two_feeds() -> None:
    assert feed_key("d", "") == "d"
    assert len({feed_key("d", moment) for moment in ("", "2026-01-01", "2026-01-02")}) == 3


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stock_2026-01-05T0600Z.csv", datetime(2026, 1, 5, 6, tzinfo=UTC)),
        ("2026-01-05T06:00:30Z.delta.csv", datetime(2026, 1, 5, 6, 0, 30, tzinfo=UTC)),
        ("stock.csv", None),
        ("2026-13-05T0600Z.csv", None),
    ],
)
def test_a_name_may_state_the_moment(name: str, expected: datetime | None) -> None:
    assert stated_moment(name) == expected


def test_a_folder_holds_the_feeds_of_its_locations(tmp_path: Path) -> None:
    for name in ("N/b_2026-01-02T0000Z.csv", "N/a_2026-01-03T0000Z.delta.csv", "S/x.changes.xlsx"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("sku,stock\n")
    for name in ("N/.hidden.csv", "N/notes.txt", "top.csv"):
        (tmp_path / name).write_text("")
    now = datetime.now(UTC)
    found = find_feeds(tmp_path, now + timedelta(minutes=1))
    assert [feed.path.name[0] for feed in found] == ["b", "a", "x"]
    kinds = [FeedKind.SNAPSHOT, FeedKind.DELTA, FeedKind.CHANGES]
    assert [feed.kind for feed in found] == kinds
    assert [feed.is_stated for feed in found] == [True, True, False]
    assert found[0].as_config()["stated_as_of"] == "2026-01-02T00:00:00+00:00"
    assert find_feeds(tmp_path, now - timedelta(hours=1)) == []
    assert find_feeds(tmp_path / "none", now) == []
