"""A second set of a shop on top of the first: it adds, changes what differs and empties nothing."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.orders.store import accept_pending
from importers.engine import ImportReport, run_import
from resources.database import DatabaseResource
from scenarios.conftest import run_order_job

Take = Callable[[str, Path], ImportReport]
Query = Callable[..., list[Any]]
Fields = dict[str, str]


@pytest.fixture
def take(undone: sa.Connection) -> Take:
    """Import a folder as a run of its own; the feeds of one import are gone before the next."""

    def run(name: str, folder: Path) -> ImportReport:
        runs = undone.scalar(sa.text("SELECT count(*) FROM flow.imports"))
        report = run_import(lambda: nullcontext(undone), name, folder, f"run {runs}")
        temporary = undone.scalars(sa.text(
            "SELECT string_agg(format('%I', relname), ', ') FROM pg_class"
            " WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'"
        )).one()  # fmt: skip
        # A commit would drop them; these tests take everything back instead.
        undone.execute(sa.text(f"DROP TABLE {temporary}"))
        return report

    return run


LATER: dict[str, list[Fields]] = {
    "orders": [{"order_id": "o2", "order_purchase_timestamp": "2017-08-01 09:00:00"}],
    "items": [{"order_id": "o2"}],
    "payments": [{"order_id": "o2"}],
    "reviews": [{"order_id": "o2", "review_id": "r2"}],
}
"""A set with one order more, three months later."""


def test_a_product_not_sold_again_keeps_price_supplier_and_weight(
    shop: Any, take: Take, query: Query
) -> None:
    products = [{}, {"product_id": "p2"}]
    take("olist", shop.olist(products=products))
    lighter = [{"product_weight_g": "", "product_length_cm": "0"}, {"product_id": "p2"}]
    items = [{"order_id": "o2", "product_id": "p2", "price": "9.90"}]
    take("olist", shop.olist(**{**LATER, "items": items}, products=lighter))
    assert query(
        "SELECT sku, list_price_minor, supplier_key, weight_g, length_mm FROM catalog.products"
        " ORDER BY sku"
    ) == [("p1", 5000, "s1", 700, 300), ("p2", 990, "s1", 700, 300)]


def test_stock_of_a_later_set_is_added_under_its_own_reference(
    shop: Any, take: Take, query: Query
) -> None:
    take("olist", shop.olist())
    take("olist", shop.olist(**LATER))
    assert query("SELECT reference, quantity FROM inventory.movements ORDER BY moved_at") == [
        ("stock before 2017-05-02T13:00:00Z", 1), ("stock before 2017-08-01T12:00:00Z", 1),
    ]  # fmt: skip
    assert query("SELECT on_hand FROM inventory.positions") == [2]
    assert query("SELECT on_hand FROM inventory.balances") == [2]


def test_orders_of_both_sets_are_received_and_accounted_for(
    shop: Any, take: Take, query: Query
) -> None:
    first, second = take("olist", shop.olist()), take("olist", shop.olist(**LATER))
    assert (first.orders_received, second.orders_received) == (1, 1)
    assert first.import_id != second.import_id
    assert query("SELECT external_id FROM orders.inbox ORDER BY 1") == ["o1", "o2"]
    assert query("SELECT count(*) FROM flow.import_accounts") == [18]
    assert query("SELECT first_at::date::text FROM flow.imports ORDER BY import_id") == [
        "2017-05-02", "2017-08-01",
    ]  # fmt: skip


def test_a_set_that_contains_the_first_adds_only_what_is_new(
    shop: Any, take: Take, query: Query
) -> None:
    take("olist", shop.olist())
    whole = {name: [{}, *rows] for name, rows in LATER.items()}
    whole["items"] = [{}, {"order_id": "o2", "product_id": "p2"}]
    report = take("olist", shop.olist(**whole, products=[{}, {"product_id": "p2"}]))
    assert report.orders_received == 1
    assert query("SELECT sku, sum(quantity) FROM inventory.movements GROUP BY 1 ORDER BY 1") == [
        ("p1", 1), ("p2", 1),
    ]  # fmt: skip
    assert query("SELECT count(*) FROM flow.quarantine") == [0]


def test_stock_once_posted_is_not_posted_again_with_another_figure(
    shop: Any, take: Take, query: Query
) -> None:
    take("olist", shop.olist())
    several = [{"order_item_id": str(number)} for number in range(1, 9)]
    take("olist", shop.olist(items=several))
    assert query("SELECT quantity FROM inventory.movements") == [1]
    assert query("SELECT source, reason FROM flow.quarantine") == [
        ("inventory.movements", "changed_movement")
    ]


def test_an_order_that_changed_is_a_revision(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist())
    assert take("olist", shop.olist(items=[{"price": "45.00"}])).orders_received == 1
    assert query("SELECT revision, payload #>> '{lines,0,unit_price_minor}' FROM orders.inbox"
                 " ORDER BY revision") == [(1, "5000"), (2, "4500")]  # fmt: skip


def test_an_outcome_that_became_known_is_filled_in(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist(orders=[{"order_delivered_customer_date": ""}]))
    delivered = "SELECT happened_at::date::text, anomaly FROM orders.observed_events" \
                " WHERE kind = 'delivered'"  # fmt: skip
    assert query(delivered) == [(None, "delivered_without_date")]
    assert take("olist", shop.olist()).orders_received == 0
    assert query(delivered) == [("2017-05-08", None)]


def test_sites_of_a_new_region_join_the_others(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist())
    moved = {"seller_id": "s2", "seller_state": "MG"}
    items = [{"order_id": "o2", "seller_id": "s2"}]
    take("olist", shop.olist(**{**LATER, "items": items}, sellers=[{}, moved]))
    assert query("SELECT site_code FROM warehouse.sites ORDER BY 1") == ["BR-MG", "BR-SP"]
    assert query("SELECT count(*) FROM transport.zones") == [5]


def test_shops_of_two_formats_share_a_database(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist())
    assert take("uci", shop.uci()).orders_received == 1
    assert query("SELECT channel FROM orders.inbox ORDER BY 1") == ["olist", "uci"]
    assert query("SELECT DISTINCT left(service_code, 4), currency FROM transport.rates"
                 " ORDER BY 1") == [("olis", "BRL"), ("uci_", "GBP")]  # fmt: skip
    # Distance zones belong to the platform: both shops name the same five.
    assert query("SELECT count(*) FROM transport.zones") == [5]


def test_one_sku_in_two_currencies_keeps_no_foreign_price(
    shop: Any, take: Take, query: Query
) -> None:
    take("olist", shop.olist(
        products=[{"product_id": "10001"}], items=[{"product_id": "10001"}]
    ))  # fmt: skip
    take("uci", shop.uci())
    assert query("SELECT currency, list_price_minor, weight_g FROM catalog.products") == [
        ("GBP", 250, 700)
    ]


_BY_ORDER = ("olist_orders", "olist_order_items", "olist_order_payments", "olist_order_reviews")


def _rows_of(path: Path) -> list[Fields]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _split(source: Path, target: Path) -> list[Path]:
    """Two folders that each hold the orders of one half of the time, and all base data."""
    tables = {path.name.removesuffix(".gz"): _rows_of(path) for path in source.iterdir()}
    orders = sorted(tables["olist_orders_dataset.csv"], key=_placed)
    halves = orders[: len(orders) // 2], orders[len(orders) // 2 :]
    for number, half in enumerate(halves):
        ids = {order["order_id"] for order in half}
        folder = target / str(number)
        folder.mkdir()
        for name, rows in tables.items():
            kept = [row for row in rows if not name.startswith(_BY_ORDER) or row["order_id"] in ids]
            with (folder / name).open("w", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, list(rows[0]))
                writer.writeheader()
                writer.writerows(kept)
    return [target / "0", target / "1"]


def _placed(order: Fields) -> str:
    return order["order_purchase_timestamp"]


@pytest.mark.slow
def test_the_real_shop_in_two_halves(
    real_folder: Callable[..., Path], tmp_path: Path, database: DatabaseResource
) -> None:
    def ask(statement: str) -> list[tuple[Any, ...]]:
        with database.begin() as conn:
            return [tuple(row) for row in conn.execute(sa.text(statement))]

    halves = _split(real_folder("olist", "sample"), tmp_path)
    received = 0
    for number, folder in enumerate(halves):
        report = run_import(database.begin, "olist", folder, f"half {number}")
        received += report.orders_received
        done = run_order_job(database)
        failed = [e.check_name for e in done.get_asset_check_evaluations() if not e.passed]
        assert failed == []
        assert ask("SELECT count(*) FROM inventory.balances WHERE on_hand < 0") == [(0,)]
        assert ask("SELECT count(*) FROM inventory.positions WHERE reserved > on_hand") == [(0,)]
        assert ask("SELECT count(*) FROM flow.pending") == [(0,)]
    assert ask("SELECT count(*) FROM orders.inbox WHERE state IN ('accepted', 'parked')") == [
        (received,)
    ]
    sold_without = """
        SELECT count(*) FROM catalog.products AS p WHERE (list_price_minor IS NULL
            OR supplier_key IS NULL) AND sku IN (SELECT sku FROM orders.order_lines)
    """
    assert ask(sold_without) == [(0,)]


def test_the_second_set_is_decided_after_the_first(shop: Any, database: DatabaseResource) -> None:
    run_import(database.begin, "olist", shop.olist(), "first")
    assert accept_pending(database.begin, "a")["accepted"] == 1
    run_import(database.begin, "olist", shop.olist(**LATER), "second")
    assert accept_pending(database.begin, "b")["accepted"] == 1
    with database.begin() as conn:
        rows = conn.execute(sa.text("SELECT external_id FROM orders.orders ORDER BY order_id"))
        assert rows.scalars().all() == ["o1", "o2"]
