"""The sample shop's files at their edges: each kind of wrong field, and fields at their limits."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from importers.engine import ImportReport, run_import
from resources.database import DatabaseResource
from simulator.shop import generate

Fields = dict[str, str]
NONE = {"external_id": "none"}
"""An order the shop does not have, so that a wrong row takes no order along."""

WRONG: tuple[tuple[str, Fields, str, str], ...] = (
    ("suppliers", {"supplier_key": ""}, "field_missing", "supplier_key: empty"),
    ("suppliers", {"supplier_key": "k" * 601}, "key_too_long", "supplier_key: " + "k" * 200),
    ("suppliers", {"country": "Deutschland"}, "unknown_code", "country: Deutschland"),
    ("suppliers", {"lead_time_days": "soon"}, "bad_amount", "lead_time_days: soon"),
    ("products", {"sku": ""}, "field_missing", "sku: empty"),
    ("products", {"name": ""}, "field_missing", "name: empty"),
    ("products", {"currency": "eur"}, "unknown_code", "currency: eur"),
    ("products", {"weight_g": "1.5"}, "bad_number", "weight_g: 1.5"),
    ("products", {"height_mm": "999999999"}, "bad_number", "height_mm: 999999999"),
    ("products", {"list_price_minor": "-5"}, "bad_amount", "list_price_minor: -5"),
    ("customers", {"customer_key": ""}, "field_missing", "customer_key: empty"),
    ("customers", {"country": "D"}, "unknown_code", "country: D"),
    ("customers", {"signed_up_at": "2025-02-29 00:00:00"}, "bad_moment",
     "signed_up_at: 2025-02-29 00:00:00"),
    ("sites", {"latitude": "50,1"}, "bad_number", "latitude: 50,1"),
    ("sites", {"currency": "€"}, "unknown_code", "currency: €"),
    ("sites", {"handling_minor": ""}, "field_missing", "handling_minor: empty"),
    ("sites", {"daily_capacity": "many"}, "bad_number", "daily_capacity: many"),
    ("movements", {"quantity": "0.5"}, "bad_number", "quantity: 0.5"),
    ("movements", {"reference": ""}, "field_missing", "reference: empty"),
    ("movements", {"moved_at": "2025-01-01T10:00:00"}, "bad_moment",
     "moved_at: 2025-01-01T10:00:00"),
    ("carriers", {"name": ""}, "field_missing", "name: empty"),
    ("services", {"max_weight_g": "heavy"}, "bad_number", "max_weight_g: heavy"),
    ("services", {"quality": "98%"}, "bad_amount", "quality: 98%"),
    ("zones", {"from_km": "-1"}, "bad_amount", "from_km: -1"),
    ("rates", {"price_minor": ""}, "field_missing", "price_minor: empty"),
    ("rates", {"valid_to_at": "never"}, "bad_moment", "valid_to_at: never"),
    ("rates", {"currency": "EURO"}, "unknown_code", "currency: EURO"),
    ("orders", {**NONE, "received_at": ""}, "field_missing", "received_at: empty"),
    ("orders", {**NONE, "placed_at": "2025-01-06 24:00:00"}, "bad_moment",
     "placed_at: 2025-01-06 24:00:00"),
    ("orders", {**NONE, "total_minor": "1e3"}, "bad_amount", "total_minor: 1e3"),
    ("order_lines", {**NONE, "line_no": ""}, "field_missing", "line_no: empty"),
    ("order_lines", {**NONE, "quantity": "1.25"}, "bad_number", "quantity: 1.25"),
    ("payments", {**NONE, "sequence": "x"}, "bad_number", "sequence: x"),
    ("payments", {**NONE, "amount_minor": "1.2.3"}, "bad_amount", "amount_minor: 1.2.3"),
    ("observed_events", {**NONE, "kind": "lost"}, "unknown_code", "kind: lost"),
    ("observed_events", {**NONE, "score": "five"}, "bad_number", "score: five"),
    ("labels", {**NONE, "label": "unsure"}, "unknown_code", "label: unsure"),
    ("labels", {**NONE, "known_at": ""}, "field_missing", "known_at: empty"),
)  # fmt: skip
"""Rows added behind each file: the changed fields, and what must be said of them."""

_NAME = "Größe 中文 عربى \N{THUMBS UP SIGN} " + "x" * 5_000
GOOD: tuple[tuple[str, Fields], ...] = (
    ("products", {"sku": "LIMITS", "name": _NAME, "category": "", "brand": "", "weight_g": "0",
                  "length_mm": "99999999", "unit_cost_minor": "0.4",
                  "list_price_minor": "9999999999.5"}),
    ("suppliers", {"supplier_key": "s" * 600, "name": _NAME, "lead_time_days": ""}),
    ("customers", {"customer_key": "leap", "signed_up_at": "2024-02-29 23:59:59", "name": _NAME}),
    ("movements", {"sku": "LIMITS", "quantity": "7.000", "reference": "limits", "kind": "receipt",
                   "moved_at": "2099-12-31 23:59:59"}),
    ("movements", {"sku": "LIMITS", "quantity": "-7", "reference": "sold", "kind": "sale"}),
    ("orders", {"external_id": "bare", "customer_key": "leap", "total_minor": "-1",
                "latitude": "", "shipping_minor": "", "promised_at": ""}),
    ("observed_events", {"external_id": "bare", "kind": "cancelled", "happened_at": "",
                         "score": "", "note": ""}),
    ("observed_events", {"external_id": "bare", "kind": "returned",
                         "happened_at": "2000-02-29 00:00:00"}),
)  # fmt: skip
"""Rows that stand at a limit and are taken."""


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A folder with all the rows above, and the row number of each wrong one."""
    folder = tmp_path_factory.mktemp("sample") / "shop"
    generate(folder, 40, 8)
    added = [(file, changes) for file, changes, _, _ in WRONG] + list(GOOD)
    placed = [_add(folder / f"{file}.csv", changes) for file, changes in added]
    return folder, placed[: len(WRONG)]


def _add(path: Path, changes: Fields) -> int:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with path.open("a", encoding="utf-8", newline="") as stream:
        csv.DictWriter(stream, list(rows[0])).writerow({**rows[0], **changes})
    return len(rows) + 1


@pytest.fixture(scope="module")
def report(module_database: DatabaseResource, numbers: tuple[Path, list[int]]) -> ImportReport:
    return run_import(module_database.begin, "sample", numbers[0], "test")


@pytest.fixture(scope="module")
def parked(
    module_database: DatabaseResource, report: ImportReport
) -> dict[tuple[str, int], tuple[str, str]]:
    """Reason and detail of what is in the quarantine, by file and row."""
    with module_database.begin() as conn:
        rows = conn.execute(
            sa.text("SELECT source, row_number, reason, detail FROM flow.quarantine")
        ).tuples()
        return {(source, number): (reason, detail) for source, number, reason, detail in rows}


@pytest.fixture
def ask(module_database: DatabaseResource, report: ImportReport) -> Any:
    def answer(statement: str) -> list[tuple[Any, ...]]:
        with module_database.begin() as conn:
            return [tuple(row) for row in conn.execute(sa.text(statement))]

    return answer


@pytest.mark.parametrize(
    "case", range(len(WRONG)), ids=lambda n: f"{WRONG[n][0]}-{WRONG[n][3]}"[:40]
)
def test_a_wrong_field_is_named_with_its_row(
    parked: dict[tuple[str, int], tuple[str, str]], numbers: tuple[Path, list[int]], case: int
) -> None:
    file, _, reason, detail = WRONG[case]
    assert parked[f"{file}.csv", numbers[1][case]] == (reason, detail)


def test_nothing_else_of_the_files_is_parked_for_its_fields(
    parked: dict[tuple[str, int], tuple[str, str]], report: ImportReport
) -> None:
    of_files = Counter(source for source, _ in parked if source.endswith(".csv"))
    assert of_files == {a.source: a.rows_parked for a in report.accounts if a.rows_parked}
    # A wrong row about an order that is not there brings nobody else down.
    followers = {reason for (source, _), (reason, _) in parked.items() if source == "labels.csv"}
    assert followers == {"unknown_code", "field_missing"}


def test_a_product_at_its_limits_is_taken_whole(ask: Any) -> None:
    assert ask("SELECT name, category, brand, weight_g, length_mm, unit_cost_minor,"
               " list_price_minor FROM catalog.products WHERE sku = 'LIMITS'") == [
        (_NAME, "uncategorised", None, None, 99_999_999, 0, 10_000_000_000)
    ]  # fmt: skip


def test_people_and_suppliers_at_their_limits_are_taken_whole(ask: Any) -> None:
    assert ask("SELECT name, signed_up_at::text FROM customers.customers"
               " WHERE customer_key = 'leap'") == [(_NAME, "2024-02-29 23:59:59+00")]  # fmt: skip
    assert ask("SELECT name, lead_time_days FROM catalog.suppliers"
               " WHERE length(supplier_key) = 600") == [(_NAME, None)]  # fmt: skip


def test_stock_is_whole_and_a_sale_cannot_be_fed(ask: Any) -> None:
    assert ask("SELECT kind, quantity FROM inventory.movements WHERE sku = 'LIMITS'") == [
        ("receipt", 7)
    ]
    assert ask("SELECT reason FROM flow.quarantine WHERE source = 'inventory.movements'") == [
        ("sale_in_feed",)
    ]


def test_an_order_of_gaps_is_handed_on_without_them(ask: Any) -> None:
    [(payload,)] = ask("SELECT payload FROM orders.inbox WHERE external_id = 'bare'")
    assert (payload["lines"], payload["payments"]) == ([], [])
    assert (payload["shipping_minor"], payload["total_minor"]) == (0, -1)
    assert "promised_at" not in payload
    assert "latitude" not in payload["ship_to"]


def test_outcomes_without_a_date_or_before_the_order_are_odd(ask: Any) -> None:
    assert ask("SELECT kind, anomaly FROM orders.observed_events WHERE external_id = 'bare'"
               " ORDER BY kind") == [
        ("cancelled", "cancelled_without_date"), ("returned", "returned_before_purchase"),
    ]  # fmt: skip
