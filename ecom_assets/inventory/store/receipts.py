"""Receipts: stock that comes with its costs, lots and serials.

A receipt happens once per reference, SKU and site: told again alike it changes nothing, told again
differently it is parked. Several rows of one receipt (a lot each) are one movement.
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.inventory.store.movements import open_posting, post_covered
from ecom_assets.shared.columns import Rows
from ecom_assets.shared.quarantine import PARKED_COLUMNS, QUARANTINE, park

SOURCE = "inventory.receipts"
"""Source of parked receipts in the quarantine."""

RECEIPT_COLUMNS = (
    "reference", "sku", "site_code", "quantity", "received_at", "unit_cost_minor", "currency",
    "lot_code", "expires_at", "serials",
)  # fmt: skip
"""Columns of a receipt; cost and currency, lot, expiry and serials may be empty."""

_OPEN = (
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS receiving (
            reference text, sku text, site_code text, quantity bigint, received_at timestamptz,
            unit_cost_minor bigint, currency text, lot_code text, expires_at timestamptz,
            serials text[], reason text, detail text
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("DELETE FROM receiving"),
)
_RECEIVING = sa.table("receiving", *map(sa.column, RECEIPT_COLUMNS))
_ANALYSE = sa.text("ANALYZE receiving")

_JUDGE = (
    sa.text("""
        UPDATE receiving AS g SET reason = w.reason, detail = w.detail
        FROM (
            SELECT r.ctid AS place, s.site_code IS NULL AS no_site, p.sku IS NULL AS no_sku,
                r.quantity NOT BETWEEN 1 AND 100000000 AS odd_quantity,
                r.unit_cost_minor < 0 OR (r.unit_cost_minor IS NULL) <> (r.currency IS NULL)
                    AS odd_cost,
                r.currency <> p.currency AS other_currency,
                r.serials IS NOT NULL AND cardinality(r.serials) <> r.quantity AS odd_serials
            FROM receiving AS r
            LEFT JOIN warehouse.sites AS s ON s.site_code = r.site_code
            LEFT JOIN catalog.products AS p ON p.sku = r.sku
        ) AS f
        CROSS JOIN LATERAL (SELECT
            CASE WHEN no_site THEN 'unknown_site' WHEN no_sku THEN 'unknown_sku'
                WHEN odd_quantity THEN 'quantity_out_of_range' WHEN odd_cost THEN 'bad_cost'
                WHEN other_currency THEN 'currency_mismatch'
                WHEN odd_serials THEN 'serials_differ_from_quantity' END AS reason,
            CASE WHEN no_site THEN 'site_code: not in warehouse.sites'
                WHEN no_sku THEN 'sku: not in catalog.products'
                WHEN odd_quantity THEN 'quantity: below one or beyond 100 million'
                WHEN odd_cost THEN 'unit_cost_minor: below zero, or without its currency'
                WHEN other_currency THEN 'currency: not the one the product is costed in'
                WHEN odd_serials THEN 'serials: not as many as units' END AS detail,
            f.place AS place
        ) AS w
        WHERE w.place = g.ctid AND w.reason IS NOT NULL
    """),
    sa.text("""
        UPDATE receiving AS g SET reason = 'serial_known',
            detail = 'serials: some are known, or named twice'
        WHERE g.reason IS NULL AND g.serials IS NOT NULL AND (
            EXISTS (
                SELECT FROM inventory.serials AS k
                WHERE k.sku = g.sku AND k.serial = ANY(g.serials)
                    AND (k.came_with, coalesce(k.site_code, g.site_code))
                        <> (g.reference, g.site_code)
            ) OR (SELECT count(DISTINCT s) FROM unnest(g.serials) AS s) <> cardinality(g.serials)
            OR EXISTS (
                SELECT FROM receiving AS o
                WHERE o.ctid <> g.ctid AND o.sku = g.sku AND o.serials && g.serials
            )
        )
    """),
    # One movement cannot have two moments or costs; a lot cannot expire twice.
    sa.text("""
        UPDATE receiving AS g SET reason = 'contradicting_rows',
            detail = 'received_at, unit_cost_minor: differ within one receipt of a SKU'
        FROM (
            SELECT reference, sku, site_code FROM receiving WHERE reason IS NULL
            GROUP BY reference, sku, site_code
            HAVING min(received_at) <> max(received_at)
                OR count(DISTINCT coalesce(unit_cost_minor, -1)) > 1
        ) AS w
        WHERE g.reason IS NULL
            AND (g.reference, g.sku, g.site_code) = (w.reference, w.sku, w.site_code)
    """),
    sa.text("""
        UPDATE receiving AS g SET reason = 'lot_expiry_differs',
            detail = 'expires_at: the lot is known with another one'
        FROM inventory.lots AS l
        WHERE g.reason IS NULL AND (l.sku, l.site_code, l.lot_code)
            = (g.sku, g.site_code, g.lot_code) AND l.expires_at IS DISTINCT FROM g.expires_at
    """),
    sa.text("""
        UPDATE receiving AS g SET reason = 'lot_expiry_differs',
            detail = 'expires_at: rows of one lot differ'
        FROM (
            SELECT sku, site_code, lot_code FROM receiving
            WHERE reason IS NULL AND lot_code IS NOT NULL GROUP BY sku, site_code, lot_code
            HAVING count(DISTINCT coalesce(expires_at, 'infinity')) > 1
        ) AS w
        WHERE g.reason IS NULL
            AND (g.sku, g.site_code, g.lot_code) = (w.sku, w.site_code, w.lot_code)
    """),
    # A bad row makes the sum of its receipt wrong: the rows of a receipt are parked together.
    sa.text("""
        UPDATE receiving AS g SET reason = 'other_row_parked',
            detail = 'reference: another row of this receipt and SKU is wrong'
        FROM receiving AS w
        WHERE g.reason IS NULL AND w.reason IS NOT NULL
            AND (g.reference, g.sku, g.site_code) = (w.reference, w.sku, w.site_code)
    """),
)
_MOVES = sa.text("""
    SELECT sku, site_code, 'receipt' AS kind, sum(quantity) AS quantity,
        min(received_at) AS moved_at, reference
    FROM receiving WHERE reason IS NULL GROUP BY reference, sku, site_code
""").columns(*map(sa.column, ("sku", "site_code", "kind", "quantity", "moved_at", "reference")))
# Looked at under the lock of the stock: the same receipt may have been taken meanwhile.
_KNOWN = (
    sa.text("""
        UPDATE posting AS p SET reason = CASE
            WHEN (m.quantity, m.moved_at) = (p.quantity, p.moved_at) THEN 'known'
            ELSE 'changed_receipt' END
        FROM inventory.movements AS m
        WHERE m.kind = 'receipt'
            AND (m.reference, m.sku, m.site_code) = (p.reference, p.sku, p.site_code)
    """),
    sa.text("""
        UPDATE receiving AS g SET reason = p.reason,
            detail = 'quantity, received_at: differ from the receipt on record'
        FROM posting AS p
        WHERE p.reason IS NOT NULL AND g.reason IS NULL
            AND (g.reference, g.sku, g.site_code) = (p.reference, p.sku, p.site_code)
    """),
)
_WRITE = (
    sa.text("""
        INSERT INTO inventory.receipt_costs (
            reference, sku, site_code, unit_cost_minor, currency, run_id
        )
        SELECT DISTINCT reference, sku, site_code, unit_cost_minor, currency, CAST(:run AS text)
        FROM receiving WHERE reason IS NULL AND unit_cost_minor IS NOT NULL
        ORDER BY reference, sku, site_code
        ON CONFLICT (reference, sku, site_code) DO NOTHING
    """),
    sa.text("""
        INSERT INTO inventory.lots AS known (
            sku, site_code, lot_code, received, received_at, expires_at
        )
        SELECT sku, site_code, lot_code, sum(quantity), min(received_at), min(expires_at)
        FROM receiving WHERE reason IS NULL AND lot_code IS NOT NULL
        GROUP BY sku, site_code, lot_code ORDER BY sku, site_code, lot_code
        ON CONFLICT (sku, site_code, lot_code) DO UPDATE
            SET received = known.received + excluded.received
    """),
    sa.text("""
        INSERT INTO inventory.serials (sku, serial, site_code, state, came_with, came_at)
        SELECT sku, unnest(serials), site_code, 'in_stock', reference, received_at
        FROM receiving WHERE reason IS NULL AND serials IS NOT NULL
        ORDER BY 1, 2
    """),
)
_REFUSED = sa.text("""
    SELECT CAST(:source AS text) AS source, CAST(0 AS bigint) AS row_number,
        concat_ws('/', g.reference, g.sku, g.site_code) AS subject, g.reason, g.detail,
        jsonb_strip_nulls(to_jsonb(g) - CAST('{reason,detail}' AS text[])) AS row
    FROM receiving AS g
    WHERE g.reason <> 'known' AND NOT EXISTS (
        SELECT FROM flow.quarantine AS q
        WHERE q.source = :source AND q.reason = g.reason AND q.state = 'parked'
            AND q.row = jsonb_strip_nulls(to_jsonb(g) - CAST('{reason,detail}' AS text[]))
    )
""")
_TOTALS = sa.text("""
    SELECT count(*) FILTER (WHERE reason IS NULL) AS received,
        count(*) FILTER (WHERE reason = 'known') AS known,
        count(*) FILTER (WHERE reason <> 'known') AS parked,
        coalesce(sum(quantity) FILTER (WHERE reason IS NULL), 0) AS units
    FROM receiving
""")


def take_receipts(conn: sa.Connection, receipts: Rows, run: str) -> dict[str, int]:
    """Take receipts with what is known of their costs, lots and serials.

    Args:
        conn: connection in a transaction of its own.
        receipts: a select of `RECEIPT_COLUMNS`.
        run: Dagster run, or name of the command.

    Returns:
        Rows `received`, `known` before and `parked`, which add up to those given, and `units`.
    """
    for statement in _OPEN:
        conn.execute(statement)
    given = receipts.subquery()
    source = sa.select(*(given.c[name] for name in RECEIPT_COLUMNS))
    conn.execute(sa.insert(_RECEIVING).from_select(RECEIPT_COLUMNS, source))
    for statement in (_ANALYSE, *_JUDGE):
        conn.execute(statement)
    open_posting(conn, _MOVES)
    for statement in _KNOWN:
        conn.execute(statement)
    post_covered(conn)
    for number, statement in enumerate(_WRITE):
        conn.execute(statement, {"run": run} if number == 0 else {})
    refused = _REFUSED.bindparams(source=SOURCE)
    park(conn, refused.columns(*(QUARANTINE.c[name] for name in PARKED_COLUMNS)), run)
    return {name: int(value) for name, value in conn.execute(_TOTALS).mappings().one().items()}
