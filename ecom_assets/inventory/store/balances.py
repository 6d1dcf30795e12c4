"""Balances: the proof that they equal their movements, and what operators want to see of them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

# FULL JOINs: a row that is missing on either side is a difference too. A position may lack
# reservations, and one of zeros may lack everything, so NULL counts as zero there.
DIFFERENCES = sa.text("""
    WITH folded AS (
        SELECT sku, site_code, sum(quantity) AS on_hand,
            coalesce(-sum(quantity) FILTER (WHERE kind = 'sale'), 0) AS sold
        FROM inventory.movements GROUP BY sku, site_code
    ), over_sites AS (
        SELECT sku, sum(on_hand) AS on_hand FROM inventory.balances GROUP BY sku
    ), promised AS (
        SELECT sku, sum(units) AS reserved FROM (
            SELECT sku, reserved - shipped AS units FROM inventory.reservations
            UNION ALL
            SELECT sku, units FROM inventory.stock_holds
        ) AS promises
        GROUP BY sku
    ), balances_off AS (
        SELECT coalesce(b.sku, f.sku) AS sku, coalesce(b.site_code, f.site_code) AS site_code,
            concat('on hand ', b.on_hand, ', sold ', b.sold) AS stored,
            concat('on hand ', f.on_hand, ', sold ', f.sold) AS expected
        FROM inventory.balances AS b
        FULL JOIN folded AS f ON f.sku = b.sku AND f.site_code = b.site_code
        WHERE (b.on_hand, b.sold) IS DISTINCT FROM (f.on_hand, f.sold)
    ), positions_off AS (
        SELECT coalesce(p.sku, s.sku, r.sku) AS sku, NULL AS site_code,
            concat('on hand ', p.on_hand, ', reserved ', p.reserved) AS stored,
            concat('on hand ', s.on_hand, ', reserved ', r.reserved) AS expected
        FROM inventory.positions AS p
        FULL JOIN over_sites AS s ON s.sku = p.sku
        FULL JOIN promised AS r ON r.sku = coalesce(p.sku, s.sku)
        WHERE (coalesce(p.on_hand, 0), coalesce(p.reserved, 0))
            IS DISTINCT FROM (coalesce(s.on_hand, 0), coalesce(r.reserved, 0))
    )
    SELECT sku, site_code, stored, expected FROM balances_off
    UNION ALL
    SELECT sku, site_code, stored, expected FROM positions_off
    ORDER BY sku, site_code
""").columns(*map(sa.column, ("sku", "site_code", "stored", "expected")))
"""Balances and positions that do not equal their movements and promises; must be none."""

_SUMMARY = sa.text("""
    SELECT coalesce(sum(on_hand), 0) AS units_on_hand, coalesce(sum(reserved), 0) AS units_reserved,
        count(*) FILTER (WHERE on_hand = reserved) AS skus_out_of_stock
    FROM inventory.positions
""")

# The site code breaks ties, so that a plot does not jump between two runs.
_UNITS_PER_SITE = sa.text("""
    SELECT site_code, sum(on_hand) FROM inventory.balances
    GROUP BY site_code ORDER BY 2 DESC, 1 LIMIT :most
""")

STOCK_VALUE = sa.text("""
    SELECT d.currency, sum(p.on_hand * d.unit_cost_minor) AS amount_minor
    FROM inventory.positions AS p
    JOIN catalog.products AS d ON d.sku = p.sku
    GROUP BY d.currency
    ORDER BY d.currency
""").columns(sa.column("currency"), sa.column("amount_minor"))
"""Stock on hand at cost, `(currency, amount_minor)`; products without a cost count nothing."""

# The four weeks end with the last sale, not today: the clock is an input, and an imported past has
# no sales in the last days.
LOWEST_COVER = sa.text("""
    WITH last_sale AS (
        SELECT max(moved_at) AS at FROM inventory.movements WHERE kind = 'sale'
    ), sold_lately AS (
        SELECT m.sku, -sum(m.quantity) / 28.0 AS per_day
        FROM last_sale AS l
        JOIN inventory.movements AS m
            ON m.kind = 'sale' AND m.moved_at > l.at - interval '28 days'
        GROUP BY m.sku
    )
    SELECT s.sku, p.on_hand, p.reserved, round(s.per_day, 2) AS sold_per_day,
        round((p.on_hand - p.reserved) / s.per_day, 1) AS days_of_cover
    FROM sold_lately AS s
    JOIN inventory.positions AS p ON p.sku = s.sku
    ORDER BY days_of_cover, sold_per_day DESC, s.sku
""").columns(*map(sa.column, ("sku", "on_hand", "reserved", "sold_per_day", "days_of_cover")))
"""SKUs that sold in the four weeks up to the last sale, those that run out first on top."""


def summary(conn: sa.Connection) -> dict[str, int]:
    """Units on hand and reserved, and SKUs of which nothing is free."""
    row = conn.execute(_SUMMARY).mappings().one()
    return {name: int(value) for name, value in row.items()}


def units_per_site(conn: sa.Connection, most: int) -> Sequence[tuple[str, int]]:
    """Units on hand at the `most` sites that hold most."""
    rows = conn.execute(_UNITS_PER_SITE, {"most": most})
    return [(site, int(units)) for site, units in rows]
