"""Suppliers and products from the feeds of whole shops."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ecom_assets.catalog.store.feed_plans import record_feed
from ecom_assets.catalog.store.staging import lock_products
from ecom_assets.catalog.tables import PRODUCTS, SUPPLIERS
from ecom_assets.shared import feeds
from ecom_assets.shared.upsert import newest, upsert

# Held until the import ends: what another import fills in meanwhile would not be seen by the
# statement that waited for it, and its gap would empty the value after all.
_ONE_TAKER = sa.text("SELECT pg_advisory_xact_lock(CAST(CAST(:taken AS regclass) AS bigint))")


def take_suppliers(conn: sa.Connection, import_id: int | None) -> int:
    """Bring `catalog.suppliers` up to date with the feed; returns rows inserted or changed.

    Suppliers do not say which import changed them, so `import_id` is not kept.
    """
    return _take(conn, feeds.SUPPLIERS, SUPPLIERS, "supplier_key", {})


def take_products(conn: sa.Connection, import_id: int | None) -> int:
    """Bring `catalog.products` up to date with the feed; returns rows inserted or changed.

    A gap in the feed never empties what is known. The shipping weight is not the feed's to say:
    `fill_shipping_weights` follows. What changes is kept as a plan that is applied already, so that
    every value has its lineage and the import can be reverted like any other.
    """
    lock_products(conn)
    record_feed(conn, newest(feeds.PRODUCTS, ["sku"]), import_id)
    return _take(conn, feeds.PRODUCTS, PRODUCTS, "sku", {"import_id": import_id})


def _take(
    conn: sa.Connection, feed: sa.Table, table: sa.Table, key: str, stamps: dict[str, int | None]
) -> int:
    conn.execute(_ONE_TAKER, {"taken": table.fullname})
    return upsert(conn, table, _filled(feed, table, key), [key], stamps)


def _filled(feed: sa.Table, table: sa.Table, key: str) -> sa.Select[Any]:
    """The newest rows of the feed, their gaps filled with what the table knows."""
    given = newest(feed, [key]).subquery("said")

    def filled(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        said, known = given.c[column.name], table.c[column.name]
        if not column.nullable:
            return said
        value: sa.ColumnElement[Any] = sa.func.coalesce(said, known)
        if column.name.endswith("_minor") and "currency" in feed.c:
            # An amount of another currency is not this product's price any more.
            value = sa.case((given.c.currency == table.c.currency, value), else_=said)
        return value.label(column.name)

    columns = [filled(column) for column in feed.c]
    return sa.select(*columns).select_from(given.outerjoin(table, table.c[key] == given.c[key]))
