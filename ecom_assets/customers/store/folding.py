"""Takes customers from the feed and folds accepted orders into them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ecom_assets.customers.tables import ADDRESSES, CUSTOMERS
from ecom_assets.shared import feeds
from ecom_assets.shared.upsert import newest, upsert

# Blanks by name: what a server's locale takes for white space beyond ASCII is not what Python does.
_BLANKS = "[ \\t\\n\\r\\f\\v]+"


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

    # No order says when a customer signed up, so here the feed alone speaks.
    signed_up_at = sa.func.coalesce(given.c.signed_up_at, CUSTOMERS.c.signed_up_at)
    return sa.select(
        given.c.customer_key,
        *(latest(name) for name in ("name", "email", "phone", "country")),
        signed_up_at.label("signed_up_at"),
    ).select_from(given.outerjoin(CUSTOMERS, CUSTOMERS.c.customer_key == given.c.customer_key))


# A customer's figures are those of all accepted orders, not of the claimed ones added to what was
# there: folding twice changes nothing, and it does not matter in which chunks the orders came.
# A gap in the latest order does not empty what an earlier one or the feed said.
_FOLDED_CUSTOMERS = sa.text("""
    WITH touched AS (
        SELECT DISTINCT o.customer_key
        FROM claimed JOIN orders.orders AS o USING (order_id)
    ), folded AS (
        SELECT
            o.customer_key,
            (array_agg(o.customer_name ORDER BY o.placed_at DESC, o.channel, o.external_id)
                FILTER (WHERE o.customer_name IS NOT NULL))[1] AS name,
            (array_agg(o.email ORDER BY o.placed_at DESC, o.channel, o.external_id)
                FILTER (WHERE o.email IS NOT NULL))[1] AS email,
            (array_agg(o.phone ORDER BY o.placed_at DESC, o.channel, o.external_id)
                FILTER (WHERE o.phone IS NOT NULL))[1] AS phone,
            (array_agg(o.ship_to_country ORDER BY o.placed_at DESC, o.channel, o.external_id))[1]
                AS country,
            min(o.placed_at) AS first_order_at,
            max(o.placed_at) AS last_order_at,
            count(*) AS orders_count
        FROM touched JOIN orders.orders AS o USING (customer_key)
        GROUP BY o.customer_key
    )
    SELECT f.customer_key, coalesce(f.name, c.name) AS name, coalesce(f.email, c.email) AS email,
           coalesce(f.phone, c.phone) AS phone, f.country, f.first_order_at, f.last_order_at,
           f.orders_count
    FROM folded AS f LEFT JOIN customers.customers AS c USING (customer_key)
""").columns(
    *(
        CUSTOMERS.c[name]
        for name in (
            "customer_key", "name", "email", "phone", "country", "first_order_at",
            "last_order_at", "orders_count",
        )
    )
)  # fmt: skip

# Reference of the hash: rules.address_hash. Lower case is that of the collation "C", ASCII alone,
# because another server's locale would tell the same addresses apart otherwise. Of equal addresses
# the spelling of the latest order is kept; channel and id break ties, so that no chunking shows.
_FOLDED_ADDRESSES = (
    sa.text("""
    WITH touched AS (
        SELECT DISTINCT o.customer_key
        FROM claimed JOIN orders.orders AS o USING (order_id)
    ), used AS (
        SELECT o.*, encode(sha256(convert_to(concat_ws(chr(31),
            lower(btrim(regexp_replace(coalesce(o.ship_to_line1, ''), :blanks, ' ', 'g'))
                COLLATE "C"),
            lower(btrim(regexp_replace(coalesce(o.ship_to_city, ''), :blanks, ' ', 'g'))
                COLLATE "C"),
            lower(btrim(regexp_replace(coalesce(o.ship_to_region, ''), :blanks, ' ', 'g'))
                COLLATE "C"),
            lower(btrim(regexp_replace(coalesce(o.ship_to_postal_code, ''), :blanks, ' ', 'g'))
                COLLATE "C"),
            lower(o.ship_to_country COLLATE "C")), 'UTF8')), 'hex') AS address_hash
        FROM touched JOIN orders.orders AS o USING (customer_key)
    ), latest AS (
        SELECT DISTINCT ON (customer_key, address_hash)
            customer_key, address_hash, ship_to_name AS name, ship_to_line1 AS line1,
            ship_to_city AS city, ship_to_region AS region, ship_to_postal_code AS postal_code,
            ship_to_country AS country, ship_to_latitude AS latitude,
            ship_to_longitude AS longitude
        FROM used
        ORDER BY customer_key, address_hash, placed_at DESC, channel, external_id
    ), span AS (
        SELECT customer_key, address_hash, min(placed_at) AS first_used_at,
               max(placed_at) AS last_used_at
        FROM used
        GROUP BY customer_key, address_hash
    )
    SELECT * FROM latest JOIN span USING (customer_key, address_hash)
""")
    .bindparams(blanks=_BLANKS)
    .columns(*(column for column in ADDRESSES.c if column.name != "recorded_at"))
)


# A customer's orders may be claimed by two workers. The one whose statement began first would write
# figures that miss the other's orders over newer ones; behind the lock each statement begins after
# the other worker has committed, and sees all it wrote.
_ALONE = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('customers.customers', 0))")


def fold_orders(conn: sa.Connection) -> dict[str, int]:
    """Bring the customers of the claimed orders and their addresses up to date.

    One worker folds at a time; the lock is held until the transaction ends.

    Returns:
        Rows inserted or changed: `customers` and `addresses`.
    """
    conn.execute(_ALONE)
    return {
        "customers": upsert(conn, CUSTOMERS, _FOLDED_CUSTOMERS, ["customer_key"]),
        "addresses": upsert(conn, ADDRESSES, _FOLDED_ADDRESSES, ["customer_key", "address_hash"]),
    }
