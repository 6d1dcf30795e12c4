"""SQL of the catalog area: takes suppliers and products from the feeds, fills shipping weights."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.catalog.tables import PRODUCTS, SUPPLIERS
from ecom_assets.shared import feeds
from ecom_assets.shared.upsert import newest, upsert


def take_suppliers(conn: sa.Connection, import_id: int | None) -> int:
    """Bring `catalog.suppliers` up to date with the feed; returns rows inserted or changed.

    Suppliers do not say which import changed them, so `import_id` is not kept.
    """
    return upsert(conn, SUPPLIERS, newest(feeds.SUPPLIERS, ["supplier_key"]), ["supplier_key"])


def take_products(conn: sa.Connection, import_id: int | None) -> int:
    """Bring `catalog.products` up to date with the feed; returns rows inserted or changed.

    The shipping weight is not the feed's to say: `fill_shipping_weights` follows.
    """
    stamps = {"import_id": import_id}
    return upsert(conn, PRODUCTS, newest(feeds.PRODUCTS, ["sku"]), ["sku"], stamps)
