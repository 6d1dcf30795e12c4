"""The catalog takes its feeds without rewriting what is equal, and fills shipping weights."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_assets.catalog import store
from ecom_assets.catalog.rules import Weighed, shipping_weights
from ecom_assets.catalog.tables import PRODUCTS, SUPPLIERS
from ecom_assets.shared import feeds


def product(sku: str, **members: Any) -> dict[str, Any]:
    optional = {column.name: None for column in feeds.PRODUCTS.c if column.nullable}
    required = {"sku": sku, "name": sku, "category": "toys", "currency": "EUR"}
    return {**optional, **required, **members}


@pytest.fixture
def feed(conn: sa.Connection) -> sa.Connection:
    feeds.open_feeds(conn)
    return conn


def take_products(conn: sa.Connection, *rows: dict[str, Any], import_id: int | None = 1) -> int:
    conn.execute(sa.delete(feeds.PRODUCTS))
    conn.execute(sa.insert(feeds.PRODUCTS), list(rows))
    return store.take_products(conn, import_id)


def test_products_are_inserted_changed_and_left_alone(feed: sa.Connection) -> None:
    assert take_products(feed, product("a"), product("b", brand="B")) == 2
    assert take_products(feed, product("a"), product("b", brand="B"), import_id=2) == 0
    assert take_products(feed, product("a"), product("b", brand="C"), import_id=3) == 1
    rows = sa.select(PRODUCTS.c.sku, PRODUCTS.c.brand, PRODUCTS.c.import_id)
    found = [tuple(row) for row in feed.execute(rows.order_by(PRODUCTS.c.sku))]
    assert found == [("a", None, 1), ("b", "C", 3)]


def test_last_row_of_a_sku_wins(feed: sa.Connection) -> None:
    assert take_products(feed, product("a", name="old"), product("a", name="new")) == 1
    assert feed.execute(sa.select(PRODUCTS.c.name)).scalar_one() == "new"


def test_product_missing_from_a_later_feed_stays(feed: sa.Connection) -> None:
    take_products(feed, product("a"))
    take_products(feed, product("b"))
    assert feed.execute(sa.select(sa.func.count()).select_from(PRODUCTS)).scalar_one() == 2


def test_shipping_weight_is_not_touched_by_the_feed(feed: sa.Connection) -> None:
    take_products(feed, product("a", weight_g=100))
    store.fill_shipping_weights(feed)
    assert take_products(feed, product("a", weight_g=100)) == 0
    assert feed.execute(sa.select(PRODUCTS.c.shipping_weight_g)).scalar_one() == 100


def test_suppliers_are_taken_once(feed: sa.Connection) -> None:
    row = {
        "supplier_key": "s", "name": "S", "country": "DE", "lead_time_days": 2.5,
        "lead_time_spread_days": None, "minimum_order_minor": None,
    }  # fmt: skip
    feed.execute(sa.insert(feeds.SUPPLIERS), [row])
    assert [store.take_suppliers(feed, None), store.take_suppliers(feed, None)] == [1, 0]
    assert feed.execute(sa.select(SUPPLIERS.c.lead_time_days)).scalar_one() == 2.5


_CATALOGS = st.lists(
    st.tuples(st.sampled_from(["toys", "tools", "art"]), st.none() | st.integers(1, 9)),
    max_size=9,
)


@given(catalog=_CATALOGS)
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sql_and_python_weigh_products_the_same(
    feed: sa.Connection, catalog: list[tuple[str, int | None]]
) -> None:
    products = {str(number): Weighed(*one) for number, one in enumerate(catalog)}
    with feed.begin_nested() as attempt:
        if products:
            take_products(
                feed,
                *(product(sku, category=p.category, weight_g=p.weight_g)
                  for sku, p in products.items()),
            )  # fmt: skip
        assert store.fill_shipping_weights(feed) == len(products)
        assert store.fill_shipping_weights(feed) == 0
        found = feed.execute(sa.select(PRODUCTS.c.sku, PRODUCTS.c.shipping_weight_g)).tuples()
        assert dict(found.all()) == shipping_weights(products)
        attempt.rollback()


def test_new_weight_moves_those_that_lean_on_it_only(feed: sa.Connection) -> None:
    take_products(feed, product("a"), product("b", category="tools"), product("c", weight_g=70))
    assert store.fill_shipping_weights(feed) == 3
    take_products(feed, product("b", category="tools", weight_g=900))
    assert store.fill_shipping_weights(feed) == 1


def test_figures_of_an_empty_and_of_a_small_catalog(feed: sa.Connection) -> None:
    assert store.weight_figures(feed).missing_share == 0.0
    take_products(feed, product("a"), product("b", weight_g=3), product("c", category="art"))
    assert store.weight_figures(feed).without_weight == 2
    assert store.categories_by_size(feed, 1) == [("toys", 2)]
