"""Movements: taken from feeds or posted for shipments, folded into balances and positions at once.

Every movement of the platform is posted by `_post`, in one statement with the fold, so balances
and positions equal their movements after every transaction.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.inventory.store.cover import refuse_uncovered
from ecom_assets.inventory.store.restocks import note_freed, open_freed
from ecom_assets.shared.columns import Rows
from ecom_assets.shared.quarantine import PARKED_COLUMNS, QUARANTINE, park
from ecom_assets.shared.working import analyse

SOURCE = "inventory.movements"
"""Source of parked movements in the quarantine."""

_POSTING_TABLE = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS posting (
        sku text, site_code text, kind text, quantity bigint, moved_at timestamptz,
        reference text, import_id bigint, reason text
    ) ON COMMIT PRESERVE ROWS
""")

_MOVE_COLUMNS = ("sku", "site_code", "kind", "quantity", "moved_at", "reference")
_POSTING = sa.table("posting", *map(sa.column, _MOVE_COLUMNS))

# NOT BETWEEN and not abs(): the smallest bigint has no absolute value and would end the import.
# A known movement that comes again unchanged is left out; one that comes again with another
# quantity or moment is refused, since the ledger of movements is append-only.
_FROM_FEED = sa.text("""
    WITH given AS (
        SELECT DISTINCT sku, site_code, kind, quantity, moved_at, reference FROM feed_movements
    ), numbered AS (
        SELECT *, row_number() OVER (
            PARTITION BY kind, reference, sku, site_code ORDER BY moved_at, quantity
        ) AS version
        FROM given
    )
    INSERT INTO posting
    SELECT n.sku, n.site_code, n.kind, n.quantity, n.moved_at, n.reference,
        CAST(:import_id AS bigint),
        CASE
            WHEN n.kind = 'sale' THEN 'sale_in_feed'
            WHEN n.kind NOT IN ('opening', 'receipt', 'return', 'transfer', 'adjustment', 'count')
                THEN 'unknown_kind'
            WHEN n.quantity = 0 OR n.quantity NOT BETWEEN -100000000 AND 100000000
                THEN 'quantity_out_of_range'
            WHEN s.site_code IS NULL THEN 'unknown_site'
            WHEN n.version > 1 OR known.sku IS NOT NULL THEN 'changed_movement'
        END
    FROM numbered AS n
    LEFT JOIN warehouse.sites AS s ON s.site_code = n.site_code
    LEFT JOIN inventory.movements AS known
        ON (known.kind, known.reference, known.sku, known.site_code)
         = (n.kind, n.reference, n.sku, n.site_code)
    WHERE known.sku IS NULL OR (known.quantity, known.moved_at) <> (n.quantity, n.moved_at)
""")

# The reference is the order's own name, not a surrogate key: a sale happens once in any database.
_FROM_SHIPMENTS = sa.text("""
    INSERT INTO posting
    SELECT a.sku, a.site_code, 'sale', -sum(a.quantity), s.shipped_at,
        'order:' || o.channel || '/' || o.external_id
    FROM claimed AS c
    JOIN orders.orders AS o ON o.order_id = c.order_id
    JOIN transport.shipments AS s ON s.order_id = c.order_id
    JOIN warehouse.allocations AS a ON a.order_id = s.order_id AND a.site_code = s.site_code
    GROUP BY o.order_id, s.shipment_id, a.sku, a.site_code
""")

# One pass in SKU order locks the positions that exist and makes those that do not; the update that
# never happens leaves no dead row behind.
_LOCK = sa.text("""
    INSERT INTO inventory.positions AS p (sku, on_hand, reserved)
    SELECT DISTINCT sku, 0, 0 FROM posting WHERE reason IS NULL ORDER BY sku
    ON CONFLICT (sku) DO UPDATE SET on_hand = p.on_hand WHERE false
""")

# A feed that comes again refuses the same rows again; they are in the quarantine already.
_REFUSED = sa.text("""
    WITH refused AS (
        SELECT concat_ws('/', kind, reference, sku, site_code) AS subject, reason,
            jsonb_build_object(
                'sku', sku, 'site_code', site_code, 'kind', kind, 'quantity', quantity,
                'moved_at', moved_at, 'reference', reference
            ) AS row
        FROM posting WHERE reason IS NOT NULL
    )
    SELECT CAST(:source AS text) AS source, CAST(0 AS bigint) AS row_number, r.subject, r.reason,
        CASE r.reason
            WHEN 'sale_in_feed' THEN 'kind: sales are posted for shipments only'
            WHEN 'unknown_kind' THEN 'kind: not a kind of movement'
            WHEN 'quantity_out_of_range' THEN 'quantity: zero or beyond 100 million'
            WHEN 'unknown_site' THEN 'site_code: not in warehouse.sites'
            WHEN 'changed_movement' THEN 'quantity, moved_at: differ from the movement on record'
            ELSE 'quantity: more than the site has and has not promised'
        END AS detail, r.row
    FROM refused AS r
    WHERE NOT EXISTS (
        SELECT FROM flow.quarantine AS q
        WHERE q.source = :source AND q.row_number = 0 AND left(q.subject, 64) = left(r.subject, 64)
            AND q.reason = r.reason AND q.subject = r.subject AND q.row = r.row
    )
""")

# All parts see the same snapshot, so a balance made here is not updated here too: new and known
# balances are two statements. Positions exist already, `_LOCK` made them.
_POST = sa.text("""
    WITH posted AS (
        INSERT INTO inventory.movements (
            sku, site_code, kind, quantity, moved_at, reference, import_id
        )
        SELECT sku, site_code, kind, quantity, moved_at, reference, import_id
        FROM posting WHERE reason IS NULL
        ORDER BY moved_at, reference, sku, site_code
        ON CONFLICT (kind, reference, sku, site_code) DO NOTHING
        RETURNING sku, site_code, kind, quantity, moved_at
    ), by_site AS (
        SELECT sku, site_code, sum(quantity) AS quantity, max(moved_at) AS moved_at,
            coalesce(-sum(quantity) FILTER (WHERE kind = 'sale'), 0) AS sold
        FROM posted GROUP BY sku, site_code
    ), changed_balances AS (
        UPDATE inventory.balances AS b
        SET on_hand = b.on_hand + d.quantity, sold = b.sold + d.sold,
            moved_at = greatest(b.moved_at, d.moved_at)
        FROM by_site AS d
        WHERE b.sku = d.sku AND b.site_code = d.site_code
    ), new_balances AS (
        INSERT INTO inventory.balances (sku, site_code, on_hand, sold, moved_at)
        SELECT d.sku, d.site_code, d.quantity, d.sold, d.moved_at
        FROM by_site AS d
        LEFT JOIN inventory.balances AS b ON b.sku = d.sku AND b.site_code = d.site_code
        WHERE b.sku IS NULL
    ), by_sku AS (
        SELECT sku, sum(quantity) AS quantity, sum(sold) AS sold FROM by_site GROUP BY sku
    ), changed_positions AS (
        UPDATE inventory.positions AS p
        SET on_hand = p.on_hand + d.quantity, reserved = p.reserved - d.sold
        FROM by_sku AS d
        WHERE p.sku = d.sku
    )
    SELECT count(*), coalesce(sum(quantity), 0) FROM posted
""")

# Stock that came in, a transfer's arrival aside: over all sites it brings nothing.
_CAME_IN = sa.text("""
    INSERT INTO freed
    SELECT sku, moved_at FROM posting
    WHERE reason IS NULL AND quantity > 0 AND kind <> 'transfer'
""")

# Set, not added to, so that a receipt told twice counts once. What comes in parts names what was
# expected before a slash.
_AWAITED = sa.text("""
    UPDATE inventory.expected_receipts AS e SET received = came.units
    FROM (
        SELECT x.reference, x.sku, x.site_code, sum(m.quantity) AS units
        FROM posting AS p
        JOIN inventory.expected_receipts AS x
            ON x.sku = p.sku AND x.site_code = p.site_code
            AND (x.reference = p.reference OR starts_with(p.reference, x.reference || '/'))
        JOIN inventory.movements AS m
            ON m.kind = 'receipt' AND m.sku = x.sku AND m.site_code = x.site_code
            AND (m.reference = x.reference OR starts_with(m.reference, x.reference || '/'))
        WHERE p.reason IS NULL AND p.kind = 'receipt'
        GROUP BY x.reference, x.sku, x.site_code, p.reference
    ) AS came
    WHERE (e.reference, e.sku, e.site_code) = (came.reference, came.sku, came.site_code)
        AND e.received <> came.units
""")

# Set, not added to: shipped is what left so far, so a repeated posting changes nothing.
_SHIPPED = sa.text("""
    WITH left_sites AS (
        SELECT a.order_line_id, sum(a.quantity) AS quantity
        FROM claimed AS c
        JOIN transport.shipments AS s ON s.order_id = c.order_id
        JOIN warehouse.allocations AS a ON a.order_id = s.order_id AND a.site_code = s.site_code
        GROUP BY a.order_line_id
    )
    UPDATE inventory.reservations AS r SET shipped = l.quantity, expires_at = NULL
    FROM left_sites AS l
    WHERE r.order_line_id = l.order_line_id
""")

_PARKED = [QUARANTINE.c[name] for name in PARKED_COLUMNS]
_IMPORT_RUN = sa.text("SELECT run_id FROM flow.imports WHERE import_id = :import_id")


def take_movements(conn: sa.Connection, import_id: int | None) -> int:
    """Take the movements of `feed_movements` that are new and fold them into the balances.

    A movement happens once per kind, reference, SKU and site. One that the stock does not cover, or
    that is wrong in itself, is parked; the others are taken. `warehouse.sites` must be taken first.
    Orders that wait for what came in are called by `call_backorders` afterwards.

    Args:
        conn: connection inside the import's transaction, with open feeds.
        import_id: the import that brings the movements, if one does.

    Returns:
        How many movements are new.
    """
    _open(conn)
    _lock(conn, conn.execute(_FROM_FEED, {"import_id": import_id}).rowcount)
    refuse_uncovered(conn)
    run = conn.execute(_IMPORT_RUN, {"import_id": import_id}).scalar() or "feed"
    park(conn, _REFUSED.bindparams(source=SOURCE).columns(*_PARKED), run)
    open_freed(conn)
    conn.execute(_CAME_IN)
    note_freed(conn)
    posted = _post(conn)
    conn.execute(_AWAITED)
    return posted[0]


def post_sales(conn: sa.Connection) -> dict[str, int]:
    """Post the sale of every unit that left a site with the shipments of the claimed orders.

    Args:
        conn: connection inside the transaction that claimed the orders.

    Returns:
        `movements` posted and `units` sold.
    """
    _open(conn)
    _lock(conn, conn.execute(_FROM_SHIPMENTS).rowcount)
    movements, quantity = _post(conn)
    conn.execute(_SHIPPED)
    return {"movements": movements, "units": -quantity}


def open_posting(conn: sa.Connection, moves: Rows) -> int:
    """Fill `posting` with moves, each without a reason against it, and lock their stock.

    The caller may then change quantities and give reasons before `post_covered`.

    Args:
        conn: connection inside the caller's transaction.
        moves: `sku`, `site_code`, `kind`, `quantity`, `moved_at` and `reference`.

    Returns:
        How many moves there are.
    """
    _open(conn)
    given = moves.subquery()
    source = sa.select(*(given.c[name] for name in _MOVE_COLUMNS))
    rows = conn.execute(sa.insert(_POSTING).from_select(_MOVE_COLUMNS, source)).rowcount
    _lock(conn, rows)
    return rows


def post_covered(conn: sa.Connection) -> tuple[int, int]:
    """Post the moves of `posting` that nothing speaks against; the others get their reason.

    Stock that came in is noted for orders that wait; an arrival of a transfer is for the caller.

    Returns:
        Movements that are new, and the sum of their quantities.
    """
    refuse_uncovered(conn)
    open_freed(conn)
    conn.execute(_CAME_IN)
    note_freed(conn)
    posted = _post(conn)
    conn.execute(_AWAITED)
    return posted


def _open(conn: sa.Connection) -> None:
    conn.execute(_POSTING_TABLE)
    conn.execute(sa.text("DELETE FROM posting"))


def _lock(conn: sa.Connection, rows: int) -> None:
    analyse(conn, sa.text("ANALYZE posting"), rows)
    conn.execute(_LOCK)


def _post(conn: sa.Connection) -> tuple[int, int]:
    """Write the movements of `posting` that nothing speaks against, and fold the new ones.

    The caller holds the positions of all SKUs in `posting`.

    Returns:
        Movements that are new, and the sum of their quantities.
    """
    count, quantity = conn.execute(_POST).one()
    return int(count), int(quantity)
