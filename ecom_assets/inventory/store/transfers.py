"""Transfers between sites, in two halves: units leave one site, and later come to the other.

Between the halves they are in transit: on hand nowhere, promised to nobody, and still owned. What
does not arrive is booked as an adjustment at the site it should have come to, so both halves always
cancel each other out.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.inventory.store.movements import open_posting, post_covered
from ecom_assets.inventory.store.restocks import note_freed, open_freed
from ecom_assets.shared.columns import Rows
from ecom_assets.shared.quarantine import PARKED_COLUMNS, QUARANTINE, park

SOURCE = "inventory.transfers"
"""Source of parked transfers in the quarantine."""

_MOVE = ("sku", "site_code", "kind", "quantity", "moved_at", "reference")
_SENT = ("reference", "sku", "from_site", "to_site", "quantity", "sent_at", "due_at")
_ARRIVED = ("reference", "sku", "from_site", "to_site", "arrived", "arrived_at")

_OPEN = (
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS transferring (
            reference text, sku text, from_site text, to_site text, quantity bigint,
            sent_at timestamptz, due_at timestamptz, arrived bigint, arrived_at timestamptz,
            reason text, detail text
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("DELETE FROM transferring"),
)
_TRANSFERRING = sa.table(
    "transferring", *map(sa.column, (*_SENT, "arrived", "arrived_at", "reason", "detail"))
)

_JUDGE_SENT = (
    # The same transfer told again is left out; told differently, it is refused.
    sa.text("""
        DELETE FROM transferring AS g USING inventory.transfers AS t
        WHERE (t.reference, t.sku, t.from_site, t.to_site, t.quantity, t.sent_at)
            = (g.reference, g.sku, g.from_site, g.to_site, g.quantity, g.sent_at)
    """),
    sa.text("""
        UPDATE transferring AS g SET reason = w.reason, detail = w.detail
        FROM (
            SELECT g.ctid AS place, CASE
                    WHEN f.site_code IS NULL OR t.site_code IS NULL THEN 'unknown_site'
                    WHEN g.from_site = g.to_site THEN 'same_site'
                    WHEN g.quantity NOT BETWEEN 1 AND 100000000 THEN 'quantity_out_of_range'
                    WHEN k.reference IS NOT NULL THEN 'changed_transfer'
                    WHEN count(*) OVER (PARTITION BY g.reference, g.sku, g.from_site) > 1
                        THEN 'contradicting_rows'
                END AS reason, CASE
                    WHEN f.site_code IS NULL THEN 'from_site: not in warehouse.sites'
                    WHEN t.site_code IS NULL THEN 'to_site: not in warehouse.sites'
                    WHEN g.from_site = g.to_site THEN 'to_site: the site it leaves'
                    WHEN g.quantity NOT BETWEEN 1 AND 100000000
                        THEN 'quantity: below one or beyond 100 million'
                    WHEN k.reference IS NOT NULL
                        THEN 'quantity, sent_at: differ from the transfer on record'
                    ELSE 'reference: several rows of one SKU and site'
                END AS detail
            FROM transferring AS g
            LEFT JOIN warehouse.sites AS f ON f.site_code = g.from_site
            LEFT JOIN warehouse.sites AS t ON t.site_code = g.to_site
            LEFT JOIN inventory.transfers AS k
                ON (k.reference, k.sku, k.from_site) = (g.reference, g.sku, g.from_site)
        ) AS w
        WHERE w.reason IS NOT NULL AND w.place = g.ctid
    """),
)
_LEAVE = sa.text("""
    SELECT sku, from_site AS site_code, 'transfer' AS kind, -quantity AS quantity,
        sent_at AS moved_at, 'transfer:' || reference AS reference
    FROM transferring WHERE reason IS NULL
""").columns(*map(sa.column, _MOVE))
_SHORT = sa.text("""
    UPDATE transferring AS g SET reason = p.reason,
        detail = 'quantity: more than the site has and has not promised'
    FROM posting AS p
    WHERE p.reason IS NOT NULL AND g.reason IS NULL AND p.sku = g.sku
        AND p.site_code = g.from_site AND p.reference = 'transfer:' || g.reference
""")
_RECORD = sa.text("""
    INSERT INTO inventory.transfers (
        reference, sku, from_site, to_site, quantity, sent_at, due_at, run_id
    )
    SELECT reference, sku, from_site, to_site, quantity, sent_at, due_at, :run
    FROM transferring WHERE reason IS NULL ORDER BY sku, reference
    ON CONFLICT (reference, sku, from_site, to_site) DO NOTHING
""")

# Locked before any stock: two arrivals of one transfer go one after the other.
_HOLD = sa.text("""
    SELECT count(*) FROM (
        SELECT FROM inventory.transfers AS t JOIN transferring AS g
            ON (t.reference, t.sku, t.from_site, t.to_site)
             = (g.reference, g.sku, g.from_site, g.to_site)
        ORDER BY t.transfer_id FOR UPDATE OF t
    ) AS held
""")
_JUDGE_ARRIVED = (
    sa.text("""
        DELETE FROM transferring AS g USING inventory.transfers AS t
        WHERE (t.reference, t.sku, t.from_site, t.to_site, t.arrived, t.arrived_at)
            = (g.reference, g.sku, g.from_site, g.to_site, g.arrived, g.arrived_at)
    """),
    sa.text("""
        UPDATE transferring AS g
        SET quantity = w.quantity, reason = w.reason, detail = CASE w.reason
            WHEN 'unknown_transfer' THEN 'reference: no such transfer was sent'
            WHEN 'changed_arrival' THEN 'arrived, arrived_at: differ from the arrival on record'
            WHEN 'arrived_too_early' THEN 'arrived_at: before it was sent'
            WHEN 'contradicting_rows' THEN 'reference: several rows of one SKU and site'
            WHEN 'quantity_out_of_range' THEN 'arrived: below zero or more than was sent' END
        FROM (
            SELECT g.ctid AS place, t.quantity, CASE
                WHEN t.transfer_id IS NULL THEN 'unknown_transfer'
                WHEN t.arrived_at IS NOT NULL THEN 'changed_arrival'
                WHEN g.arrived NOT BETWEEN 0 AND t.quantity THEN 'quantity_out_of_range'
                WHEN g.arrived_at < t.sent_at THEN 'arrived_too_early'
                WHEN count(*) OVER (PARTITION BY t.transfer_id) > 1 THEN 'contradicting_rows'
                END AS reason
            FROM transferring AS g
            LEFT JOIN inventory.transfers AS t
                ON (t.reference, t.sku, t.from_site, t.to_site)
                 = (g.reference, g.sku, g.from_site, g.to_site)
        ) AS w
        WHERE w.place = g.ctid
    """),
)
# One reference may bring a SKU from several sites, and send it back: an arrival names where from.
_COME = sa.text("""
    SELECT sku, to_site AS site_code, 'transfer' AS kind, quantity, arrived_at AS moved_at,
        concat('transfer_in:', reference, '/', from_site) AS reference
    FROM transferring WHERE reason IS NULL
    UNION ALL
    SELECT sku, to_site, 'adjustment', arrived - quantity, arrived_at,
        concat('transfer_lost:', reference, '/', from_site)
    FROM transferring WHERE reason IS NULL AND arrived < quantity
""").columns(*map(sa.column, _MOVE))
# The arrival of a transfer sent long ago is news to orders that wait.
_FREED = sa.text("""
    INSERT INTO freed SELECT sku, arrived_at FROM transferring WHERE reason IS NULL AND arrived > 0
""")
_CLOSE = sa.text("""
    UPDATE inventory.transfers AS t SET arrived = g.arrived, arrived_at = g.arrived_at
    FROM transferring AS g
    WHERE g.reason IS NULL AND (t.reference, t.sku, t.from_site, t.to_site)
        = (g.reference, g.sku, g.from_site, g.to_site)
""")
_REFUSED = sa.text("""
    SELECT CAST(:source AS text) AS source, CAST(0 AS bigint) AS row_number,
        concat_ws('/', g.reference, g.sku, g.from_site, g.to_site) AS subject, g.reason, g.detail,
        jsonb_strip_nulls(to_jsonb(g) - CAST('{reason,detail}' AS text[])) AS row
    FROM transferring AS g
    WHERE g.reason IS NOT NULL AND NOT EXISTS (
        SELECT FROM flow.quarantine AS q
        WHERE q.source = :source AND q.reason = g.reason AND q.state = 'parked'
            AND q.row = jsonb_strip_nulls(to_jsonb(g) - CAST('{reason,detail}' AS text[]))
    )
""")
_TOTALS = sa.text("""
    SELECT count(*) FILTER (WHERE reason IS NULL), count(*) FILTER (WHERE reason IS NOT NULL)
    FROM transferring
""")


def send_transfers(conn: sa.Connection, transfers: Rows, run: str) -> dict[str, int]:
    """Let units leave their sites; those that stock does not cover are parked.

    Args:
        conn: connection in a transaction of its own.
        transfers: `reference`, `sku`, `from_site`, `to_site`, `quantity`, `sent_at` and `due_at`,
            which may be empty.
        run: Dagster run, or name of the command.

    Returns:
        Transfers `sent` and `parked`; what was known already counts as neither.
    """
    _stage(conn, transfers, _SENT)
    for statement in _JUDGE_SENT:
        conn.execute(statement)
    open_posting(conn, _LEAVE)
    post_covered(conn)
    conn.execute(_SHORT)
    conn.execute(_RECORD, {"run": run})
    return _close(conn, run, "sent")


def take_arrivals(conn: sa.Connection, arrivals: Rows, run: str) -> dict[str, int]:
    """Let transferred units come to their sites; what is missing is written off there.

    Args:
        conn: connection in a transaction of its own.
        arrivals: `reference`, `sku`, `from_site`, `to_site`, `arrived` and `arrived_at`.
        run: Dagster run, or name of the command.

    Returns:
        Transfers `arrived` and `parked`; what was known already counts as neither.
    """
    _stage(conn, arrivals, _ARRIVED)
    conn.execute(_HOLD)
    for statement in _JUDGE_ARRIVED:
        conn.execute(statement)
    open_posting(conn, _COME)
    post_covered(conn)
    open_freed(conn)
    conn.execute(_FREED)
    note_freed(conn)
    conn.execute(_CLOSE)
    return _close(conn, run, "arrived")


def _stage(conn: sa.Connection, rows: Rows, names: tuple[str, ...]) -> None:
    for statement in _OPEN:
        conn.execute(statement)
    given = rows.subquery()
    source = sa.select(*(given.c[name] for name in names)).distinct()
    conn.execute(sa.insert(_TRANSFERRING).from_select(names, source))


def _close(conn: sa.Connection, run: str, done: str) -> dict[str, int]:
    given = _REFUSED.bindparams(source=SOURCE)
    park(conn, given.columns(*(QUARANTINE.c[name] for name in PARKED_COLUMNS)), run)
    posted, parked = conn.execute(_TOTALS).one()
    return {done: int(posted), "parked": int(parked)}
