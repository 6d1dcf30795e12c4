"""Feeds and columns: the shapes importers fill, the promises the names of columns make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from ecom_assets.schema import SHARED_MODULES, schema, schema_names
from ecom_assets.shared import columns, feeds
from ecom_assets.shared.feeds import FEEDS, count, open_feeds
from resources.database import DatabaseResource

EVERY_FEED = sorted(FEEDS.tables.values(), key=lambda feed: feed.name)


def test_all_feeds_are_there_and_empty(conn: sa.Connection) -> None:
    open_feeds(conn)
    assert {feed.name: count(conn, feed) for feed in EVERY_FEED} == {
        feed.name: 0 for feed in EVERY_FEED
    }


def test_a_feed_counts_its_rows(conn: sa.Connection) -> None:
    open_feeds(conn)
    conn.execute(sa.insert(feeds.CARRIERS), [{"carrier_code": "a", "name": "A"}] * 3)
    assert (count(conn, feeds.CARRIERS), count(conn, feeds.ZONES)) == (3, 0)


@pytest.mark.parametrize("feed", EVERY_FEED, ids=lambda feed: feed.name)
def test_a_feed_lives_as_long_as_its_transaction(feed: sa.Table) -> None:
    statement = " ".join(str(CreateTable(feed)).split())
    assert statement.startswith("CREATE TEMPORARY TABLE feed_")
    assert feed.schema is None


def test_feeds_of_two_imports_do_not_meet(database: DatabaseResource) -> None:
    with database.begin() as first, database.begin() as second:
        open_feeds(first)
        open_feeds(second)
        first.execute(sa.insert(feeds.CARRIERS).values(carrier_code="a", name="A"))
        assert count(second, feeds.CARRIERS) == 0


def test_a_session_opens_feeds_anew_for_each_import(database: DatabaseResource) -> None:
    with database.engine.connect() as conn:
        for _ in range(2):
            open_feeds(conn)
            conn.execute(sa.insert(feeds.CARRIERS).values(carrier_code="a", name="A"))
            assert count(conn, feeds.CARRIERS) == 1
            conn.commit()


def test_feeds_are_opened_once_per_transaction(conn: sa.Connection) -> None:
    open_feeds(conn)
    with pytest.raises(sa.exc.ProgrammingError, match="already exists"):
        open_feeds(conn)


REQUIRED = [
    (feed, column.name) for feed in EVERY_FEED for column in feed.columns if not column.nullable
]


@pytest.mark.parametrize(("feed", "column"), REQUIRED)
def test_a_feed_refuses_a_row_without_a_required_value(
    conn: sa.Connection, feed: sa.Table, column: str
) -> None:
    feed.create(conn)
    blank: dict[type, Any] = {str: "", int: 0, float: 0.0, dict: {}}
    values = {
        other.name: "2020-01-01Z" if other.name.endswith("_at") else blank[other.type.python_type]
        for other in feed.columns
        if not other.nullable
    }
    assert conn.execute(sa.insert(feed).values(values)).rowcount == 1
    with pytest.raises(sa.exc.IntegrityError, match=f'null value in column "{column}"'):
        conn.execute(sa.insert(feed).values({**values, column: sa.null()}))


def test_money_in_a_feed_comes_with_its_currency() -> None:
    # Suppliers' minimum orders are in the currency the shop buys in; all else says its own.
    for feed in EVERY_FEED:
        has_money = any(column.name.endswith("_minor") for column in feed.columns)
        if has_money and feed is not feeds.SUPPLIERS:
            assert "currency" in feed.columns, feed.name


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (columns.minor, "total"),
        (columns.minor, "minor_total"),
        (columns.moment, "placed"),
        (columns.moment, "placed_on"),
        (columns.flag, "active"),
        (columns.flag, "island"),
    ],
)
def test_a_name_that_hides_its_unit_is_refused(
    make: Callable[[str, str], sa.Column[Any]], name: str
) -> None:
    with pytest.raises(AssertionError, match=name):
        make(name, "")


BELONGING = {"order_lines", "decisions", "purchase_proposal_lines", "plan_lines"}
"""Tables whose money is in the currency of the order, proposal or plan they belong to."""


def _keeps_its_promise(column: sa.Column[Any]) -> bool:
    name, kind = column.name, column.type
    if name.endswith("_minor"):
        # a price list has one currency
        says_currency = not {"currency", "price_list_id"}.isdisjoint(column.table.columns.keys())
        says_currency = says_currency or column.table.name in BELONGING
        return isinstance(kind, sa.BigInteger) and says_currency
    if name.endswith(("_at", "_as_of")):
        return isinstance(kind, sa.DateTime) and kind.timezone
    if name.startswith(("is_", "has_")):
        return isinstance(kind, sa.Boolean)
    return not isinstance(kind, sa.DateTime | sa.Boolean)


def test_every_column_has_the_type_its_name_promises() -> None:
    every = [column for table in schema().tables.values() for column in table.columns]
    broken = [f"{column.table.fullname}.{column.name}" for column in every
              if not _keeps_its_promise(column)]  # fmt: skip
    # what suppliers ask for is in the currency the shop buys in, a tolerance in each order's own
    assert sorted(broken) == [
        "backoffice.tax_settings.tolerance_minor", "catalog.suppliers.minimum_order_minor",
    ]  # fmt: skip


def test_the_schema_knows_every_shared_and_area_table() -> None:
    tables = schema().tables
    assert {"flow.pending", "decisions.ledger", "orders.orders", "quality.reconciliations"} <= set(
        tables
    )
    declared = {
        item.fullname
        for module in SHARED_MODULES
        for item in vars(module).values()
        if isinstance(item, sa.Table)
    }
    assert declared <= set(tables)
    assert schema_names() == sorted({name.split(".")[0] for name in tables})
