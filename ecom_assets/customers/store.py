"""SQL of the customers area: takes customers from the feed and folds accepted orders into them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ecom_assets.customers.tables import CUSTOMERS
from ecom_assets.shared import feeds
from ecom_assets.shared.upsert import newest, upsert


def take_customers(conn: sa.Connection, import_id: int | None) -> int:
    """Bring `customers.customers` up to date with the feed; returns rows inserted or changed.

    What a customer gave with an order outranks the feed, which therefore only fills gaps of
    customers that ordered; a gap in the feed never empties what is known. Customers do not say
    which import changed them, so `import_id` is not kept.
    """
    return upsert(conn, CUSTOMERS, _merged(), ["customer_key"])


def _merged() -> sa.Select[Any]:
    given = newest(feeds.CUSTOMERS, ["customer_key"]).subquery()
    has_ordered = sa.func.coalesce(CUSTOMERS.c.orders_count, 0) > 0

    def latest(name: str) -> sa.ColumnElement[Any]:
        known, said = CUSTOMERS.c[name], given.c[name]
        by_order, by_feed = sa.func.coalesce(known, said), sa.func.coalesce(said, known)
        return sa.case((has_ordered, by_order), else_=by_feed).label(name)

    signed_up_at = sa.func.coalesce(given.c.signed_up_at, CUSTOMERS.c.signed_up_at)
    return sa.select(
        given.c.customer_key,
        *(latest(name) for name in ("name", "email", "phone", "country")),
        signed_up_at.label("signed_up_at"),
    ).select_from(given.outerjoin(CUSTOMERS, CUSTOMERS.c.customer_key == given.c.customer_key))
