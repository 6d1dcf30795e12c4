"""Price lists, their limits, promotions and coupons: written by people and imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom_assets.pricing.model import BPS
from ecom_assets.pricing.tables import CONSTRAINTS, COUPONS, PRICE_LISTS, PROMOTIONS

DEFAULTS = {
    "tax_bps": 0,
    "offer_max_age_hours": 72,
    "approve_above_bps": 3_000,
    "most_moved_bps": BPS,
    "is_automatic": False,
}
"""What a list starts with where nothing else is said."""


def open_list(
    conn: sa.Connection, channel: str, currency: str, customer_group: str = "all", **settings: Any
) -> int:
    """The list of a channel, currency and group, made where there is none.

    Args:
        conn: connection inside a transaction.
        channel: sales channel.
        currency: ISO 4217 code.
        customer_group: group of customers.
        **settings: columns of `pricing.price_lists`; given ones replace what a list has.

    Returns:
        Its id.
    """
    key = {"channel": channel, "currency": currency, "customer_group": customer_group}
    made = insert(PRICE_LISTS).values({**DEFAULTS, **settings, **key})
    names = list(key)
    if settings:
        made = made.on_conflict_do_update(index_elements=names, set_=settings)
    else:
        made = made.on_conflict_do_nothing(index_elements=names)
    conn.execute(made)
    same = sa.and_(*(PRICE_LISTS.c[name] == value for name, value in key.items()))
    found = conn.execute(sa.select(PRICE_LISTS.c.price_list_id).where(same)).scalar_one()
    return int(found)


_LISTS = sa.text("""
    SELECT l.price_list_id, l.channel, l.currency, l.customer_group, l.is_automatic,
        (SELECT count(*) FROM pricing.prices AS p
         WHERE p.price_list_id = l.price_list_id AND p.valid_from_at <= :at
            AND (p.valid_to_at IS NULL OR p.valid_to_at > :at)) AS prices
    FROM pricing.price_lists AS l ORDER BY l.channel, l.currency, l.customer_group
""")


def listed(conn: sa.Connection, at: Any) -> Sequence[Mapping[str, Any]]:
    """All lists with the number of prices that hold at a moment."""
    return [dict(row) for row in conn.execute(_LISTS, {"at": at}).mappings()]


def channels(conn: sa.Connection) -> list[str]:
    """Channels that have a price list."""
    names = sa.select(PRICE_LISTS.c.channel).distinct().order_by(PRICE_LISTS.c.channel)
    return list(conn.execute(names).scalars())


def limit(
    conn: sa.Connection, price_list_id: int, category: str = "", sku: str = "", **limits: int | None
) -> None:
    """Set limits of a product, a category or a whole list; limits not named stay as they are."""
    key = {"price_list_id": price_list_id, "category": category, "sku": sku}
    made = insert(CONSTRAINTS).values({**limits, **key})
    change = {**limits, "recorded_at": sa.func.clock_timestamp()}
    conn.execute(made.on_conflict_do_update(index_elements=list(key), set_=change))


def promote(conn: sa.Connection, **promotion: Any) -> int:
    """Add a promotion; returns its id. The names are those of `pricing.promotions`."""
    made = sa.insert(PROMOTIONS).values(promotion).returning(PROMOTIONS.c.promotion_id)
    return int(conn.execute(made).scalar_one())


def add_coupon(conn: sa.Connection, **coupon: Any) -> None:
    """Add a coupon. The names are those of `pricing.coupons`."""
    conn.execute(sa.insert(COUPONS).values(coupon))
