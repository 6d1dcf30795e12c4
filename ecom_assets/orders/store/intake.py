"""Taking order messages and observed facts in.

There is one way into `orders.inbox`: the temporary table of the orders feed, emptied by one
statement. Importers fill it in bulk, `receive` fills it for callers with a few messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from ecom_assets.orders.model import Message
from ecom_assets.orders.tables import OBSERVED_EVENTS
from ecom_assets.shared import feeds
from ecom_assets.shared.upsert import newest, upsert

# The hash is of the normalised document, so that key order and blanks are no change. `ctid` finds a
# row of the feed again without carrying its payload through every sort.
_TAKE = sa.text("""
    WITH given AS MATERIALIZED (
        SELECT ctid AS place, channel, external_id, received_at,
               encode(sha256(convert_to(payload::text, 'UTF8')), 'hex') AS payload_hash
        FROM feed_orders
    ), touched AS (
        SELECT DISTINCT channel, external_id FROM given
    ), known AS MATERIALIZED (
        SELECT i.channel, i.external_id, i.received_at, i.revision, i.payload_hash,
               lag(i.payload_hash) OVER (
                   PARTITION BY i.channel, i.external_id ORDER BY i.received_at, i.revision
               ) AS hash_before
        FROM touched JOIN orders.inbox AS i USING (channel, external_id)
    ), history AS (
        SELECT channel, external_id, received_at, revision, NULL::tid AS place, payload_hash
        FROM known
        UNION ALL
        SELECT channel, external_id, received_at, NULL, place, payload_hash
        FROM given AS g
        WHERE NOT EXISTS (
            SELECT FROM known AS k
            WHERE (k.channel, k.external_id, k.received_at)
                = (g.channel, g.external_id, g.received_at)
              AND g.payload_hash IN (k.payload_hash, k.hash_before)
        )
    ), compared AS (
        SELECT channel, external_id, received_at, place, payload_hash,
               lag(payload_hash) OVER (
                   PARTITION BY channel, external_id
                   ORDER BY received_at, revision NULLS LAST, place
               ) AS hash_before,
               max(revision) OVER (PARTITION BY channel, external_id) AS last_revision
        FROM history
    ), wanted AS MATERIALIZED (
        SELECT place, channel, external_id, received_at, payload_hash,
               coalesce(last_revision, 0) + row_number() OVER (
                   PARTITION BY channel, external_id ORDER BY received_at, place
               ) AS revision
        FROM compared
        WHERE place IS NOT NULL AND payload_hash IS DISTINCT FROM hash_before
    ), added AS (
        INSERT INTO orders.inbox
            (channel, external_id, revision, payload, payload_hash, received_at, import_id)
        SELECT w.channel, w.external_id, w.revision, f.payload, w.payload_hash, w.received_at,
               :import_id
        FROM wanted AS w JOIN feed_orders AS f ON f.ctid = w.place
        ORDER BY w.channel, w.external_id, w.revision
        ON CONFLICT (channel, external_id, revision) DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM wanted), (SELECT count(*) FROM added)
""").bindparams(sa.bindparam("import_id", type_=sa.BigInteger))
"""Each order's messages are put in the order of their arrival, known ones and new ones together; a
message equal to the one before it says nothing new. What a moment already taken said, or repeated
from before it, is skipped first: taking a feed twice adds nothing even where an order has several
revisions."""


def take_orders(conn: sa.Connection, import_id: int | None) -> int:
    """Take the orders feed into `orders.inbox`; an unchanged document adds nothing.

    Where another transaction added a revision of the same order meanwhile, the insert waits for it
    and skips the row; the statement then runs again and sees what was added. Rows go in by natural
    key, so that two transactions do not wait for each other.

    Args:
        conn: connection inside the transaction that filled the feed (READ COMMITTED).
        import_id: the import that brings the messages, if any.

    Returns:
        How many messages were added.
    """
    added: int = 0
    while True:
        wanted, inserted = conn.execute(_TAKE, {"import_id": import_id}).tuples().one()
        added += int(inserted)
        if wanted == inserted:
            return added


def receive(conn: sa.Connection, messages: Sequence[Message]) -> int:
    """Take messages of a caller into `orders.inbox`, in the order given.

    Returns:
        How many messages were added; one that repeats what is known is not.
    """
    # An insert of no rows would add one of defaults.
    if not messages:
        return 0
    conn.execute(CreateTable(feeds.ORDERS, if_not_exists=True))
    rows: list[dict[str, Any]] = [
        {
            "channel": message.channel,
            "external_id": message.external_id,
            "received_at": message.received_at,
            "payload": message.payload,
        }
        for message in messages
    ]
    conn.execute(sa.insert(feeds.ORDERS), rows)
    added = take_orders(conn, None)
    # The feed lives until the transaction ends; a second call must not see these messages again.
    conn.execute(sa.delete(feeds.ORDERS))
    return added


def take_observed_events(conn: sa.Connection, import_id: int | None) -> int:
    """Take what the source observed into `orders.observed_events`.

    Returns:
        How many facts were inserted or changed.
    """
    key = ["channel", "external_id", "kind", "reference"]
    # A source corrects what it observed: its last word counts, and is no decision of ours to keep.
    rows = newest(feeds.OBSERVED_EVENTS, key)
    return upsert(conn, OBSERVED_EVENTS, rows, key, {"import_id": import_id})
