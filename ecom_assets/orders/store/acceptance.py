"""Turning pending messages into accepted orders, or parking them with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import sqlalchemy as sa

from ecom_assets.orders.model import ACCEPTANCE_VERSION
from ecom_assets.orders.store import cancellations, claims, validation
from ecom_assets.shared import flow
from ecom_assets.shared.journal import (
    DECISION_COLUMNS,
    EVENT_COLUMNS,
    record_decisions,
    record_events,
)
from ecom_assets.shared.states import open_states
from ecom_assets.shared.working import analyse, open_empty, working_table

ACCEPTED = working_table(
    "accepted_orders",
    sa.Column("order_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("inbox_id", sa.BigInteger, nullable=False),
)
"""Orders the step accepted."""

_FAULTS = sa.text("""
    INSERT INTO faulty_messages (inbox_id, fault)
    SELECT inbox_id, fault FROM read_messages WHERE fault IS NOT NULL
""")
# The order of insertion is the order of the ids: orders that are decided earlier have smaller ones,
# so that what follows is the same however often the run was killed. A worker that accepted the
# same order in this moment wins; our message then stays pending and is settled as a late revision.
_ORDERS = sa.text("""
    WITH accepted AS (
        INSERT INTO orders.orders (
            channel, external_id, revision, inbox_id, customer_key, customer_name, email, phone,
            placed_at, decided_as_of, promised_at, currency, items_minor, discount_minor,
            shipping_minor, tax_minor, total_minor, ship_to_name, ship_to_line1, ship_to_city,
            ship_to_region, ship_to_postal_code, ship_to_country, ship_to_latitude,
            ship_to_longitude, ip_address, device_id, run_id)
        SELECT
            i.channel, i.external_id, i.revision, i.inbox_id, m.customer_key, m.customer_name,
            m.customer_email, m.customer_phone, m.placed_at,
            greatest(m.placed_at, m.last_authorised_at) AS decided_as_of, m.promised_at,
            m.currency, m.items_minor, m.discount_minor, coalesce(m.shipping_minor, 0),
            m.tax_minor, m.items_minor - m.discount_minor + coalesce(m.shipping_minor, 0),
            m.ship_to_name, m.ship_to_line1, m.ship_to_city, m.ship_to_region,
            m.ship_to_postal_code, m.ship_to_country, m.ship_to_latitude, m.ship_to_longitude,
            m.context_ip_address, m.context_device_id, :run
        FROM read_messages AS m JOIN orders.inbox AS i USING (inbox_id)
        WHERE m.fault IS NULL
        ORDER BY decided_as_of, i.channel, i.external_id
        ON CONFLICT (channel, external_id) DO NOTHING
        RETURNING order_id, inbox_id
    )
    INSERT INTO accepted_orders (order_id, inbox_id) SELECT order_id, inbox_id FROM accepted
""")
# By order and line, so that ids do not depend on the order in which a document lists its lines.
_LINES = sa.text("""
    INSERT INTO orders.order_lines (
        order_id, line_no, sku, quantity, unit_price_minor, discount_minor, tax_minor,
        line_total_minor, seller)
    SELECT a.order_id, l.line_no, l.sku, l.quantity, l.unit_price_minor,
           coalesce(l.discount_minor, 0), coalesce(l.tax_minor, 0),
           l.quantity * l.unit_price_minor - coalesce(l.discount_minor, 0), l.seller
    FROM accepted_orders AS a JOIN read_lines AS l USING (inbox_id)
    ORDER BY a.order_id, l.line_no
""")
_MESSAGES = sa.text("""
    UPDATE orders.inbox AS m SET state = 'accepted', reason = NULL, run_id = :run
    FROM accepted_orders AS a WHERE m.inbox_id = a.inbox_id
""")
_STATES = sa.text("""
    SELECT o.order_id, o.decided_as_of AS changed_at
    FROM accepted_orders AS a JOIN orders.orders AS o USING (order_id)
""").columns(sa.column("order_id"), sa.column("changed_at"))
_EVENTS = sa.text("""
    SELECT o.order_id, o.decided_as_of AS happened_at,
           jsonb_build_object(
               'lines', m.lines, 'total_minor', o.total_minor, 'currency', o.currency) AS detail
    FROM accepted_orders AS a
    JOIN orders.orders AS o USING (order_id)
    JOIN read_messages AS m ON m.inbox_id = a.inbox_id
    ORDER BY o.order_id
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))
DECISIONS = sa.text("""
    SELECT o.order_id, '' AS subject,
           jsonb_build_object(
               'payload_hash', i.payload_hash, 'revision', o.revision, 'lines', m.lines,
               'items_minor', o.items_minor, 'discount_minor', o.discount_minor,
               'shipping_minor', o.shipping_minor, 'total_minor', o.total_minor,
               'stated_total_minor', m.total_minor, 'currency', o.currency) AS inputs,
           :version AS version, 'accepted' AS outcome, '{}'::text[] AS reasons,
           o.decided_as_of AS decided_as_of
    FROM accepted_orders AS a
    JOIN orders.orders AS o USING (order_id)
    JOIN orders.inbox AS i ON i.inbox_id = a.inbox_id
    JOIN read_messages AS m ON m.inbox_id = a.inbox_id
    ORDER BY o.order_id
""").columns(*(sa.column(name) for name in DECISION_COLUMNS))
_DUE = sa.text("""
    SELECT o.order_id, o.decided_as_of AS due_at
    FROM accepted_orders AS a JOIN orders.orders AS o USING (order_id)
    ORDER BY o.order_id
""").columns(sa.column("order_id"), sa.column("due_at"))


def accept_pending(
    begin: Callable[[], AbstractContextManager[sa.Connection]],
    run: str,
    progress: Callable[[str], object] | None = None,
    chunk: int = flow.CHUNK,
) -> Counter[str]:
    """Accept or park every pending message, a chunk per transaction.

    Args:
        begin: opens a transaction that commits on success (`DatabaseResource.begin`).
        run: Dagster run id.
        progress: told after each chunk, in a short line.
        chunk: messages per transaction.

    Returns:
        Counts of `messages`, of which `accepted`, `parked`, `superseded` and `edits` of accepted
        orders (and, where orders have cancellations, `cancels` of accepted ones, `applied` and
        `waiting`), and of `lines`.
    """
    totals: Counter[str] = Counter(messages=0, accepted=0, lines=0, parked=0, superseded=0, edits=0)
    while True:
        with begin() as conn:
            claimed = claims.claim_pending(conn, chunk)
            # Nothing claimed is not nothing pending: another worker may hold the rest, and ends it.
            if not claimed:
                return totals
            counts = accept_claimed(conn, run)
        totals.update(counts)
        totals["messages"] += claimed
        # Every message belongs to an order of which another worker holds a part, and ends it.
        if claimed + counts["messages"] == 0:
            return totals
        if progress:
            progress(f"inbox: {totals['messages']:,} messages, {totals['accepted']:,} accepted")


def accept_once(conn: sa.Connection, run: str, most: int) -> Counter[str]:
    """Accept or park up to `most` pending messages in the given transaction.

    Returns:
        The counts of `accept_pending`.
    """
    claimed = claims.claim_pending(conn, most)
    counts = accept_claimed(conn, run) if claimed else Counter()
    # Added: messages of orders that another worker is at are counted off.
    counts["messages"] += claimed
    return counts


def accept_claimed(conn: sa.Connection, run: str) -> Counter[str]:
    """Accept or park the claimed messages in the transaction that claimed them."""
    # Cancellations first, for they end whole orders; revisions before reading, for an outdated
    # message must not be parked for its faults.
    counts = Counter(cancelled := cancellations.settle_cancellations(conn, run))
    counts.update(claims.settle_revisions(conn, run))
    validation.read_claimed(conn)
    conn.execute(_FAULTS)
    counts["parked"] += claims.park_faulty(conn, run)
    open_empty(conn, ACCEPTED)
    counts["accepted"] = conn.execute(_ORDERS, {"run": run}).rowcount
    if counts["accepted"]:
        analyse(conn, sa.text("ANALYZE accepted_orders"), counts["accepted"])
        counts["lines"] = conn.execute(_LINES).rowcount
        conn.execute(_MESSAGES, {"run": run})
        _record(conn, run)
        if cancelled:
            handed = cancellations.hand_over_accepted(conn, run)
            counts.update(cancels=handed, waiting=-handed)
    return counts


def _record(conn: sa.Connection, run: str) -> None:
    open_states(conn, _STATES)
    record_events(conn, "order_accepted", _EVENTS, run)
    decisions = DECISIONS.bindparams(version=ACCEPTANCE_VERSION)
    record_decisions(conn, "order_acceptance", decisions, run)
    # Last, but in the same transaction: no stage can see an order without its states.
    flow.hand_on(conn, flow.FIRST, _DUE)
