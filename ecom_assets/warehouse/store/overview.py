"""What an operator wants to see of the allocations."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

_PARCELS_PER_SITE = sa.text("""
    SELECT site_code, count(DISTINCT order_id) FROM warehouse.allocations
    GROUP BY site_code ORDER BY 2 DESC, 1 LIMIT :most
""")

_DIVISION = sa.text("""
    WITH parcels AS (
        SELECT order_id, count(DISTINCT site_code) AS sites, avg(distance_km) AS km
        FROM warehouse.allocations GROUP BY order_id
    )
    SELECT count(*), count(*) FILTER (WHERE sites > 1), avg(km) FROM parcels
""")

_BACKORDERED_UNITS = sa.text("SELECT coalesce(sum(backordered), 0) FROM inventory.reservations")

BACKORDERED = sa.text("""
    SELECT sku, sum(backordered) AS units, count(DISTINCT order_id) AS orders,
        min(reserved_as_of) AS waiting_since
    FROM inventory.reservations
    WHERE backordered > 0
    GROUP BY sku
    ORDER BY units DESC, sku
""").columns(*map(sa.column, ("sku", "units", "orders", "waiting_since")))
"""SKUs that orders wait for, those with most units on top."""


def parcels_per_site(conn: sa.Connection, most: int) -> Sequence[tuple[str, int]]:
    """Parcels of the `most` sites that ship most."""
    rows = conn.execute(_PARCELS_PER_SITE, {"most": most})
    return [(site, int(parcels)) for site, parcels in rows]


def division(conn: sa.Connection) -> dict[str, float]:
    """Share of orders that several sites ship, mean distance in km, and units on backorder."""
    orders, split, km = conn.execute(_DIVISION).one()
    backordered = conn.execute(_BACKORDERED_UNITS).scalar_one()
    return {
        "share_of_split_orders": round(split / orders, 4) if orders else 0.0,
        "average_distance_km": round(km or 0.0, 1),
        "units_backordered": float(backordered),
    }
