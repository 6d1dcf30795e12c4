"""One transaction per import: taken once, accounted for to the row, and problems in one line."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ecom.problems import Problem
from importers.engine import FORMATS, ImportReport, find_source, run_import
from importers.source import SourceFile, raw_table
from importers.staging import FileAccount, require_fates, settle, stage
from resources.database import DatabaseResource

Take = Callable[[str, Path], ImportReport]
Query = Callable[..., list[Any]]
THING = SourceFile("thing", ("thing.csv",), ("key", "value"))


@pytest.fixture
def take(database: DatabaseResource) -> Take:
    """Import a folder for good: these tests are about what is committed."""
    return lambda name, folder: run_import(database.begin, name, folder, "test")


@pytest.fixture
def query(database: DatabaseResource) -> Query:
    """Rows of a select as tuples; a single column comes without its tuple."""

    def run(statement: str) -> list[Any]:
        with database.begin() as conn:
            rows = conn.execute(sa.text(statement)).all()
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]

    return run


def _contents(query: Query) -> list[Any]:
    return [
        query("SELECT * FROM flow.imports"),
        query("SELECT * FROM flow.import_accounts ORDER BY source"),
        query("SELECT * FROM flow.quarantine ORDER BY quarantine_id"),
        query("SELECT inbox_id, payload_hash FROM orders.inbox ORDER BY inbox_id"),
        query("SELECT sku, recorded_at FROM catalog.products ORDER BY sku"),
        query("SELECT movement_id, quantity FROM inventory.movements ORDER BY movement_id"),
    ]


def test_every_row_has_one_fate_and_every_file_an_account(
    shop: Any, take: Take, query: Query
) -> None:
    folder = shop.olist(
        items=[{}, {"price": "free"}, {}],
        orders=[{}, {"order_id": "o2", "customer_id": "nobody"}],
    )
    report = take("olist", folder)
    accounts = {account.source: account for account in report.accounts}
    assert accounts["olist_order_items_dataset.csv"] == FileAccount(
        "olist_order_items_dataset.csv", 3, 0, 2, 1
    )
    assert accounts["olist_orders_dataset.csv"].rows_parked == 2
    assert len(accounts) == 9
    for account in report.accounts:
        parts = account.rows_accepted, account.rows_parked, account.rows_superseded
        assert account.rows_read == sum(parts)
    assert (
        sum(a.rows_parked for a in report.accounts)
        == query("SELECT count(*) FROM flow.quarantine").pop()
    )


def test_the_same_files_are_taken_once(shop: Any, take: Take, query: Query) -> None:
    folder = shop.olist()
    first = take("olist", folder)
    before = _contents(query)
    again = take("olist", folder)
    assert (first.is_repeat, first.orders_received) == (False, 1)
    assert (again.is_repeat, again.orders_received) == (True, 0)
    assert (again.import_id, again.accounts) == (first.import_id, first.accounts)
    assert _contents(query) == before


def test_changed_files_bring_only_what_changed(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist())
    folder = shop.olist(
        orders=[{}, {"order_id": "o2"}],
        items=[{}, {"order_id": "o2"}],
        payments=[{}, {"order_id": "o2"}],
    )
    assert take("olist", folder).orders_received == 1
    assert query("SELECT external_id, revision FROM orders.inbox ORDER BY 1") == [
        ("o1", 1),
        ("o2", 1),
    ]


def test_an_import_says_which_moments_it_covers(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist())
    assert query("SELECT format, run_id, first_at = last_at, first_at::text FROM flow.imports") == [
        ("olist", "test", True, "2017-05-02 13:00:00+00")
    ]


def test_other_files_are_not_read_but_named(shop: Any, database: DatabaseResource) -> None:
    folder = shop.olist()
    (folder / "olist_closed_deals_dataset.csv").write_text("x")
    lines: list[str] = []
    report = run_import(database.begin, "olist", folder, "test", lines.append)
    assert report.ignored == ("olist_closed_deals_dataset.csv",)
    assert lines[0] == "not read: olist_closed_deals_dataset.csv"
    assert "olist_orders_dataset.csv: 1 rows read" in lines
    assert lines[-1] == "1 orders received"


def test_records_that_are_no_rows_are_parked_with_their_line(
    shop: Any, take: Take, query: Query
) -> None:
    folder = shop.olist()
    with (folder / "olist_products_dataset.csv").open("ab") as stream:
        stream.write(b"p2,toys,1\np3,\xff,1,1,1,1\np4,,,,,\n")
    report = take("olist", folder)
    assert query("SELECT source, row_number, reason, detail, row::text FROM flow.quarantine") == [
        ("olist_products_dataset.csv", 2, "wrong_field_count",
         "line 3: 3 fields, the header has 6", '{"record": "p2,toys,1"}'),
        ("olist_products_dataset.csv", 3, "not_utf8", "field 2: bytes are not UTF-8",
         '{"record": "p3,\N{REPLACEMENT CHARACTER},1,1,1,1"}'),
    ]  # fmt: skip
    [account] = [a for a in report.accounts if a.source == "olist_products_dataset.csv"]
    assert (account.rows_read, account.rows_accepted, account.rows_parked) == (4, 2, 2)


def test_a_parked_row_is_kept_as_it_came(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist(sellers=[{"seller_id": ""}]))
    assert query("SELECT subject, row FROM flow.quarantine WHERE source LIKE '%sellers%'") == [
        ("", {"seller_id": None, "seller_zip_code_prefix": "1001", "seller_city": "sao paulo",
              "seller_state": "SP"})
    ]  # fmt: skip


def _break(folder: Path) -> Path:
    whole = gzip.compress((folder / "olist_sellers_dataset.csv").read_bytes())
    (folder / "olist_sellers_dataset.csv").unlink()
    (folder / "olist_sellers_dataset.csv.gz").write_bytes(whole[:-9])
    return folder


def _without(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).unlink()
    return folder


def _with(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        (lambda folder: folder / "nowhere", "nowhere: no such folder"),
        (
            lambda folder: _without(
                folder, "olist_orders_dataset.csv", "olist_sellers_dataset.csv"
            ),
            r"missing olist_orders_dataset.* olist_sellers_dataset",
        ),
        (
            lambda folder: _with(folder, "olist_sellers_dataset.csv", "seller_id\n1\n"),
            "olist_sellers_dataset.csv: no column seller_zip_code_prefix, seller_city",
        ),
        (
            lambda folder: _with(folder, "olist_sellers_dataset.csv.gz", ""),
            "several files for sellers, leave one",
        ),
        (lambda folder: _with(folder, "olist_sellers_dataset.csv", ""), "the file is empty"),
        (_break, "olist_sellers_dataset.csv.gz: the compressed file is corrupt"),
    ],
)
def test_problems_are_one_line_and_leave_nothing_behind(
    shop: Any, take: Take, query: Query, bend: Callable[[Path], Path], words: str
) -> None:
    folder = bend(shop.olist())
    with pytest.raises(Problem, match=words) as caught:
        take("olist", folder)
    assert "\n" not in str(caught.value)
    assert query("SELECT count(*) FROM flow.imports") == [0]


def test_an_unknown_format_names_the_known_ones(tmp_path: Path, take: Take) -> None:
    with pytest.raises(Problem, match="unknown format 'ebay'; known: olist, sample, uci"):
        take("ebay", tmp_path)


@pytest.mark.parametrize("name", FORMATS)
def test_sources_call_themselves_what_people_type(name: str) -> None:
    source = find_source(name)
    assert source.format == name
    assert len({file.name for file in source.files}) == len(source.files)


@pytest.mark.parametrize(
    "marks", [{}, {"fate": "lost"}, {"fate": "parked", "reason": "x"}, {"fate": "parked"}]
)
def test_a_row_without_a_fate_stops_the_import(
    tmp_path: Path, conn: sa.Connection, marks: dict[str, str]
) -> None:
    path = tmp_path / "thing.csv"
    path.write_text("key,value\na,1\nb,2\n")
    stage(conn, [(THING, path)])
    raw = raw_table(THING)
    conn.execute(sa.update(raw).values(fate="accepted").where(raw.c.row_no == 1))
    if marks:
        conn.execute(sa.update(raw).values(marks).where(raw.c.row_no == 2))
    with pytest.raises(RuntimeError, match=r"thing\.csv: the importer gave row 2 no fate"):
        require_fates(conn, [(THING, path)])


def test_an_optional_file_that_is_missing_is_empty_and_has_no_account(conn: sa.Connection) -> None:
    stage(conn, [(THING, None)])
    require_fates(conn, [(THING, None)])
    settle(conn, [(THING, None)], 1, "test")
    assert conn.scalar(sa.text("SELECT count(*) FROM raw_thing")) == 0
    assert conn.scalar(sa.text("SELECT count(*) FROM flow.import_accounts")) == 0


def test_a_failed_import_can_be_tried_again(
    shop: Any, database: DatabaseResource, query: Query
) -> None:
    folder = shop.olist()

    def stop(line: str) -> None:
        if line.endswith("received"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_import(database.begin, "olist", folder, "first", stop)
    assert query("SELECT count(*) FROM orders.inbox") == [0]
    assert run_import(database.begin, "olist", folder, "second", None).orders_received == 1
