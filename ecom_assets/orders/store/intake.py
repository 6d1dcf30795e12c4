"""Taking order messages and observed facts in.

There is one way into `orders.inbox`: the temporary table of the orders feed, emptied by one
statement. Importers fill it in bulk; `receiving` fills it for callers that bring messages.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.orders.tables import OBSERVED_EVENTS
from ecom_assets.shared import feeds
from ecom_assets.shared.upsert import newest, upsert

# The hash is of the normalised document, so that key order and blanks are no change. `ctid` finds a
# row of the feed again without carrying its payload through every sort. Windows over one order of
# rows share a sort.
_TAKE = sa.text("""
    WITH given AS MATERIALIZED (
        SELECT ctid AS place, channel, external_id, coalesce(kind, 'order') AS kind, received_at,
               encode(sha256(convert_to(payload::text, 'UTF8')), 'hex') AS payload_hash
        FROM feed_orders
    ), touched AS (
        SELECT DISTINCT channel, external_id FROM given
    ), on_record AS MATERIALIZED (
        SELECT i.channel, i.external_id, i.kind, i.received_at, i.revision, i.payload_hash, EXISTS (
                   SELECT FROM orders.changes AS c
                   WHERE c.revised_inbox_id = i.inbox_id AND c.inbox_id IS DISTINCT FROM i.inbox_id
               ) AS is_ours
        FROM touched JOIN orders.inbox AS i USING (channel, external_id)
    ), known AS MATERIALIZED (
        SELECT channel, external_id, kind, received_at, revision, payload_hash,
               lag(payload_hash) OVER (
                   PARTITION BY channel, external_id, kind ORDER BY received_at, revision
               ) AS hash_before
        FROM on_record WHERE NOT is_ours
    ), history AS (
        SELECT channel, external_id, kind, received_at, revision, NULL::tid AS place, payload_hash
        FROM known
        UNION ALL
        SELECT channel, external_id, kind, received_at, NULL, place, payload_hash
        FROM given AS g
        WHERE NOT EXISTS (
            SELECT FROM known AS k
            WHERE (k.channel, k.external_id, k.kind, k.received_at)
                = (g.channel, g.external_id, g.kind, g.received_at)
              AND g.payload_hash IN (k.payload_hash, k.hash_before)
        )
    ), compared AS (
        SELECT *, payload_hash IS DISTINCT FROM lag(payload_hash) OVER arrival AS is_news
        FROM history
        WINDOW arrival AS (
            PARTITION BY channel, external_id, kind
            ORDER BY received_at, revision NULLS LAST, place)
    ), changes AS (
        SELECT *, lead(place IS NULL AND NOT is_news) OVER arrival AS is_known_later
        FROM compared
        WHERE is_news OR place IS NULL
        WINDOW arrival AS (
            PARTITION BY channel, external_id, kind
            ORDER BY received_at, revision NULLS LAST, place)
    ), last AS (
        SELECT channel, external_id, max(revision) AS revision
        FROM on_record GROUP BY channel, external_id
    ), wanted AS MATERIALIZED (
        SELECT c.place, channel, external_id, c.kind, c.received_at, c.payload_hash,
               coalesce(last.revision, 0) + row_number() OVER (
                   PARTITION BY channel, external_id ORDER BY c.received_at, c.place
               ) AS revision
        FROM changes AS c LEFT JOIN last USING (channel, external_id)
        WHERE c.place IS NOT NULL AND c.is_known_later IS NOT TRUE
    ), added AS (
        INSERT INTO orders.inbox
            (channel, external_id, revision, kind, payload, payload_hash, received_at, import_id)
        SELECT w.channel, w.external_id, w.revision, w.kind, f.payload, w.payload_hash,
               w.received_at, :import_id
        FROM wanted AS w JOIN feed_orders AS f ON f.ctid = w.place
        ORDER BY w.channel, w.external_id, w.revision
        ON CONFLICT (channel, external_id, revision) DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM wanted), (SELECT count(*) FROM added), (
        SELECT coalesce(array_agg(f.row_no), '{}')
        FROM feed_orders AS f JOIN wanted AS w ON w.place = f.ctid
        WHERE f.row_no IS NOT NULL)
""").bindparams(sa.bindparam("import_id", type_=sa.BigInteger))
"""Each order's messages of a kind are put in the order of their arrival, known ones and new ones
together; of a row of equal ones the first is news, unless a later one of them is known, as where
deliveries of one webhook overtook each other. What a moment already taken said, or repeated from
before it, is skipped first: taking a feed twice adds nothing even where an order has several
revisions. What a person's edit or a partial cancellation left was written here and never told by
the channel: were it compared, a channel that tells of the order as it was would undo the change."""


def take_orders(conn: sa.Connection, import_id: int | None) -> int:
    """Take the orders feed into `orders.inbox`; an unchanged document adds nothing.

    Where another transaction added a revision of the same order meanwhile, the insert waits for it
    and skips the row; all is then undone and done again, and sees what was added. Rows go in by
    natural key and none is kept from a first attempt, so that two transactions cannot wait for each
    other.

    Args:
        conn: connection inside the transaction that filled the feed (READ COMMITTED).
        import_id: the import that brings the messages, if any.

    Returns:
        How many messages were added.
    """
    return take_told(conn, import_id)[0]


def take_told(conn: sa.Connection, import_id: int | None) -> tuple[int, list[int]]:
    """Take the orders feed as `take_orders` does; returns also the `row_no` of what was added."""
    while True:
        with conn.begin_nested() as attempt:
            wanted, added, rows = conn.execute(_TAKE, {"import_id": import_id}).tuples().one()
            if wanted == added:
                return int(added), list(rows)
            attempt.rollback()


def take_observed_events(conn: sa.Connection, import_id: int | None) -> int:
    """Take what the source observed into `orders.observed_events`.

    Returns:
        How many facts were inserted or changed.
    """
    key = ["channel", "external_id", "kind", "reference"]
    # A source corrects what it observed: its last word counts, and is no decision of ours to keep.
    rows = newest(feeds.OBSERVED_EVENTS, key)
    return upsert(conn, OBSERVED_EVENTS, rows, key, {"import_id": import_id})
