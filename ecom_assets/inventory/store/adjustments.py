"""Adjustments: what people put right in the stock, through the one way every movement takes."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.inventory.store.movements import open_posting, post_covered
from ecom_assets.shared.columns import Rows

_COLUMNS = ("sku", "site_code", "quantity", "moved_at", "reference")
_OPEN = (
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS adjusting (
            row_no bigint, sku text, site_code text, quantity bigint, moved_at timestamptz,
            reference text, reason text
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("DELETE FROM adjusting"),
)
_ADJUSTING = sa.table("adjusting", *map(sa.column, ("row_no", *_COLUMNS)))
_JUDGE = sa.text("""
    UPDATE adjusting AS g SET reason = w.reason
    FROM (
        SELECT a.ctid AS place, CASE
            WHEN s.site_code IS NULL THEN 'unknown_site'
            WHEN p.sku IS NULL THEN 'unknown_sku'
            WHEN count(*) OVER (PARTITION BY a.reference, a.sku, a.site_code) > 1
                THEN 'contradicting_rows' END AS reason
        FROM adjusting AS a
        LEFT JOIN warehouse.sites AS s ON s.site_code = a.site_code
        LEFT JOIN catalog.products AS p ON p.sku = a.sku
    ) AS w
    WHERE w.place = g.ctid AND w.reason IS NOT NULL
""")
_MOVES = sa.text("""
    SELECT sku, site_code, 'adjustment' AS kind, quantity, moved_at, reference
    FROM adjusting WHERE reason IS NULL
""").columns(*map(sa.column, ("sku", "site_code", "kind", "quantity", "moved_at", "reference")))
# Looked at under the lock of the stock: the same adjustment may have come meanwhile.
_KNOWN = sa.text("""
    UPDATE posting AS p
    SET reason = CASE WHEN m.quantity = p.quantity THEN 'repeated' ELSE 'changed_adjustment' END
    FROM inventory.movements AS m
    WHERE m.kind = 'adjustment'
        AND (m.reference, m.sku, m.site_code) = (p.reference, p.sku, p.site_code)
""")
_TOLD = sa.text("""
    SELECT a.row_no, coalesce(a.reason, p.reason, 'posted') AS outcome
    FROM adjusting AS a
    LEFT JOIN posting AS p
        ON a.reason IS NULL AND (p.reference, p.sku, p.site_code)
            = (a.reference, a.sku, a.site_code)
    ORDER BY a.row_no
""")


def post_adjustments(conn: sa.Connection, rows: Rows) -> dict[int, str]:
    """Post adjustments that stock covers; each happens once per reference, SKU and site.

    Args:
        conn: connection in a transaction of its own.
        rows: `row_no`, `sku`, `site_code`, `quantity` (units, negative out of the site),
            `moved_at` and `reference`.

    Returns:
        By `row_no`: `posted`, `repeated`, or why it was not taken: `unknown_site`, `unknown_sku`,
        `contradicting_rows`, `changed_adjustment` or `negative_balance`.
    """
    for statement in _OPEN:
        conn.execute(statement)
    given = rows.subquery()
    names = ("row_no", *_COLUMNS)
    source = sa.select(*(given.c[name] for name in names))
    conn.execute(sa.insert(_ADJUSTING).from_select(names, source))
    conn.execute(_JUDGE)
    open_posting(conn, _MOVES)
    conn.execute(_KNOWN)
    post_covered(conn)
    return dict(conn.execute(_TOLD).tuples().all())
