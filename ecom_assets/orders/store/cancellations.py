"""What a cancellation does to an order that is not accepted yet, whichever of the two came first.

An order cancelled as a whole is never decided, and a partial cancellation waits until its order is
accepted. A cancellation of an accepted order becomes a change of it. A worker decides about an
order with cancellations only while it holds all its messages that still wait; what another worker
holds is left for a later claim. So it does not matter who commits first, and nobody waits for
anybody.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.orders.model import CANCELLED_BEFORE_ACCEPTANCE
from ecom_assets.orders.store import changes, claims
from ecom_assets.orders.store.cancelled import read_cancellations
from ecom_assets.orders.store.claims import CLAIMED
from ecom_assets.orders.tables import INBOX
from ecom_assets.shared import quarantine
from ecom_assets.shared.working import open_empty, working_table

CONTESTED = working_table(
    "contested_orders",
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("external_id", sa.Text, primary_key=True),
    sa.Column("is_cancelled", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""Orders of claimed messages that have cancellations; `is_cancelled` says before acceptance."""

CANCELLATIONS = working_table(
    "claimed_cancellations",
    sa.Column("inbox_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("is_whole", sa.Boolean, nullable=False),
    sa.Column("fault", sa.Text),
)
"""Cancellations the step holds."""

_CONTESTED = sa.text("""
    INSERT INTO contested_orders (channel, external_id)
    SELECT DISTINCT m.channel, m.external_id
    FROM claimed_messages AS c JOIN orders.inbox AS m USING (inbox_id)
    WHERE c.is_revised AND EXISTS (
        SELECT FROM orders.inbox AS x
        WHERE x.kind = 'cancellation' AND x.state IN ('pending', 'waiting', 'applied')
          AND x.channel = m.channel AND x.external_id = m.external_id)
""")
_CLAIM_THE_REST = sa.text("""
    INSERT INTO claimed_messages (inbox_id, is_revised)
    SELECT m.inbox_id, true
    FROM contested_orders AS o JOIN orders.inbox AS m USING (channel, external_id)
    WHERE m.state IN ('pending', 'waiting')
      AND NOT EXISTS (SELECT FROM claimed_messages AS c WHERE c.inbox_id = m.inbox_id)
    FOR UPDATE OF m SKIP LOCKED
""")
_LEAVE = sa.text("""
    WITH held_by_others AS (
        DELETE FROM contested_orders AS o USING orders.inbox AS m
        WHERE (m.channel, m.external_id) = (o.channel, o.external_id)
          AND m.state IN ('pending', 'waiting')
          AND NOT EXISTS (SELECT FROM claimed_messages AS c WHERE c.inbox_id = m.inbox_id)
        RETURNING o.channel, o.external_id
    )
    DELETE FROM claimed_messages AS c USING orders.inbox AS m
    WHERE m.inbox_id = c.inbox_id
      AND (m.channel, m.external_id) IN (SELECT channel, external_id FROM held_by_others)
""")
_FAULTS = sa.text("""
    WITH faulty AS (DELETE FROM claimed_cancellations WHERE fault IS NOT NULL RETURNING *)
    INSERT INTO faulty_messages (inbox_id, fault) SELECT inbox_id, fault FROM faulty
""")
_OF_ACCEPTED = sa.text("""
    SELECT m.inbox_id, m.channel, m.external_id, m.received_at, m.payload
    FROM claimed_cancellations AS c
    JOIN orders.inbox AS m USING (inbox_id)
    JOIN orders.orders AS o ON (o.channel, o.external_id) = (c.channel, c.external_id)
    ORDER BY m.received_at, m.inbox_id
""").columns(
    *(INBOX.c[name] for name in ("inbox_id", "channel", "external_id", "received_at", "payload"))
)
_CHANGING = sa.text("""
    UPDATE orders.inbox AS m SET state = 'changing', reason = NULL, run_id = :run
    FROM claimed_cancellations AS c
    JOIN orders.orders AS o ON (o.channel, o.external_id) = (c.channel, c.external_id)
    WHERE m.inbox_id = c.inbox_id
""")
_FORGET_ACCEPTED = sa.text("""
    DELETE FROM claimed_cancellations AS c USING orders.orders AS o
    WHERE (o.channel, o.external_id) = (c.channel, c.external_id)
""")
# Whether the order's message was sent before its cancellation or long after makes no difference: a
# channel tells of a cancelled order again, but does not bring it back to life.
_CANCEL = sa.text("""
    UPDATE contested_orders AS o SET is_cancelled = true
    WHERE NOT EXISTS (
        SELECT FROM orders.orders AS known
        WHERE (known.channel, known.external_id) = (o.channel, o.external_id))
    AND (
        EXISTS (
            SELECT FROM claimed_cancellations AS c
            WHERE c.is_whole AND (c.channel, c.external_id) = (o.channel, o.external_id))
        OR EXISTS (
            SELECT FROM orders.inbox AS x
            WHERE x.kind = 'cancellation' AND x.state = 'applied'
              AND (x.channel, x.external_id) = (o.channel, o.external_id)))
""")
# A parked message that somebody else holds is put back to pending or superseded by him; either way
# it is never decided, since the applied cancellation is found with it.
_SUPERSEDE_ORDERS = sa.text("""
    UPDATE orders.inbox SET state = 'superseded', reason = :reason, run_id = :run
    WHERE inbox_id IN (
        SELECT m.inbox_id
        FROM contested_orders AS o JOIN orders.inbox AS m USING (channel, external_id)
        WHERE o.is_cancelled AND m.kind = 'order' AND m.state IN ('pending', 'parked')
        FOR UPDATE OF m SKIP LOCKED)
    RETURNING inbox_id
""")
_SETTLE_CANCELLATIONS = sa.text("""
    WITH decided AS (
        SELECT c.inbox_id, c.is_whole, o.is_cancelled AND EXISTS (
            SELECT FROM orders.inbox AS m
            WHERE m.kind = 'order' AND (m.channel, m.external_id) = (o.channel, o.external_id)
        ) AS is_over
        FROM claimed_cancellations AS c JOIN contested_orders AS o USING (channel, external_id)
    )
    UPDATE orders.inbox AS m
    SET state = CASE
            WHEN NOT d.is_over THEN 'waiting' WHEN d.is_whole THEN 'applied' ELSE 'superseded' END,
        reason = CASE WHEN d.is_over AND NOT d.is_whole THEN :reason END,
        run_id = :run
    FROM decided AS d WHERE m.inbox_id = d.inbox_id
    RETURNING m.state
""")


def settle_cancellations(conn: sa.Connection, run: str) -> dict[str, int]:
    """Decide about the claimed cancellations and take the orders they end from the claimed ones.

    The messages of an order cancelled as a whole are superseded, its cancellation is applied. A
    cancellation of an unknown order, or of parts of one that is not accepted yet, waits.

    Returns:
        Counts of `messages` claimed besides (or, negative, left to others), and of messages
        `superseded`, `parked`, `applied`, `waiting` and made changes of accepted orders
        (`cancels`); empty where no order has cancellations.
    """
    # Hardly any chunk has any; the statements below would search the inbox for nothing.
    if not conn.execute(sa.select(sa.exists().where(CLAIMED.c.is_revised))).scalar_one():
        return {}
    open_empty(conn, CONTESTED, CANCELLATIONS)
    if not conn.execute(_CONTESTED).rowcount:
        return {}
    more = conn.execute(_CLAIM_THE_REST).rowcount
    left = conn.execute(_LEAVE).rowcount
    read_cancellations(conn, CANCELLATIONS)
    is_cancellation = CLAIMED.c.inbox_id.in_(sa.select(CANCELLATIONS.c.inbox_id))
    conn.execute(sa.delete(CLAIMED).where(is_cancellation))
    conn.execute(_FAULTS)
    parked = claims.park_faulty(conn, run)
    handed = hand_over_accepted(conn, run)
    settled = _settle(conn, run)
    return {"messages": more - left, "parked": parked, "cancels": handed, **settled}


def _settle(conn: sa.Connection, run: str) -> dict[str, int]:
    conn.execute(_CANCEL)
    given = {"reason": CANCELLED_BEFORE_ACCEPTANCE, "run": run}
    ended = list(conn.execute(_SUPERSEDE_ORDERS, given).scalars())
    conn.execute(sa.delete(CLAIMED).where(CLAIMED.c.inbox_id.in_(ended)))
    solved = sa.select(INBOX.c.inbox_id).where(INBOX.c.inbox_id.in_(ended))
    quarantine.settle(conn, claims.SOURCE, solved)
    states = list(conn.execute(_SETTLE_CANCELLATIONS, given).scalars())
    return {
        "superseded": len(ended) + states.count("superseded"),
        "applied": states.count("applied"),
        "waiting": states.count("waiting"),
    }


def hand_over_accepted(conn: sa.Connection, run: str) -> int:
    """Make changes of the cancellations held whose orders are accepted; returns how many."""
    count = changes.requests_from_cancellations(conn, _OF_ACCEPTED)
    conn.execute(_CHANGING, {"run": run})
    conn.execute(_FORGET_ACCEPTED)
    return count
