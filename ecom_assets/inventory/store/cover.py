"""What stock does not cover: outward moves of `posting` that may not leave, and their other halves.

The caller holds the positions of all SKUs in `posting`.
"""

from __future__ import annotations

import sqlalchemy as sa

# Refused is every outward move at which the running balance of *all* moves of the feed is below
# what may leave. Leaving refused moves out only raises the balance, so what is accepted fits.
_SHORT_AT_SITE = sa.text("""
    WITH running AS (
        SELECT m.ctid AS posting_row, m.quantity,
            coalesce(b.on_hand + b.sold - coalesce(l.allocated, 0), 0) + sum(m.quantity) OVER (
                PARTITION BY m.sku, m.site_code
                ORDER BY m.moved_at, m.quantity DESC, m.kind, m.reference
                ROWS UNBOUNDED PRECEDING
            ) AS free
        FROM posting AS m
        LEFT JOIN inventory.balances AS b ON b.sku = m.sku AND b.site_code = m.site_code
        LEFT JOIN warehouse.site_loads AS l ON l.sku = m.sku AND l.site_code = m.site_code
        WHERE m.reason IS NULL
    )
    UPDATE posting SET reason = 'negative_balance'
    FROM running
    WHERE posting.ctid = running.posting_row AND running.quantity < 0 AND running.free < 0
""")
# Units are promised per SKU before a site is chosen, so both the site and the whole must cover.
_SHORT_OF_PROMISES = sa.text("""
    WITH running AS (
        SELECT m.ctid AS posting_row, m.quantity,
            p.on_hand - p.reserved + sum(m.quantity) OVER (
                PARTITION BY m.sku
                ORDER BY m.moved_at, m.quantity DESC, m.kind, m.reference, m.site_code
                ROWS UNBOUNDED PRECEDING
            ) AS free
        FROM posting AS m
        JOIN inventory.positions AS p ON p.sku = m.sku
        WHERE m.reason IS NULL
    )
    UPDATE posting SET reason = 'negative_balance'
    FROM running
    WHERE posting.ctid = running.posting_row AND running.quantity < 0 AND running.free < 0
""")
# Half a transfer or assembly would make stock out of nothing or lose it: its moves fall together.
_OTHER_HALVES = sa.text("""
    UPDATE posting AS half SET reason = 'negative_balance'
    FROM posting AS other
    WHERE half.kind IN ('transfer', 'assembly') AND half.reason IS NULL
        AND other.kind = half.kind AND other.reason = 'negative_balance'
        AND other.reference = half.reference
        AND (other.sku = half.sku OR half.kind = 'assembly')
""")


def refuse_uncovered(conn: sa.Connection) -> None:
    """Refuse outward moves that the stock does not cover, with what belongs to them.

    Refusing the inward half of one may uncover another move, hence the loop; each turn
    refuses at least one more move.
    """
    while True:
        conn.execute(_SHORT_AT_SITE)
        conn.execute(_SHORT_OF_PROMISES)
        if not conn.execute(_OTHER_HALVES).rowcount:
            return
