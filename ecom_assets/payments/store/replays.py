"""Payment states of a past range by another tolerance, from what the ledger kept of each match."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from ecom_assets.payments.rules import PaymentPolicy

# Reference: rules.match; the same cases as the live statement in `matching`.
_MATCH = sa.text("""
    INSERT INTO replay_payments
    SELECT DISTINCT ON (l.order_id) l.order_id,
        CASE WHEN abs(m.authorised_minor - m.due_minor)
                <= greatest(:least_minor, :per_tender_minor * m.tenders) THEN 'authorised'
            WHEN m.authorised_minor > m.due_minor THEN 'overpaid'
            WHEN m.tenders = 0 OR m.pending_minor > 0 THEN 'awaiting'
            ELSE 'underpaid' END
    FROM replay_range AS r
    JOIN decisions.ledger AS l USING (order_id)
    CROSS JOIN LATERAL jsonb_to_record(l.inputs) AS m (
        due_minor bigint, authorised_minor bigint, pending_minor bigint, tenders integer
    )
    WHERE l.kind = 'payment_match'
    ORDER BY l.order_id, l.attempt DESC
""")


def match_anew(conn: sa.Connection, policy: PaymentPolicy) -> int:
    """Match the tenders of `replay_range` by another tolerance; nothing live is written.

    Returns:
        How many orders were matched.
    """
    return conn.execute(_MATCH, asdict(policy)).rowcount
