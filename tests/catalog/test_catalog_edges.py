"""The catalog at the edges: odd names, gaps, ties of medians, and what operators are shown."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ecom_assets.catalog import store
from ecom_assets.catalog.assets.products import products
from ecom_assets.catalog.model import FALLBACK_G
from ecom_assets.catalog.rules import Weighed, shipping_weights
from ecom_assets.catalog.tables import PRODUCTS, SUPPLIERS
from ecom_assets.shared import feeds
from resources.database import DatabaseResource


def stock(conn: sa.Connection, *products: tuple[str, str, int | None]) -> None:
    """Products, each `(sku, category, weight_g)`."""
    rows = [
        {"sku": sku, "name": sku, "category": category, "currency": "EUR", "weight_g": weight}
        for sku, category, weight in products
    ]
    conn.execute(sa.insert(PRODUCTS), rows)


def weights(conn: sa.Connection) -> dict[str, int]:
    rows = sa.select(PRODUCTS.c.sku, PRODUCTS.c.shipping_weight_g).order_by(PRODUCTS.c.sku)
    return dict(conn.execute(rows).tuples().all())


MEDIANS: list[tuple[list[int], int]] = [
    ([], FALLBACK_G),
    ([7], 7),
    ([1, 9], 1),
    ([9, 5, 1], 5),
    ([4, 1, 3, 2], 2),
    ([5, 5, 5, 90_000], 5),
    ([1, 2_147_483_647], 1),
]


@pytest.mark.parametrize(("stated", "expected"), MEDIANS)
def test_a_gap_is_filled_with_the_lower_median(
    scratch: sa.Connection, stated: list[int], expected: int
) -> None:
    known = [(f"k{number}", "toys", weight) for number, weight in enumerate(stated)]
    stock(scratch, *known, ("gap", "toys", None), ("other", "art", None))
    assert store.fill_shipping_weights(scratch) == len(stated) + 2
    found = weights(scratch)
    # A category without any weight leans on the whole shop, which here is the other category.
    assert (found["gap"], found["other"]) == (expected, expected)
    products = {sku: Weighed(category, weight) for sku, category, weight in known}
    reference = shipping_weights({**products, "gap": Weighed("toys", None)})
    assert reference["gap"] == expected


@pytest.mark.parametrize("category", ["", " ", "Spielzeug & Möbel", "玩具", "x" * 3_000, "a'b%s:c"])
def test_categories_are_told_apart_exactly(scratch: sa.Connection, category: str) -> None:
    stock(scratch, ("a", category, 10), ("b", category, None), ("c", category + " ", None),
          ("d", "heavy", 900), ("e", "heavy", 900))  # fmt: skip
    store.fill_shipping_weights(scratch)
    found = weights(scratch)
    assert (found["b"], found["c"]) == (10, 900)


def test_a_weight_that_is_stated_at_last_replaces_the_guess(scratch: sa.Connection) -> None:
    stock(scratch, ("a", "toys", 10), ("b", "toys", None))
    store.fill_shipping_weights(scratch)
    scratch.execute(sa.update(PRODUCTS).where(PRODUCTS.c.sku == "b").values(weight_g=30))
    assert store.fill_shipping_weights(scratch) == 1
    assert weights(scratch) == {"a": 10, "b": 30}


def test_an_empty_catalog_needs_no_weights(scratch: sa.Connection) -> None:
    assert store.fill_shipping_weights(scratch) == 0
    assert store.categories_by_size(scratch, 5) == []
    assert shipping_weights({}) == {}


def test_categories_are_ranked_by_size_then_by_name(scratch: sa.Connection) -> None:
    stock(scratch, *((f"{c}{n}", c, None) for c, count in (("b", 2), ("c", 1), ("a", 2))
                     for n in range(count)))  # fmt: skip
    assert store.categories_by_size(scratch, 9) == [("a", 2), ("b", 2), ("c", 1)]
    assert store.categories_by_size(scratch, 2) == [("a", 2), ("b", 2)]


def take_suppliers(conn: sa.Connection, *rows: dict[str, Any]) -> int:
    gaps = dict.fromkeys(column.name for column in feeds.SUPPLIERS.c if column.nullable)
    feeds.SUPPLIERS.create(conn, checkfirst=True)
    conn.execute(sa.delete(feeds.SUPPLIERS))
    given = [{"supplier_key": "s", "name": "S", "country": "DE", **gaps, **row} for row in rows]
    if given:
        conn.execute(sa.insert(feeds.SUPPLIERS), given)
    return store.take_suppliers(conn, 1)


def test_last_row_of_a_supplier_wins_and_only_changes_are_written(scratch: sa.Connection) -> None:
    assert take_suppliers(scratch) == 0
    assert take_suppliers(scratch, {"name": "old"}, {"name": "名前", "lead_time_days": 0.5}) == 1
    assert take_suppliers(scratch, {"name": "名前", "lead_time_days": 0.5}) == 0
    found = scratch.execute(sa.select(SUPPLIERS.c.name, SUPPLIERS.c.lead_time_days)).one()
    assert tuple(found) == ("名前", 0.5)


def test_a_supplier_missing_from_a_later_feed_stays(scratch: sa.Connection) -> None:
    take_suppliers(scratch, {"supplier_key": "a"})
    take_suppliers(scratch, {"supplier_key": "b"})
    keys = scratch.execute(sa.select(SUPPLIERS.c.supplier_key).order_by(SUPPLIERS.c.supplier_key))
    assert keys.scalars().all() == ["a", "b"]


@pytest.mark.parametrize(
    ("member", "value", "constraint"),
    [
        ("weight_g", 0, "weight_positive"),
        ("length_mm", -1, "sides_positive"),
        ("unit_cost_minor", -1, "money_not_negative"),
        ("list_price_minor", -1, "money_not_negative"),
    ],
)
def test_the_table_refuses_what_no_product_is(
    scratch: sa.Connection, member: str, value: int, constraint: str
) -> None:
    row = {"sku": "a", "name": "a", "category": "x", "currency": "EUR",
           "width_mm": 1, "height_mm": 1, member: value}  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError, match=constraint):
        scratch.execute(sa.insert(PRODUCTS).values(row))


def shown(database: DatabaseResource) -> dict[str, Any]:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([products], resources={"database": database}, instance=instance)
        (found,) = result.asset_materializations_for_node("catalog__products")
    return dict(found.metadata)


def test_the_asset_shows_gaps_and_what_it_holds(database: DatabaseResource) -> None:
    with database.begin() as conn:
        stock(conn, ("b|c", "toys", 100), ("a", "toys", None), ("d", "art", None))
    first, second = shown(database), shown(database)
    assert first["without_stated_weight_percent"].value == 66.67
    assert first["dagster/row_count"].value == 3
    assert [each["shipping_weights_changed"].value for each in (first, second)] == [3, 0]
    assert "data:image/png" in first["products_per_category"].value
    assert "data:image/png" in second["products_per_category"].value
    lines = second["preview"].value.splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| d", "| a", "| b\\|c"]
