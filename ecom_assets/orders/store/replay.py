"""Another chance for parked messages whose cause is gone."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.orders.store import claims, validation
from ecom_assets.orders.store.validation import MESSAGES
from ecom_assets.shared import quarantine

_BACK_TO_PENDING = sa.text("""
    UPDATE orders.inbox AS m SET state = 'pending', reason = NULL, run_id = NULL
    FROM read_messages AS r WHERE m.inbox_id = r.inbox_id AND r.fault IS NULL
""")


def replay_parked(conn: sa.Connection) -> int:
    """Put parked messages that would be accepted now back to pending.

    They are read again by the same rules that parked them; a SKU that the catalog has learned
    since, for example, is no fault any more. Their rows leave the quarantine's list of parked ones.

    Returns:
        How many messages are pending again.
    """
    if not claims.claim_parked(conn):
        return 0
    validation.read_claimed(conn)
    # Back to pending rather than accepted here: there is one place that accepts orders.
    sound = sa.select(MESSAGES.c.inbox_id).where(MESSAGES.c.fault.is_(None))
    quarantine.settle(conn, claims.SOURCE, sound)
    return conn.execute(_BACK_TO_PENDING).rowcount
