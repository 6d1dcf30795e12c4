"""Taking judged feeds: offers are kept with what the gates said, costs begin where they changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.pricing.store import feeds
from ecom_assets.pricing.store.feeds import Taken

_ONE_TAKER = sa.text("SELECT pg_advisory_xact_lock(hashtext('pricing.feeds'))")

_KEEP_OFFERS = sa.text("""
    INSERT INTO pricing.competitor_offers
        (competitor, sku, currency, price_minor, observed_at, state, reason, feed_id)
    SELECT source_key, sku, currency, amount_minor, at,
        CASE WHEN coalesce(reason, CAST(:held AS text)) IS NULL THEN 'accepted' ELSE 'flagged' END,
        coalesce(reason, 'feed held: ' || CAST(:held AS text))
            || coalesce('; known ' || known_minor, ''), :feed_id
    FROM price_feed_entries WHERE coalesce(reason, '') NOT IN ('repeated', 'stated_twice')
    ORDER BY source_key, sku, currency, at
    ON CONFLICT (competitor, sku, currency, observed_at) DO NOTHING
    RETURNING state
""")
_COUNT = sa.text("SELECT count(*) FROM price_feed_entries")
_REPEATED = sa.text("SELECT count(*) FROM price_feed_entries WHERE reason = 'repeated'")

# A cost changes from its moment on; one that is older than what is known says nothing new.
_SAME_COSTS = sa.text("""
    UPDATE price_feed_entries AS e SET reason = 'unchanged'
    FROM pricing.costs AS c
    WHERE e.reason IS NULL AND c.sku = e.sku AND c.currency = e.currency AND c.valid_to_at IS NULL
        AND (c.cost_minor = e.amount_minor OR c.valid_from_at > e.at)
""")
# Of several changes in one file each holds until the next.
_REPLACE_COSTS = sa.text("""
    DELETE FROM pricing.costs AS c USING price_feed_entries AS e
    WHERE e.reason IS NULL AND c.sku = e.sku AND c.currency = e.currency
        AND c.valid_to_at IS NULL AND c.valid_from_at = e.at
""")
_END_COSTS = sa.text("""
    UPDATE pricing.costs AS c SET valid_to_at = e.at
    FROM (
        SELECT sku, currency, min(at) AS at FROM price_feed_entries
        WHERE reason IS NULL GROUP BY sku, currency
    ) AS e
    WHERE c.sku = e.sku AND c.currency = e.currency AND c.valid_to_at IS NULL
""")
_BEGIN_COSTS = sa.text("""
    INSERT INTO pricing.costs (sku, currency, cost_minor, valid_from_at, valid_to_at, feed_id)
    SELECT sku, currency, amount_minor, at,
        lead(at) OVER (PARTITION BY sku, currency ORDER BY at), :feed_id
    FROM price_feed_entries WHERE reason IS NULL
    ORDER BY sku, currency, at
""")


def take_offers(
    conn: sa.Connection, source: str, digest: str, rows: Iterable[Sequence[Any]], at: datetime,
    run: str, parked: int = 0,
) -> Taken:  # fmt: skip
    """Take competitors' offers: (row number, competitor, SKU, currency, amount, seen at).

    Args:
        conn: connection inside a transaction.
        source: file or table they came from.
        digest: SHA-256 of its contents; the same contents are not taken twice.
        rows: the entries.
        at: business moment of taking.
        run: Dagster run or command.
        parked: entries the reader put into the quarantine already.
    """
    conn.execute(_ONE_TAKER)
    if found := feeds.known_feed(conn, "offers", digest):
        return found
    feeds.open_entries(conn, rows)
    held = feeds.judge(conn, "offers")
    entries = conn.execute(_COUNT).scalar_one() + parked
    account = feeds.open_account(conn, "offers", source, digest, held, at, run, entries=entries,
                                 accepted=0, unchanged=0, flagged=0, parked=entries)  # fmt: skip
    parked += feeds.park_twice(conn, source, run)
    states = list(conn.execute(_KEEP_OFFERS, {"held": held, "feed_id": account}).scalars())
    accepted, flagged = states.count("accepted"), states.count("flagged")
    counts = {
        "accepted": accepted, "flagged": flagged, "parked": parked,
        "unchanged": entries - accepted - flagged - parked,
    }  # fmt: skip
    feeds.set_counts(conn, account, **counts)
    return Taken(account, "held" if held else "taken", held, entries, **counts)


def take_costs(
    conn: sa.Connection, source: str, digest: str, rows: Iterable[Sequence[Any]], at: datetime,
    run: str, parked: int = 0,
) -> Taken:  # fmt: skip
    """Take costs: (row number, '', SKU, currency, amount, valid from); see `take_offers`.

    Entries that the gates flag, or all of a feed that is held back, go to the quarantine.
    """
    conn.execute(_ONE_TAKER)
    if found := feeds.known_feed(conn, "costs", digest):
        return found
    feeds.open_entries(conn, rows)
    held = feeds.judge(conn, "costs")
    entries = conn.execute(_COUNT).scalar_one() + parked
    account = feeds.open_account(conn, "costs", source, digest, held, at, run, entries=entries,
                                 accepted=0, unchanged=0, flagged=0, parked=entries)  # fmt: skip
    parked += feeds.park_twice(conn, source, run)
    flagged = feeds.park_flagged(conn, source, held, run)
    accepted = 0
    if not held:
        conn.execute(_SAME_COSTS)
        conn.execute(_REPLACE_COSTS)
        conn.execute(_END_COSTS)
        accepted = conn.execute(_BEGIN_COSTS, {"feed_id": account}).rowcount
    counts = {
        "accepted": accepted, "flagged": flagged, "parked": parked,
        "unchanged": entries - accepted - flagged - parked,
    }  # fmt: skip
    feeds.set_counts(conn, account, **counts)
    return Taken(account, "held" if held else "taken", held, entries, **counts)
