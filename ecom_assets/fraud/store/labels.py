"""`fraud.labels`: what orders turned out to be, taken from the feed."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.fraud.tables import LABELS
from ecom_assets.shared import feeds
from ecom_assets.shared.upsert import upsert

_KEY = ("channel", "external_id")


def take_labels(conn: sa.Connection, import_id: int | None) -> int:
    """Take the labels of `feeds.LABELS`; of several about one order the latest known wins.

    Args:
        conn: connection inside the import's transaction, with the feeds open.
        import_id: the import that brings them.

    Returns:
        How many labels were inserted or changed; unchanged ones are not rewritten.
    """
    feed = feeds.LABELS.c
    # Of two labels of one moment the first by name wins, fraud, so that the feed's order is no
    # matter.
    latest = (
        sa.select(*feed)
        .distinct(feed.channel, feed.external_id)
        .order_by(feed.channel, feed.external_id, feed.known_at.desc(), feed.label, feed.source)
    )
    return upsert(conn, LABELS, latest, _KEY, {"import_id": import_id})
