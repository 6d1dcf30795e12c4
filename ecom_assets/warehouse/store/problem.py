"""Reads what an allocation is made from: the claimed orders, the sites, and the stock left to them.

A replay numbers and reads its orders by the same statements, on lines and stock of its own.

Rows are numbered in the database, so that arrays of numbers cross the wire and no text does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import sqlalchemy as sa

from ecom_assets.shared.working import analyse
from ecom_assets.warehouse.rules import RankingRule, Routing
from ecom_assets.warehouse.store.prices import columns, read_prices

if TYPE_CHECKING:
    from ecom_assets.warehouse.allocation.prices import Prices
    from ecom_assets.warehouse.allocation.problem import Orders, Sites, Stock
    from ecom_assets.warehouse.allocation.result import Lines

    Given: TypeAlias = tuple[Orders, Sites, Lines, Stock, Routing, Prices | None]

_OPEN = (
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS allocating_orders (
            order_no bigint PRIMARY KEY, order_id bigint NOT NULL, due_at timestamptz NOT NULL
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS allocating_lines (
            line_no bigint PRIMARY KEY, order_no bigint NOT NULL, order_line_id bigint NOT NULL,
            sku_no bigint NOT NULL, sku text NOT NULL, units integer NOT NULL
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("""
        CREATE TEMPORARY TABLE IF NOT EXISTS allocating_sites (
            site_no bigint PRIMARY KEY, site_code text NOT NULL
        ) ON COMMIT PRESERVE ROWS
    """),
    sa.text("""
        WITH a AS (DELETE FROM allocating_orders),
            b AS (DELETE FROM allocating_lines)
        DELETE FROM allocating_sites
    """),
)
_OPEN_SITES = sa.text("""
    INSERT INTO allocating_sites
    SELECT row_number() OVER (ORDER BY site_code) - 1, site_code FROM warehouse.sites
    WHERE archived_at IS NULL OR :with_archived
""")
_CLAIMED_ORDERS = sa.text("""
    INSERT INTO allocating_orders
    SELECT row_number() OVER (ORDER BY due_at, order_id) - 1, order_id, due_at FROM claimed
""")
_RESERVED_LINES = sa.text("""
    INSERT INTO allocating_lines
    SELECT row_number() OVER (ORDER BY o.order_no, r.sku, l.line_no) - 1, o.order_no,
        r.order_line_id, dense_rank() OVER (ORDER BY r.sku) - 1, r.sku,
        r.reserved - coalesce(had.units, 0)
    FROM allocating_orders AS o
    JOIN inventory.reservations AS r ON r.order_id = o.order_id
    JOIN orders.order_lines AS l ON l.order_line_id = r.order_line_id
    -- What an order got before it was changed, and what left, it has already.
    LEFT JOIN LATERAL (
        SELECT sum(a.quantity) AS units FROM warehouse.allocations AS a
        WHERE a.order_line_id = r.order_line_id
    ) AS had ON true
    WHERE r.reserved > coalesce(had.units, 0)
""")

# In a statement of its own: those that follow then see all that was committed before the locks.
_HOLD = sa.text("""
    WITH held AS (
        SELECT sku FROM inventory.positions
        WHERE sku IN (SELECT sku FROM allocating_lines)
        ORDER BY sku
        FOR UPDATE
    )
    SELECT count(*) FROM held
""")

_HOLD_ALL = sa.text("""
    WITH held AS (
        SELECT sku FROM inventory.positions
        WHERE sku IN (SELECT r.sku FROM claimed JOIN inventory.reservations AS r USING (order_id))
        ORDER BY sku
        FOR UPDATE
    )
    SELECT count(*) FROM held
""")

_ORDERS = sa.text("""
    SELECT CAST(extract(epoch FROM a.due_at) * 1000000 AS bigint), o.ship_to_latitude,
        o.ship_to_longitude, o.ship_to_country
    FROM allocating_orders AS a
    JOIN orders.orders AS o ON o.order_id = a.order_id
    ORDER BY a.order_no
""")
_SITES = sa.text("""
    SELECT s.latitude, s.longitude, s.country, s.handling_minor
    FROM allocating_sites AS a
    JOIN warehouse.sites AS s ON s.site_code = a.site_code
    ORDER BY a.site_no
""")
_LINES = sa.text("SELECT order_no, sku_no, units FROM allocating_lines ORDER BY line_no")
# Sales leave `on_hand` and the load stays: on hand + sold - allocated is free before and after.
_CELLS = sa.text("""
    SELECT n.sku_no, s.site_no, b.on_hand + b.sold - coalesce(l.allocated, 0) AS free
    FROM (SELECT DISTINCT sku, sku_no FROM allocating_lines) AS n
    JOIN inventory.balances AS b ON b.sku = n.sku
    JOIN allocating_sites AS s ON s.site_code = b.site_code
    LEFT JOIN warehouse.site_loads AS l ON l.sku = b.sku AND l.site_code = b.site_code
    WHERE b.on_hand + b.sold > coalesce(l.allocated, 0)
    ORDER BY n.sku_no, s.site_no
""")

# A move counts with those at the same moment; `most` is the largest sum of the moves from this
# moment or a later one until now.
_MOVES = sa.text("""
    WITH first_needed AS (
        SELECT l.sku, l.sku_no, min(o.due_at) AS due_at
        FROM allocating_lines AS l
        JOIN allocating_orders AS o ON o.order_no = l.order_no
        GROUP BY l.sku, l.sku_no
    ), moved AS (
        SELECT f.sku_no, s.site_no, m.moved_at, sum(m.quantity) AS units
        FROM first_needed AS f
        JOIN inventory.movements AS m ON m.sku = f.sku AND m.moved_at > f.due_at
        JOIN allocating_sites AS s ON s.site_code = m.site_code
        WHERE m.kind <> 'sale'
        GROUP BY f.sku_no, s.site_no, m.moved_at
    ), came_since AS (
        SELECT *, sum(units) OVER (
            PARTITION BY sku_no, site_no ORDER BY moved_at DESC
        ) AS came
        FROM moved
    )
    SELECT sku_no, site_no, CAST(extract(epoch FROM moved_at) * 1000000 AS bigint),
        CAST(greatest(0, max(came) OVER (
            PARTITION BY sku_no, site_no ORDER BY moved_at DESC
        )) AS bigint)
    FROM came_since
    ORDER BY sku_no, site_no, moved_at
""")


def hold_stock(conn: sa.Connection) -> None:
    """Lock the positions of everything reserved for the claimed orders."""
    conn.execute(_HOLD_ALL)


def read_problem(conn: sa.Connection, routing: Routing, with_archived: bool = False) -> Given:
    """Number the claimed orders and read them with the stock they may use, locked by SKU.

    Leaves `allocating_orders`, `allocating_lines` and `allocating_sites` behind, which tell what
    the numbers stand for.
    """
    number(conn, _CLAIMED_ORDERS, _RESERVED_LINES, with_archived)
    conn.execute(_HOLD)
    return read_numbered(conn, _CELLS, routing)


def number(
    conn: sa.Connection, orders: sa.TextClause, lines: sa.TextClause, with_archived: bool = True
) -> None:
    """Number the sites, and the orders and lines that the two statements insert."""
    for statement in _OPEN:
        conn.execute(statement)
    conn.execute(_OPEN_SITES, {"with_archived": with_archived})
    conn.execute(orders)
    count = conn.execute(lines).rowcount
    analyse(conn, sa.text("ANALYZE allocating_orders, allocating_lines"), count)


def read_numbered(conn: sa.Connection, cells: sa.TextClause, routing: Routing) -> Given:
    """Read what was numbered; `cells` selects `(sku_no, site_no, free)` in that order."""
    from ecom_assets.warehouse.allocation.problem import Orders, Sites
    from ecom_assets.warehouse.allocation.result import Lines

    due, latitude, longitude, country = columns(conn, _ORDERS, "i8", "f8", "f8", "U2")
    orders = Orders(due, latitude, longitude, country)
    sites = Sites(*columns(conn, _SITES, "f8", "f8", "U2", "i8"))
    lines = Lines(*columns(conn, _LINES, "i8", "i8", "i8"))
    # A ranking without costs must not pay for reading the rate card.
    is_priced = RankingRule.LOWEST_COST in routing.ranking
    prices = read_prices(conn, due) if is_priced else None
    return orders, sites, lines, _read_stock(conn, cells), routing, prices


def _read_stock(conn: sa.Connection, cells: sa.TextClause) -> Stock:
    import numpy as np

    from ecom_assets.warehouse.allocation.problem import Stock

    sku, site, free = columns(conn, cells, "i8", "i8", "i8")
    move_sku, move_site, move_at, most = columns(conn, _MOVES, "i8", "i8", "i8", "i8")
    span = int(max(site.max(initial=0), move_site.max(initial=0))) + 1
    # SKU and site as one number: cells are then found by one binary search.
    keys, move_keys = sku * span + site, move_sku * span + move_site
    # Moves of cells that have nothing left are of no use.
    useful = np.isin(move_keys, keys)
    cell = np.searchsorted(keys, move_keys[useful])
    return Stock(sku, site, free, cell, move_at[useful], most[useful])
