"""Which messages a step works on, and what becomes of those it cannot use.

A step claims messages by their state, locks them and keeps their ids in a temporary table until its
transaction ends. Two workers never hold the same message, and a message whose transaction commits
late is found like any other.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.orders.model import SUPERSEDED_BY_REVISION, ChangeKind, Refusal
from ecom_assets.orders.store import changes
from ecom_assets.orders.tables import INBOX
from ecom_assets.shared import quarantine
from ecom_assets.shared.working import analyse, open_empty, working_table

SOURCE = "orders.inbox"
"""The source parked messages have in the quarantine; their row number is the inbox id."""

CLAIMED = working_table(
    "claimed_messages",
    sa.Column("inbox_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("is_revised", sa.Boolean, nullable=False),
)
"""Messages a step holds; `is_revised` says that others of their order have to be looked at."""

FAULTS = working_table(
    "faulty_messages",
    sa.Column("inbox_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("fault", sa.Text, nullable=False),
)
"""Messages to park, with `problem: detail`."""

# An order with several messages has one with a revision above 1; few orders have, so their partial
# index is small however large the inbox grows.
_CLAIM = sa.text("""
    INSERT INTO claimed_messages (inbox_id, is_revised)
    SELECT m.inbox_id, m.kind = 'cancellation' OR EXISTS (
        SELECT FROM orders.inbox AS r
        WHERE r.revision > 1 AND r.channel = m.channel AND r.external_id = m.external_id)
    FROM orders.inbox AS m
    WHERE m.state = 'pending'
    ORDER BY m.received_at, m.inbox_id
    LIMIT :most
    FOR UPDATE OF m SKIP LOCKED
""")
_CLAIM_REVISED = sa.text("""
    INSERT INTO claimed_messages (inbox_id, is_revised)
    SELECT m.inbox_id, true
    FROM orders.inbox AS m
    WHERE m.state = 'pending' AND m.kind = 'order' AND EXISTS (
        SELECT FROM orders.inbox AS r
        WHERE r.revision > 1 AND r.channel = m.channel AND r.external_id = m.external_id)
    ORDER BY m.received_at, m.inbox_id
    FOR UPDATE OF m SKIP LOCKED
""")
# Not marked as revised: a message that a later one replaced is superseded, not parked.
_CLAIM_PARKED = sa.text("""
    INSERT INTO claimed_messages (inbox_id, is_revised)
    SELECT m.inbox_id, false
    FROM orders.inbox AS m
    WHERE m.state = 'parked' AND m.kind = 'order' AND m.reason <> ALL(:refusals)
    FOR UPDATE OF m SKIP LOCKED
""")
# Newer by arrival, then by revision: a message overtaken on its way has the higher revision but is
# older news. Whatever state the newer one has, even parked, the older one is outdated.
_SUPERSEDE = sa.text("""
    WITH outdated AS (
        DELETE FROM claimed_messages AS c
        USING orders.inbox AS m
        WHERE c.is_revised AND m.inbox_id = c.inbox_id AND EXISTS (
            SELECT FROM orders.inbox AS newer
            WHERE newer.kind = 'order'
              AND newer.channel = m.channel AND newer.external_id = m.external_id
              AND (newer.received_at, newer.revision) > (m.received_at, m.revision))
        RETURNING c.inbox_id
    )
    UPDATE orders.inbox AS m SET state = 'superseded', reason = :reason, run_id = :run
    FROM outdated WHERE m.inbox_id = outdated.inbox_id
""")
_SUPERSEDE_PARKED = sa.text("""
    UPDATE orders.inbox AS older SET state = 'superseded', reason = :reason, run_id = :run
    FROM claimed_messages AS c JOIN orders.inbox AS m USING (inbox_id)
    WHERE c.is_revised AND older.state = 'parked' AND older.kind = 'order'
      AND older.channel = m.channel AND older.external_id = m.external_id
      AND (older.received_at, older.revision) < (m.received_at, m.revision)
    RETURNING older.inbox_id
""")
# After superseding, so that of several late messages the newest becomes the change.
_LATE = sa.text("""
    WITH late AS (
        DELETE FROM claimed_messages AS c
        USING orders.inbox AS m JOIN orders.orders AS o USING (channel, external_id)
        WHERE c.is_revised AND m.inbox_id = c.inbox_id
        RETURNING c.inbox_id
    )
    UPDATE orders.inbox AS m SET state = 'changing', reason = NULL, run_id = :run
    FROM late WHERE m.inbox_id = late.inbox_id
    RETURNING m.inbox_id
""")
_EDITS = sa.text("""
    SELECT o.order_id, m.inbox_id, CAST(:kind AS text) AS kind, '{}'::jsonb AS document,
        m.received_at AS requested_at, m.channel AS requested_by,
        'revision ' || m.revision AS reason, m.inbox_id AS revised_inbox_id
    FROM orders.inbox AS m JOIN orders.orders AS o USING (channel, external_id)
    WHERE m.inbox_id = ANY(:messages)
    ORDER BY m.received_at, m.inbox_id
""").columns(*(sa.column(name) for name in changes.REQUEST_COLUMNS))
# No problem holds ": ", so what stands before the first one is the problem, whatever follows.
_PARK = sa.text("""
    UPDATE orders.inbox AS m
    SET state = 'parked', reason = split_part(f.fault, ': ', 1), run_id = :run
    FROM faulty_messages AS f WHERE m.inbox_id = f.inbox_id
""")
_PARKED_ROWS = sa.text("""
    SELECT :source AS source, m.inbox_id AS row_number,
           m.channel || '/' || m.external_id AS subject, m.reason AS reason,
           substr(f.fault, length(m.reason) + 3) AS detail, m.payload AS row
    FROM faulty_messages AS f JOIN orders.inbox AS m USING (inbox_id)
    ORDER BY m.inbox_id
""").columns(*(sa.column(name) for name in quarantine.PARKED_COLUMNS))


def claim_pending(conn: sa.Connection, most: int) -> int:
    """Claim up to `most` pending messages, those that arrived first; returns how many."""
    open_empty(conn, CLAIMED, FAULTS)
    count = conn.execute(_CLAIM, {"most": most}).rowcount
    analyse(conn, sa.text("ANALYZE claimed_messages"), count)
    return count


def claim_revised(conn: sa.Connection) -> int:
    """Claim the pending orders among messages whose order has several; returns how many."""
    open_empty(conn, CLAIMED, FAULTS)
    return conn.execute(_CLAIM_REVISED).rowcount


def claim_parked(conn: sa.Connection) -> int:
    """Claim the parked messages that may be taken after all; returns how many.

    A change that was refused for what has become of its order stays refused, and nothing that the
    catalog learns mends a cancellation.
    """
    open_empty(conn, CLAIMED, FAULTS)
    given = {"refusals": [refusal.value for refusal in Refusal]}
    return conn.execute(_CLAIM_PARKED, given).rowcount


def settle_revisions(conn: sa.Connection, run: str) -> dict[str, int]:
    """Leave one message per order among the claimed ones: the newest, if no other was accepted.

    The newest message is the one that arrived last. Older ones that wait or were parked are
    superseded. A message about an order that was accepted before becomes an edit of it.

    Returns:
        Messages `superseded`, and those that became `edits`.
    """
    # Hardly any chunk has revisions; the statements below would search the inbox for nothing.
    if not conn.execute(sa.select(sa.exists().where(CLAIMED.c.is_revised))).scalar_one():
        return {"superseded": 0, "edits": 0}
    given = {"reason": SUPERSEDED_BY_REVISION, "run": run}
    superseded = conn.execute(_SUPERSEDE, given).rowcount
    replaced = list(conn.execute(_SUPERSEDE_PARKED, given).scalars())
    if replaced:
        solved = sa.select(INBOX.c.inbox_id).where(INBOX.c.inbox_id.in_(replaced))
        quarantine.settle(conn, SOURCE, solved)
    late = list(conn.execute(_LATE, {"run": run}).scalars())
    edits = changes.request(conn, _EDITS.bindparams(kind=ChangeKind.EDIT.value, messages=late))
    return {"superseded": superseded + len(replaced), "edits": edits}


def park_faulty(conn: sa.Connection, run: str) -> int:
    """Park the messages in `faulty_messages` and empty it; returns how many were parked."""
    parked = conn.execute(_PARK, {"run": run}).rowcount
    if parked:
        quarantine.park(conn, _PARKED_ROWS.bindparams(source=SOURCE), run)
    # The same transaction may park again: late revisions first, faulty documents after reading.
    conn.execute(sa.delete(FAULTS))
    return parked
