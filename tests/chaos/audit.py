"""What must hold when all is over: nothing lost, nothing decided twice, nothing left half-done."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ecom_assets.orders.store import figures
from ecom_assets.quality.comparisons import COMPARISONS
from ecom_assets.shared.flow import waiting
from fixtures.stock_truth import wrong_stock

_GIVEN = sa.text("""
    CREATE TEMPORARY TABLE given (channel text, external_id text) ON COMMIT DROP
""")
_ASKED = sa.text("CREATE TEMPORARY TABLE asked (reason text) ON COMMIT DROP")

# `subject` is what a person can look up with `ecom order` or in the table named.
QUESTIONS: dict[str, str] = {
    "received and lost": """
        SELECT channel || '/' || external_id AS subject FROM given
        EXCEPT SELECT channel || '/' || external_id FROM orders.inbox""",
    "in the inbox and never received": """
        SELECT channel || '/' || external_id AS subject FROM orders.inbox
        EXCEPT SELECT channel || '/' || external_id FROM given""",
    "received twice": """
        SELECT channel || '/' || external_id AS subject FROM orders.inbox AS i
        WHERE NOT EXISTS (SELECT FROM orders.changes AS c WHERE c.revised_inbox_id = i.inbox_id)
        GROUP BY channel, external_id HAVING count(*) > 1""",
    "neither accepted nor parked": """
        SELECT channel || '/' || external_id AS subject FROM orders.inbox
        WHERE state = 'pending'""",
    "accepted and never decided": """
        SELECT s.order_id::text AS subject FROM flow.order_states AS s
        WHERE s.hold_state = 'none' AND s.fulfilment_state <> 'cancelled' AND (
            s.payment_state = 'unchecked' OR s.risk_state = 'undecided'
            OR s.risk_state = 'accepted' AND s.fulfilment_state = 'new')""",
    # Only what was changed, stands in vain or ran out may be decided again, and attempts count up.
    "decided twice": """
        WITH decided AS (
            SELECT order_id, kind, subject, count(*) AS times, max(attempt) AS last
            FROM decisions.ledger GROUP BY order_id, kind, subject
        ), of_order AS (
            SELECT order_id,
                count(*) FILTER (WHERE kind = 'order_acceptance') AS begun,
                count(*) FILTER (WHERE kind = 'reservation') AS reserved,
                count(*) FILTER (WHERE kind = 'reservation' AND outcome = 'backordered') AS in_vain
            FROM decisions.ledger GROUP BY order_id
        ), ran_out AS (
            SELECT order_id, count(*) AS times FROM decisions.timeline
            WHERE event = 'reservation_expired' GROUP BY order_id
        ), changed AS (
            SELECT order_id, count(*) AS asked, count(*) FILTER (WHERE state = 'applied') AS times
            FROM orders.changes GROUP BY order_id
        )
        SELECT d.kind || ' of order ' || d.order_id AS subject FROM decided AS d
        JOIN of_order AS o USING (order_id)
        LEFT JOIN ran_out AS r USING (order_id) LEFT JOIN changed AS c USING (order_id)
        WHERE d.last <> d.times OR d.times > CASE
            WHEN d.kind = 'order_acceptance' THEN 1 + coalesce(c.times, 0)
            -- A change is decided when it begins, and again when it has ended.
            WHEN d.kind = 'order_change' THEN coalesce(c.asked + c.times, 0)
            WHEN d.kind = 'money_return' THEN coalesce(c.asked, 0)
            WHEN d.kind = 'reservation' THEN o.begun + o.in_vain + coalesce(r.times, 0)
            WHEN d.kind IN ('allocation', 'carrier_choice') THEN o.reserved - o.in_vain
            ELSE o.begun END""",
    "told twice": """
        SELECT t.event || ' of order ' || t.order_id AS subject FROM decisions.timeline AS t
        WHERE t.event IN ('order_accepted', 'order_cancelled', 'invoice_issued')
        GROUP BY t.event, t.order_id HAVING count(*) > 1
        UNION ALL
        SELECT 'parcel of order ' || t.order_id FROM decisions.timeline AS t
        WHERE t.event = 'parcel_handed_over' GROUP BY t.order_id
        HAVING count(*) <> (
            SELECT count(*) FROM transport.shipments AS s WHERE s.order_id = t.order_id)""",
    "paid twice": """
        SELECT provider_reference AS subject FROM payments.transactions
        WHERE provider_reference IS NOT NULL
        GROUP BY provider_reference, order_id HAVING count(*) > 1
        UNION ALL
        SELECT 'order ' || o.order_id
        FROM orders.orders AS o JOIN orders.inbox AS i USING (inbox_id)
        WHERE jsonb_array_length(i.payload -> 'payments') <> (
            SELECT count(*) FROM payments.transactions AS t WHERE t.order_id = o.order_id)
            AND NOT EXISTS (
                SELECT FROM flow.order_states AS s
                WHERE s.order_id = o.order_id AND s.fulfilment_state = 'cancelled')""",
    "planned to be sent twice": """
        SELECT idempotency_key AS subject FROM effects.outbox
        GROUP BY idempotency_key HAVING count(*) > 1
        UNION ALL
        SELECT 'confirmation of order ' || order_id FROM effects.outbox
        WHERE idempotency_key::jsonb ->> 0 = 'order_confirmed'
        GROUP BY order_id HAVING count(*) > 1""",
    "asked for and lost": """
        SELECT reason AS subject FROM asked EXCEPT SELECT reason FROM orders.changes""",
    "asked for twice": """
        SELECT reason AS subject FROM orders.changes GROUP BY reason HAVING count(*) > 1""",
    "changed by halves": """
        SELECT reason AS subject FROM orders.changes WHERE state IN ('pending', 'started')""",
}
"""Queries that find what is wrong; each returns one row per `subject`."""


def still_waits(conn: sa.Connection) -> dict[str, int]:
    """What some run must still advance, by stage; messages and changes included."""
    found = figures.waiting(conn)
    waits = {"messages": found.messages, "changes": found.changes, **waiting(conn)}
    return {name: count for name, count in waits.items() if count}


def violations(
    conn: sa.Connection, received: Sequence[tuple[str, str]], requested: Sequence[str]
) -> dict[str, list[str]]:
    """Everything that does not hold, by what is wrong.

    Args:
        conn: connection inside a transaction that sees one moment (REPEATABLE READ).
        received: (channel, external id) of every order that was committed.
        requested: reasons of every change that was committed.
    """
    _take(conn, received, requested)
    found = {
        name: list(conn.execute(sa.text(query)).scalars()) for name, query in QUESTIONS.items()
    }
    for item in COMPARISONS:
        rows = conn.execute(sa.text(item.query)).tuples()
        found[item.name] = [f"{subject}: {detail}" for subject, differs, detail in rows if differs]
    found["stock"] = [str(row) for row in wrong_stock(conn)]
    found["left waiting"] = [f"{count} x {name}" for name, count in still_waits(conn).items()]
    return {name: subjects for name, subjects in found.items() if subjects}


def _take(
    conn: sa.Connection, received: Sequence[tuple[str, str]], requested: Sequence[str]
) -> None:
    conn.execute(_GIVEN)
    conn.execute(_ASKED)
    if received:
        rows = [{"channel": channel, "external_id": name} for channel, name in received]
        conn.execute(sa.text("INSERT INTO given VALUES (:channel, :external_id)"), rows)
    if requested:
        asked = [{"reason": reason} for reason in requested]
        conn.execute(sa.text("INSERT INTO asked VALUES (:reason)"), asked)
