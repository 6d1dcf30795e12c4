"""A feed that does not know something leaves what is known; what it does know, it changes."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.catalog import store
from ecom_assets.catalog.tables import PRODUCTS, SUPPLIERS
from ecom_assets.shared import feeds
from resources.database import DatabaseResource

KNOWN: dict[str, Any] = {
    "brand": "B", "weight_g": 700, "length_mm": 300, "width_mm": 200, "height_mm": 100,
    "unit_cost_minor": 400, "list_price_minor": 1_000, "supplier_key": "s1",
}  # fmt: skip
GAPS: dict[str, Any] = dict.fromkeys(KNOWN)


def _take(conn: sa.Connection, import_id: int, currency: str = "EUR", **members: Any) -> int:
    row = {"sku": "a", "name": "A", "category": "toys", "currency": currency}
    feeds.PRODUCTS.create(conn)
    conn.execute(sa.insert(feeds.PRODUCTS), [{**row, **GAPS, **members}])
    taken = store.take_products(conn, import_id)
    feeds.PRODUCTS.drop(conn)
    return taken


def _product(conn: sa.Connection) -> dict[str, Any]:
    return dict(conn.execute(sa.select(PRODUCTS)).mappings().one())


def test_a_feed_of_gaps_changes_nothing_and_is_no_change(conn: sa.Connection) -> None:
    assert _take(conn, 1, **KNOWN) == 1
    before = _product(conn)
    assert _take(conn, 2) == 0
    assert _product(conn) == before


@pytest.mark.parametrize("column", KNOWN)
def test_each_gap_is_filled_and_each_value_still_changes(conn: sa.Connection, column: str) -> None:
    _take(conn, 1, **KNOWN)
    other = f"{KNOWN[column]}2" if isinstance(KNOWN[column], str) else KNOWN[column] + 1
    assert _take(conn, 2, **{column: other}) == 1
    found = _product(conn)
    assert {name: found[name] for name in KNOWN} == {**KNOWN, column: other}
    assert found["import_id"] == 2


def test_a_value_that_was_missing_is_learnt(conn: sa.Connection) -> None:
    _take(conn, 1)
    assert _take(conn, 2, **KNOWN) == 1
    found = _product(conn)
    assert {name: found[name] for name in KNOWN} == KNOWN


def test_an_amount_of_another_currency_is_not_kept(conn: sa.Connection) -> None:
    _take(conn, 1, **KNOWN)
    assert _take(conn, 2, currency="GBP", list_price_minor=900) == 1
    found = _product(conn)
    assert (found["currency"], found["list_price_minor"]) == ("GBP", 900)
    assert found["unit_cost_minor"] is None
    assert (found["weight_g"], found["supplier_key"]) == (700, "s1")


def test_names_and_categories_are_always_the_feeds(conn: sa.Connection) -> None:
    _take(conn, 1, **KNOWN)
    assert _take(conn, 2, name="Renamed", category="tools") == 1
    found = _product(conn)
    assert (found["name"], found["category"]) == ("Renamed", "tools")


def test_of_two_rows_of_one_feed_the_last_is_taken_with_its_gaps(conn: sa.Connection) -> None:
    row = {"sku": "a", "name": "A", "category": "toys", "currency": "EUR"}
    feeds.PRODUCTS.create(conn)
    conn.execute(sa.insert(feeds.PRODUCTS), [{**row, **KNOWN}, {**row, **GAPS}])
    assert store.take_products(conn, 1) == 1
    # Nothing is known yet, so there is nothing to fill the gaps of the last row with.
    assert _product(conn)["weight_g"] is None


def test_suppliers_keep_their_lead_time_too(conn: sa.Connection) -> None:
    feeds.SUPPLIERS.create(conn)
    row = {"supplier_key": "s", "name": "S", "country": "BR"}
    figures = {"lead_time_days": 2.5, "lead_time_spread_days": 0.5, "minimum_order_minor": 100}
    for given in ({**row, **figures}, {**row, **dict.fromkeys(figures), "name": "S 2"}):
        conn.execute(sa.delete(feeds.SUPPLIERS))
        conn.execute(sa.insert(feeds.SUPPLIERS), [given])
        assert store.take_suppliers(conn, None) == 1
    found = conn.execute(sa.select(SUPPLIERS)).mappings().one()
    assert found["name"] == "S 2"
    assert {name: found[name] for name in figures} == figures


def test_a_value_that_another_import_fills_meanwhile_is_kept(database: DatabaseResource) -> None:
    def take_late() -> None:
        with database.begin() as other:
            taken.append(_take(other, 3, name="Late"))

    taken: list[int] = []
    with database.begin() as conn:
        _take(conn, 1)
    with database.begin() as first:
        _take(first, 2, weight_g=700)
        thread = Thread(target=take_late)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "the later import must wait for the first"
    thread.join(10)
    assert taken == [1]
    with database.begin() as conn:
        found = _product(conn)
    assert (found["weight_g"], found["name"], found["import_id"]) == (700, "Late", 3)
