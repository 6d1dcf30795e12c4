"""The sample shop through the importer: the accounts are those the simulator knows to be true."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.orders import store
from importers.engine import ImportReport, run_import
from resources.database import DatabaseResource
from simulator.shop import MANIFEST, generate

ORDERS = 6_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sample") / "shop"
    generate(made, ORDERS, 3)
    return made


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    return found


@pytest.fixture(scope="module")
def report(module_database: DatabaseResource, folder: Path) -> ImportReport:
    return run_import(module_database.begin, "sample", folder, "test")


@pytest.fixture
def ask(module_database: DatabaseResource, report: ImportReport) -> Callable[[str], Any]:
    """Answers a question about the database after the import."""

    def answer(question: str) -> Any:
        with module_database.begin() as conn:
            return conn.execute(sa.text(question)).tuples().all()

    return answer


def accounts(report: ImportReport) -> dict[str, dict[str, int]]:
    return {
        each.source: {
            "rows": each.rows_read, "accepted": each.rows_accepted,
            "parked": each.rows_parked, "superseded": each.rows_superseded,
        }
        for each in report.accounts
    }  # fmt: skip


def test_accounts_of_every_file_are_the_truth(report: ImportReport, told: dict[str, Any]) -> None:
    assert accounts(report) == told["files"]
    assert report.orders_received == told["files"]["orders.csv"]["accepted"]


def test_manifest_and_truth_are_not_imported(report: ImportReport) -> None:
    assert report.ignored == (MANIFEST, "truth.csv")


def test_order_rows_are_parked_for_what_is_wrong_with_them(
    ask: Callable[[str], Any], told: dict[str, Any]
) -> None:
    found = dict(
        ask("SELECT reason, count(*) FROM flow.quarantine WHERE source = 'orders.csv' GROUP BY 1")
    )
    faults = told["faults"]
    assert found.pop("bad_moment", 0) + found.pop("field_missing", 0) == faults["bad_timestamp"]
    assert found == {
        "wrong_field_count": faults["wrong_field_count"], "not_utf8": faults["not_utf8"],
    }  # fmt: skip


def test_what_refers_to_an_unusable_order_says_so(ask: Callable[[str], Any]) -> None:
    rows = ask("""
        SELECT DISTINCT reason FROM flow.quarantine
        WHERE source IN ('order_lines.csv', 'payments.csv', 'observed_events.csv', 'labels.csv')
    """)
    assert {reason for (reason,) in rows} == {"order_parked", "order_missing"}


def test_of_a_revised_order_the_last_row_counts(ask: Callable[[str], Any], folder: Path) -> None:
    with (folder / "truth.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    revised = sorted(row["external_id"] for row in rows if row["fault"] == "revised_order")
    found = ask("""
        SELECT external_id FROM orders.inbox
        WHERE payload #>> '{ship_to,line1}' LIKE '%, 2nd floor' ORDER BY external_id COLLATE "C"
    """)
    assert [external_id for (external_id,) in found] == revised
    assert revised


def test_feeds_reach_every_area(ask: Callable[[str], Any], told: dict[str, Any]) -> None:
    tables = {
        "suppliers.csv": "catalog.suppliers", "products.csv": "catalog.products",
        "customers.csv": "customers.customers", "sites.csv": "warehouse.sites",
        "carriers.csv": "transport.carriers", "services.csv": "transport.services",
        "zones.csv": "transport.zones", "rates.csv": "transport.rates",
        "movements.csv": "inventory.movements", "observed_events.csv": "orders.observed_events",
        "labels.csv": "fraud.labels", "orders.csv": "orders.inbox",
    }  # fmt: skip
    for file, table in tables.items():
        assert ask(f"SELECT count(*) FROM {table}") == [  # noqa: S608 - names from above
            (told["files"][file]["accepted"],)
        ]


def test_stock_is_taken_in_full(ask: Callable[[str], Any]) -> None:
    assert ask("SELECT sum(quantity) FROM inventory.movements") == ask(
        "SELECT sum(on_hand) FROM inventory.balances"
    )


def test_odd_facts_carry_their_anomaly(ask: Callable[[str], Any]) -> None:
    found = dict(
        ask("SELECT anomaly, count(*) FROM orders.observed_events WHERE anomaly <> '' GROUP BY 1")
    )
    assert set(found) == {"handed_over_before_purchase", "delivered_without_date"}


def test_money_and_moments_arrive_unchanged(ask: Callable[[str], Any], folder: Path) -> None:
    with (folder / "payments.csv").open(encoding="utf-8") as stream:
        first = next(csv.DictReader(stream))
    ((payment,),) = ask(f"""
        SELECT payload -> 'payments' -> 0 FROM orders.inbox
        WHERE external_id = '{first["external_id"]}'
    """)  # noqa: S608 - an id of our own
    assert payment["amount_minor"] == int(first["amount_minor"])
    assert payment["authorised_at"] == first["authorised_at"].replace(" ", "T") + "+00:00"


def test_importing_again_changes_nothing(
    module_database: DatabaseResource, report: ImportReport, folder: Path
) -> None:
    again = run_import(module_database.begin, "sample", folder, "again")
    assert again.is_repeat
    assert again.orders_received == 0
    assert again.accounts == report.accounts


def test_the_inbox_parks_what_only_the_business_can_tell(
    module_database: DatabaseResource, ask: Callable[[str], Any], told: dict[str, Any]
) -> None:
    counts = store.accept_pending(module_database.begin, "test")
    parked = dict(
        ask("SELECT reason, count(*) FROM flow.quarantine WHERE source NOT LIKE '%.csv' GROUP BY 1")
    )
    assert parked == {reason: n for reason, n in told["inbox_parked"].items() if n}
    accepted = told["files"]["orders.csv"]["accepted"] - sum(parked.values())
    assert counts["accepted"] == accepted
    assert counts["superseded"] == 0


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    generate(tmp_path / "tiny", 40, 8)
    return tmp_path / "tiny"


def _set(path: Path, row: int, column: str, value: str) -> None:
    """Change one field of a file; rows count from 0 without the header."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[row][column] = value
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


WRONG_FIELDS = (
    ("orders", 3, "latitude", "north", "bad_number"),
    ("orders", 5, "total_minor", "12,50", "bad_amount"),
    ("orders", 7, "channel", "", "field_missing"),
    ("order_lines", 3, "quantity", "two", "bad_number"),
    ("payments", 3, "amount_minor", "", "field_missing"),
    ("products", 3, "weight_g", "ca. 2 kg", "bad_number"),
    ("products", 5, "currency", "euro", "unknown_code"),
    ("customers", 3, "country", "Germany", "unknown_code"),
    ("labels", 3, "label", "maybe", "unknown_code"),
    ("observed_events", 3, "kind", "vanished", "unknown_code"),
    ("observed_events", 5, "happened_at", "2025-02-30 10:00:00", "bad_moment"),
    ("movements", 3, "quantity", "1e9", "bad_number"),
    ("rates", 3, "valid_from_at", "soon", "bad_moment"),
)


def test_a_wrong_field_parks_its_row_and_stops_nothing(
    database: DatabaseResource, tiny: Path
) -> None:
    for file, row, column, value, _ in WRONG_FIELDS:
        _set(tiny / f"{file}.csv", row, column, value)
    report = run_import(database.begin, "sample", tiny, "t")
    with database.begin() as conn:
        found = conn.execute(
            sa.text("SELECT source, row_number, reason, detail FROM flow.quarantine")
        ).all()
    parked = {(each.source, each.row_number): each for each in found}
    for file, row, column, _, reason in WRONG_FIELDS:
        fault = parked[f"{file}.csv", row + 1]
        assert (fault.reason, fault.detail.split(":")[0]) == (reason, column)
    assert all(
        each.rows_read == each.rows_accepted + each.rows_parked + each.rows_superseded
        for each in report.accounts
    )
    assert report.orders_received > 25


@pytest.mark.parametrize(
    ("file", "column", "reason"),
    [("order_lines", "unit_price_minor", "line_unusable"),
     ("payments", "sequence", "payment_unusable")],
)  # fmt: skip
def test_an_order_is_not_taken_in_part(
    database: DatabaseResource, tiny: Path, file: str, column: str, reason: str
) -> None:
    _set(tiny / f"{file}.csv", 0, column, "?")
    report = run_import(database.begin, "sample", tiny, "t")
    with database.begin() as conn:
        found = conn.execute(
            sa.text("SELECT reason, detail, subject FROM flow.quarantine"
                    " WHERE source = 'orders.csv' AND reason = :reason"), {"reason": reason},
        ).one()  # fmt: skip
        left = conn.scalar(
            sa.text("SELECT count(*) FROM orders.inbox WHERE external_id = :id"),
            {"id": found.subject},
        )
    assert f"row 1: {column}: ?" in found.detail
    assert left == 0
    assert sum(each.rows_parked for each in report.accounts) > 2


def test_compressed_files_are_the_same_shop(database: DatabaseResource, tiny: Path) -> None:
    import gzip

    plain = tiny / "orders.csv"
    with plain.open("rb") as source, gzip.open(tiny / "orders.csv.gz", "wb") as target:
        shutil.copyfileobj(source, target)
    plain.unlink()
    assert run_import(database.begin, "sample", tiny, "t").orders_received > 35
