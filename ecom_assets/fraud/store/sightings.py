"""`fraud.sightings`: which order showed which card, device, e-mail, IP or address.

An order counts as seen from the moment it was placed, whenever it is scored. Therefore all orders
that wait for their score are recorded before the first of them is scored: an order whose payment
came late is then seen by those placed after it, and no score depends on how orders were chunked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import sqlalchemy as sa

from ecom_assets.shared.flow import Stage

BATCH = 100_000
"""Orders recorded in one transaction."""

# A hash keeps half of SHA-256: 128 bits are enough to tell values apart, and rows stay small. An
# address without a street is a town, which honest customers share: it is not recorded.
_RECORD = sa.text("""
    WITH chosen AS (
        SELECT o.order_id, o.placed_at, o.customer_key, o.device_id, lower(o.email) AS email,
            o.ip_address, lower(concat_ws('|', NULLIF(btrim(o.ship_to_line1), ''), o.ship_to_city,
                o.ship_to_postal_code, o.ship_to_country)) AS address,
            btrim(o.ship_to_line1) <> '' AS has_street
        FROM orders.orders AS o
        WHERE o.order_id = ANY (:order_ids)
    ), sighted AS (
        SELECT 'device' AS kind, device_id AS value, placed_at, order_id, customer_key FROM chosen
        UNION ALL
        SELECT 'email', email, placed_at, order_id, customer_key FROM chosen
        UNION ALL
        SELECT 'ip', ip_address, placed_at, order_id, customer_key FROM chosen
        UNION ALL
        SELECT 'address', address, placed_at, order_id, customer_key FROM chosen WHERE has_street
        UNION ALL
        SELECT 'card', t.card_fingerprint, c.placed_at, c.order_id, c.customer_key
        FROM chosen AS c
        JOIN payments.transactions AS t USING (order_id)
    )
    INSERT INTO fraud.sightings (kind, value_hash, seen_at, order_id, customer_key)
    SELECT DISTINCT kind,
        encode(substr(sha256(convert_to(btrim(value), 'UTF8')), 1, 16), 'hex') AS value_hash,
        placed_at, order_id, customer_key
    FROM sighted
    WHERE btrim(value) <> ''
    ORDER BY kind, value_hash, placed_at, order_id
    ON CONFLICT DO NOTHING
""")

# Orders that show nothing have no row that could say they were looked at; `after` passes them by,
# or the loop would see them for ever.
_NEXT_WAITING = sa.text("""
    SELECT order_id
    FROM flow.pending AS p
    WHERE stage = :stage AND order_id > :after
        AND NOT EXISTS (SELECT FROM fraud.sightings AS s WHERE s.order_id = p.order_id)
    ORDER BY order_id
    LIMIT :most
""")

# What an edited order showed before its edit is not what it shows now.
_FORGET = sa.text("""
    DELETE FROM fraud.sightings AS s
    USING claimed AS c JOIN orders.changes AS x USING (order_id)
    WHERE s.order_id = c.order_id AND x.state = 'applied'
""")

_CLAIMED_UNSEEN = sa.text("""
    SELECT order_id
    FROM claimed AS c
    WHERE NOT EXISTS (SELECT FROM fraud.sightings AS s WHERE s.order_id = c.order_id)
""")


def record_waiting(
    begin: Callable[[], AbstractContextManager[sa.Connection]], batch: int = BATCH
) -> int:
    """Record what all orders show that wait for their score, a batch per transaction.

    Args:
        begin: opens a transaction that commits on success.
        batch: orders per transaction.

    Returns:
        How many sightings were recorded.
    """
    recorded, after = 0, 0
    while True:
        with begin() as conn:
            given = {"stage": Stage.SCORE.value, "after": after, "most": batch}
            orders = conn.execute(_NEXT_WAITING, given).scalars().all()
            if not orders:
                return recorded
            recorded += _record(conn, orders)
            # Velocities are looked up in the index; statistics of an empty table would hide it.
            conn.execute(sa.text("ANALYZE fraud.sightings"))
        after = orders[-1]


def record_claimed(conn: sa.Connection) -> int:
    """Record claimed orders that were edited, or came to wait after `record_waiting` looked."""
    conn.execute(_FORGET)
    return _record(conn, conn.execute(_CLAIMED_UNSEEN).scalars().all())


def _record(conn: sa.Connection, orders: Sequence[int]) -> int:
    return conn.execute(_RECORD, {"order_ids": list(orders)}).rowcount if orders else 0
