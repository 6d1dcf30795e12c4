"""The price of a product for a channel, currency, group, quantity and moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

# One row per wanted line: the group's own list goes before everybody's, then the largest quantity.
# LIMIT 1 in a lateral join reads a handful of index entries, whatever the table's size.
_LOOKUP = sa.text("""
    SELECT wanted.place, price.*
    FROM unnest(CAST(:skus AS text[]), CAST(:quantities AS integer[]))
        WITH ORDINALITY AS wanted (sku, quantity, place)
    CROSS JOIN LATERAL (
        SELECT p.sku, p.price_minor, p.regular_minor, p.reference_minor, p.min_quantity,
            l.customer_group, l.currency, p.price_id, p.rule, p.plan_id
        FROM pricing.price_lists AS l
            JOIN pricing.prices AS p ON p.price_list_id = l.price_list_id
        WHERE l.channel = :channel AND l.currency = :currency
            AND l.customer_group IN (:customer_group, 'all')
            AND p.sku = wanted.sku AND p.min_quantity <= wanted.quantity
            AND p.valid_from_at <= :at AND (p.valid_to_at IS NULL OR p.valid_to_at > :at)
        ORDER BY l.customer_group = :customer_group DESC, p.min_quantity DESC
        LIMIT 1
    ) AS price
    ORDER BY wanted.place
""")


def prices_at(
    conn: sa.Connection, channel: str, currency: str, lines: Sequence[tuple[str, int]],
    at: datetime, customer_group: str = "all",
) -> list[sa.Row[Any] | None]:  # fmt: skip
    """The price row of each (SKU, quantity) at a moment, None where there is none.

    The plain reference is `checkout.listed_price`; a property test holds both equal.
    """
    values = {
        "channel": channel, "currency": currency, "customer_group": customer_group, "at": at,
        "skus": [sku for sku, _ in lines], "quantities": [quantity for _, quantity in lines],
    }  # fmt: skip
    found = {row.place: row for row in conn.execute(_LOOKUP, values)}
    return [found.get(place) for place in range(1, len(lines) + 1)]


_HISTORY = sa.text("""
    SELECT l.channel, l.currency, l.customer_group, p.min_quantity, p.price_minor, p.regular_minor,
        p.reference_minor, p.valid_from_at, p.valid_to_at, p.rule, p.plan_id
    FROM pricing.prices AS p JOIN pricing.price_lists AS l USING (price_list_id)
    WHERE p.sku = :sku
    ORDER BY l.channel, l.currency, l.customer_group, p.min_quantity, p.valid_from_at
""")


def history(conn: sa.Connection, sku: str) -> list[dict[str, Any]]:
    """Every price a product ever had, in all lists."""
    return [dict(row) for row in conn.execute(_HISTORY, {"sku": sku}).mappings()]


_PRIOR = sa.text("""
    SELECT min(p.price_minor) FROM pricing.prices AS p
    WHERE p.price_list_id = :price_list_id AND p.sku = :sku AND p.min_quantity = 1
        AND p.valid_from_at < :at
        AND (p.valid_to_at IS NULL OR p.valid_to_at > :at - interval '30 days')
""")


def prior_price(conn: sa.Connection, price_list_id: int, sku: str, at: datetime) -> int | None:
    """The lowest price of the 30 days before a moment (Directive 98/6/EC, art. 6a)."""
    values = {"price_list_id": price_list_id, "sku": sku, "at": at}
    found: int | None = conn.execute(_PRIOR, values).scalar_one()
    return found
