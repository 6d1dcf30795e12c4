"""Comparison of a staged feed with the ledger: what differs, and what may not be applied.

A row whose text is the number on hand, and whose balance has not moved since the feed's moment, is
done with in one join. Only the others are looked at closely, so cost follows the change.

The level of a feed is compared with what the ledger says was there at the feed's own moment: what
is on hand, less what moved since, less parcels that had left by then and are not posted yet.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.inventory.model import Feed, FeedKind

_OPEN = (
    # Joins of a large feed fit into memory then; for this transaction only.
    sa.text("SELECT set_config('work_mem', '128MB', true)"),
    sa.text("DROP TABLE IF EXISTS feed_difference, feed_move"),
    # One row per row of the feed that needs a look, and one per SKU that a snapshot leaves out.
    sa.text("""
        CREATE TEMPORARY TABLE feed_difference (
            place tid, row_no bigint, sku text, pieces bigint, reason text, detail text,
            is_absent boolean, is_new boolean, is_repeat boolean
        ) ON COMMIT DROP
    """),
    # One row per SKU that may have to move.
    sa.text("""
        CREATE TEMPORARY TABLE feed_move (sku text, quantity bigint, reason text) ON COMMIT DROP
    """),
)

_SNAPSHOT = sa.text("""
    INSERT INTO feed_difference (
        place, row_no, sku, pieces, reason, detail, is_absent, is_new, is_repeat
    )
    SELECT f.ctid, f.row_no, coalesce(btrim(f.sku), b.sku),
        CASE WHEN f.ctid IS NULL THEN 0 WHEN f.unit IS NULL AND f.quantity ~ '^[0-9]{1,9}$'
            THEN CAST(f.quantity AS bigint) END,
        split_part(f.problem, ': ', 1), f.problem, f.ctid IS NULL, b.sku IS NULL, false
    FROM stock_feed AS f
    FULL JOIN (
        SELECT sku, on_hand, moved_at FROM inventory.balances WHERE site_code = :site
    ) AS b ON b.sku = btrim(f.sku)
    WHERE CASE WHEN f.ctid IS NULL THEN b.on_hand <> 0 OR b.moved_at > :as_of
        ELSE b.sku IS NULL OR f.unit IS NOT NULL OR b.moved_at > :as_of
            OR f.quantity IS DISTINCT FROM CAST(b.on_hand AS text) END
""")
_DELTA = sa.text("""
    INSERT INTO feed_difference (
        place, row_no, sku, pieces, reason, detail, is_absent, is_new, is_repeat
    )
    SELECT f.ctid, f.row_no, btrim(f.sku),
        CASE WHEN f.unit IS NULL AND f.quantity ~ '^[0-9]{1,9}$'
            THEN CAST(f.quantity AS bigint) END,
        split_part(f.problem, ': ', 1), f.problem, false, b.sku IS NULL, false
    FROM stock_feed AS f
    LEFT JOIN inventory.balances AS b ON b.sku = btrim(f.sku) AND b.site_code = :site
    WHERE b.sku IS NULL OR f.unit IS NOT NULL OR b.moved_at > :as_of
        OR f.quantity IS DISTINCT FROM CAST(b.on_hand AS text)
""")
_CHANGES = sa.text("""
    INSERT INTO feed_difference (
        place, row_no, sku, pieces, reason, detail, is_absent, is_new, is_repeat
    )
    SELECT f.ctid, f.row_no, btrim(f.sku),
        CASE WHEN f.unit IS NULL AND f.change ~ '^[-+]?[0-9]{1,9}$'
            THEN CAST(f.change AS bigint) END,
        split_part(f.problem, ': ', 1), f.problem, false, b.sku IS NULL, false
    FROM stock_feed AS f
    LEFT JOIN inventory.balances AS b ON b.sku = btrim(f.sku) AND b.site_code = :site
""")
_COMPARE = {
    FeedKind.SNAPSHOT: _SNAPSHOT, FeedKind.DELTA: _DELTA, FeedKind.CHANGES: _CHANGES,
}  # fmt: skip

_TOLD = sa.text("SELECT count(*) FROM feed_difference WHERE NOT is_absent")

# A SKU that differs may have a further row that does not: the two contradict each other.
_OTHER_ROWS = sa.text("""
    INSERT INTO feed_difference
    SELECT f.ctid, f.row_no, btrim(f.sku), CAST(f.quantity AS bigint), NULL, NULL, false, false,
        false
    FROM stock_feed AS f
    JOIN inventory.balances AS b ON b.sku = btrim(f.sku) AND b.site_code = :site
    WHERE btrim(f.sku) IN (SELECT sku FROM feed_difference WHERE NOT is_absent)
        AND f.unit IS NULL AND b.moved_at <= :as_of AND f.quantity = CAST(b.on_hand AS text)
""")

# What is no plain number of pieces: other units, 5.0 for 5, or nothing that could be counted.
_IN_WORDS = sa.text("""
    WITH read AS (
        SELECT d.place, d.sku, nullif(lower(btrim(f.unit)), '') AS unit,
            nullif(btrim(CASE WHEN CAST(:is_changes AS boolean) THEN f.change ELSE f.quantity END),
                '') AS said
        FROM feed_difference AS d JOIN stock_feed AS f ON f.ctid = d.place
        WHERE d.pieces IS NULL AND d.reason IS NULL
    ), counted AS (
        SELECT r.place, r.sku, r.unit, r.said, u.pieces AS per_unit,
            CASE WHEN r.said ~ '^[-+]?[0-9]{1,9}([.]0*)?$'
                THEN CAST(split_part(r.said, '.', 1) AS bigint) END AS number
        FROM read AS r
        LEFT JOIN inventory.units AS u ON u.sku = r.sku AND u.unit = r.unit
    ), judged AS (
        SELECT *, unit IS NULL OR unit IN ('piece', 'pieces', 'pc', 'pcs', 'each', 'ea', 'unit')
            AS in_pieces
        FROM counted
    )
    UPDATE feed_difference AS d
    SET pieces = CASE WHEN j.in_pieces THEN j.number ELSE j.number * j.per_unit END,
        reason = CASE
            WHEN j.sku IS NULL OR j.sku = '' THEN 'missing_sku'
            WHEN j.said IS NULL THEN 'missing_quantity'
            WHEN j.number IS NULL THEN 'bad_quantity'
            WHEN j.number < 0 AND NOT CAST(:is_changes AS boolean) THEN 'negative_quantity'
            WHEN NOT j.in_pieces AND j.per_unit IS NULL THEN 'unit_mismatch'
        END,
        detail = CASE
            WHEN j.sku IS NULL OR j.sku = '' THEN 'sku: empty'
            WHEN j.said IS NULL THEN 'quantity: empty'
            WHEN j.number IS NULL THEN concat('quantity: not a whole number: ', left(j.said, 80))
            WHEN j.number < 0 AND NOT CAST(:is_changes AS boolean)
                THEN concat('quantity: below zero: ', j.said)
            WHEN NOT j.in_pieces AND j.per_unit IS NULL
                THEN concat('unit: no conversion of ', j.unit, ' to pieces for this SKU')
        END
    FROM judged AS j WHERE j.place = d.place
""")
_WRONG = (
    sa.text("""
        UPDATE feed_difference SET reason = 'missing_sku', detail = 'sku: empty'
        WHERE reason IS NULL AND NOT is_absent AND (sku IS NULL OR sku = '')
    """),
    sa.text("""
        UPDATE feed_difference SET reason = 'quantity_out_of_range',
            detail = concat('quantity: beyond 100 million pieces: ', pieces)
        WHERE reason IS NULL AND pieces NOT BETWEEN -100000000 AND 100000000
    """),
    sa.text("""
        UPDATE feed_difference AS d SET reason = 'unknown_sku',
            detail = 'sku: not in catalog.products'
        WHERE d.is_new AND d.reason IS NULL
            AND NOT EXISTS (SELECT FROM catalog.products AS p WHERE p.sku = d.sku)
    """),
)
# Said twice alike is said once; said twice differently, nobody knows which is right.
_TWICE = sa.text("""
    WITH twice AS (
        SELECT sku, min(place) AS first, min(pieces) <> max(pieces) AS differ
        FROM feed_difference WHERE reason IS NULL AND NOT is_absent
        GROUP BY sku HAVING count(*) > 1
    )
    UPDATE feed_difference AS d
    SET is_repeat = NOT t.differ AND d.place <> t.first,
        reason = CASE WHEN t.differ THEN 'contradicting_rows' END,
        detail = CASE WHEN t.differ THEN 'quantity: rows of one SKU differ' END
    FROM twice AS t WHERE t.sku = d.sku AND d.reason IS NULL AND NOT d.is_absent
""")

# Changes add up, so all rows of a SKU go together: a feed that comes again for the sake of those
# that were parked must not move the others twice.
_TOGETHER = (
    sa.text("""
        UPDATE feed_difference AS d SET reason = 'other_row_parked',
            detail = 'sku: another row of this SKU is wrong'
        WHERE d.reason IS NULL
            AND d.sku IN (SELECT sku FROM feed_difference WHERE reason IS NOT NULL)
    """),
    sa.text("""
        UPDATE feed_difference AS d SET is_repeat = true
        WHERE d.reason IS NULL AND EXISTS (
            SELECT FROM inventory.feed_syncs AS s
            JOIN inventory.movements AS m
                ON m.kind = 'adjustment' AND m.reference = 'feed:' || s.sync_id
                AND m.sku = d.sku AND m.site_code = s.site_code
            WHERE s.site_code = :site AND s.feed_key = :key
        )
    """),
)

# The one order in which stock is locked; a statement of its own, so that the next sees what was
# committed before the locks were granted.
_LOCK = sa.text("""
    INSERT INTO inventory.positions AS p (sku, on_hand, reserved)
    SELECT DISTINCT sku, 0, 0 FROM feed_difference
    WHERE reason IS NULL AND NOT is_repeat AND NOT (is_new AND pieces = 0)
    ORDER BY sku
    ON CONFLICT (sku) DO UPDATE SET on_hand = p.on_hand WHERE false
""")

# The same where all SKUs have a position, which is cheaper; it makes none.
_LOCK_KNOWN = sa.text("""
    SELECT count(*) FROM (
        SELECT FROM inventory.positions
        WHERE sku IN (SELECT sku FROM feed_difference WHERE reason IS NULL AND NOT is_repeat)
        ORDER BY sku FOR UPDATE
    ) AS held
""")
_HAS_NEW = sa.text("SELECT EXISTS (SELECT FROM feed_difference WHERE is_new AND reason IS NULL)")

_MOVES = sa.text("""
    WITH moved_since AS (
        SELECT sku, sum(quantity) AS units FROM inventory.movements
        WHERE site_code = :site AND moved_at > :as_of AND NOT CAST(:is_changes AS boolean)
        GROUP BY sku
    ), left_unposted AS (
        SELECT a.sku, sum(a.quantity) AS units
        FROM flow.pending AS w
        JOIN transport.shipments AS s ON s.order_id = w.order_id AND s.site_code = :site
        JOIN orders.orders AS o ON o.order_id = w.order_id
        JOIN warehouse.allocations AS a ON a.order_id = w.order_id AND a.site_code = :site
        WHERE w.stage = 'post_sale' AND s.shipped_at <= :as_of
            AND NOT CAST(:is_changes AS boolean) AND NOT EXISTS (
                SELECT FROM inventory.movements AS m
                WHERE m.kind = 'sale' AND m.sku = a.sku AND m.site_code = :site
                    AND m.reference = 'order:' || o.channel || '/' || o.external_id
            )
        GROUP BY a.sku
    ), wanted AS (
        SELECT sku, pieces FROM feed_difference
        WHERE reason IS NULL AND NOT is_repeat AND NOT (is_new AND pieces = 0)
            AND NOT CAST(:is_changes AS boolean)
        UNION ALL
        -- Levels are of one row per SKU by now, changes add up.
        SELECT sku, sum(pieces) FROM feed_difference
        WHERE reason IS NULL AND NOT is_repeat AND CAST(:is_changes AS boolean)
        GROUP BY sku
    ), compared AS (
        SELECT w.sku, coalesce(b.on_hand, 0) AS on_hand, coalesce(b.sold, 0) AS sold,
            CASE WHEN CAST(:is_changes AS boolean) THEN w.pieces
                ELSE w.pieces - (coalesce(b.on_hand, 0) - coalesce(m.units, 0)
                    - coalesce(u.units, 0)) END AS quantity
        FROM wanted AS w
        LEFT JOIN inventory.balances AS b ON b.sku = w.sku AND b.site_code = :site
        LEFT JOIN moved_since AS m ON m.sku = w.sku
        LEFT JOIN left_unposted AS u ON u.sku = w.sku
    )
    INSERT INTO feed_move
    SELECT c.sku, c.quantity, CASE
        WHEN c.quantity >= 0 THEN NULL
        WHEN c.on_hand + c.quantity < 0 THEN 'negative_balance'
        WHEN p.on_hand + c.quantity < p.reserved THEN 'promised_to_orders'
        WHEN c.on_hand + c.sold + c.quantity < l.allocated THEN 'allocated_to_orders'
        END
    FROM compared AS c
    JOIN inventory.positions AS p ON p.sku = c.sku
    LEFT JOIN warehouse.site_loads AS l ON l.sku = c.sku AND l.site_code = :site
    WHERE c.quantity <> 0
""")
_REFUSED = sa.text("""
    UPDATE feed_difference AS d SET reason = m.reason, detail = CASE m.reason
        WHEN 'negative_balance' THEN 'quantity: more has left since than it leaves room for'
        WHEN 'promised_to_orders' THEN 'quantity: less than is promised to orders'
        ELSE 'quantity: less than is allocated to orders at this site' END
    FROM feed_move AS m
    WHERE m.reason IS NOT NULL AND m.sku = d.sku AND d.reason IS NULL
""")


def compare(conn: sa.Connection, feed: Feed, rows: int) -> None:
    """Find what of `stock_feed` differs; leaves `feed_difference` and `feed_move`, stock locked.

    Args:
        conn: connection inside the transaction of the sync.
        feed: the feed.
        rows: rows in `stock_feed`.
    """
    where = {"site": feed.site_code, "as_of": feed.as_of}
    kind = {"is_changes": feed.kind is FeedKind.CHANGES}
    for statement in _OPEN:
        conn.execute(statement)
    conn.execute(_COMPARE[feed.kind], where)
    conn.execute(sa.text("ANALYZE feed_difference"))
    if 0 < conn.execute(_TOLD).scalar_one() < rows and feed.kind is not FeedKind.CHANGES:
        conn.execute(_OTHER_ROWS, where)
    conn.execute(_IN_WORDS, kind)
    for statement in _WRONG:
        conn.execute(statement)
    if feed.kind is FeedKind.CHANGES:
        conn.execute(_TOGETHER[0])
        conn.execute(_TOGETHER[1], {"site": feed.site_code, "key": feed.key})
    else:
        conn.execute(_TWICE)
    conn.execute(_LOCK if conn.execute(_HAS_NEW).scalar_one() else _LOCK_KNOWN)
    conn.execute(_MOVES, {**where, **kind})
    conn.execute(sa.text("ANALYZE feed_move"))
    conn.execute(_REFUSED)
