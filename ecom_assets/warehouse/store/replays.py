"""The sites a replay's orders would have got: the live choice, on the stock that was there then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ecom_assets.shared.replays import CHUNK
from ecom_assets.shared.versions import Version, starts_of, version_at
from ecom_assets.warehouse.rules import Routing
from ecom_assets.warehouse.store.allocations import copy_columns
from ecom_assets.warehouse.store.problem import number, read_numbered

if TYPE_CHECKING:
    from ecom_assets.warehouse.allocation.result import Allocations

_ALLOTTED = sa.text("""
    CREATE TEMPORARY TABLE replay_allotted (
        line_no bigint, site_no bigint, quantity integer, distance_km double precision,
        available_us bigint
    ) ON COMMIT DROP
""")

# All that ever came in, without sales, less what other orders had been given before the range. What
# orders after it were given does not count: they come later.
_STOCK = (
    sa.text("""
        CREATE TEMPORARY TABLE replay_cells (
            sku text, site_code text, free bigint NOT NULL, PRIMARY KEY (sku, site_code)
        ) ON COMMIT DROP
    """),
    sa.text("""
        INSERT INTO replay_cells
        WITH asked AS (
            SELECT DISTINCT sku FROM replay_lines
        ), given AS (
            SELECT a.sku, a.site_code, sum(a.quantity) AS units
            FROM warehouse.allocations AS a
            WHERE a.allocated_as_of < :from_at AND a.sku IN (SELECT sku FROM asked)
                AND NOT EXISTS (SELECT FROM replay_range AS r WHERE r.order_id = a.order_id)
            GROUP BY a.sku, a.site_code
        )
        SELECT b.sku, b.site_code, b.on_hand + b.sold - coalesce(g.units, 0)
        FROM inventory.balances AS b
        LEFT JOIN given AS g ON g.sku = b.sku AND g.site_code = b.site_code
        WHERE b.sku IN (SELECT sku FROM asked)
    """),
    sa.text("ANALYZE replay_cells"),
)

_ORDERS = sa.text("""
    INSERT INTO allocating_orders
    SELECT row_number() OVER (ORDER BY turn, due_at, order_id) - 1, order_id, due_at
    FROM (
        SELECT turn, due_at, order_id, bool_and(rule = first_rule) OVER (
            ORDER BY turn, due_at, order_id
        ) AS is_alike
        FROM (
            SELECT turn, due_at, order_id, rule, first_value(rule) OVER (
                ORDER BY turn, due_at, order_id
            ) AS first_rule
            FROM replay_orders
            CROSS JOIN LATERAL width_bucket(due_at, CAST(:starts AS timestamptz[])) AS rule
            WHERE (turn, due_at, order_id) > (:turn, :due_at, :order_id)
            ORDER BY turn, due_at, order_id
            LIMIT :most
        ) AS next
    ) AS compared
    -- Up to where another version of the routing begins: those are the next chunk's.
    WHERE is_alike
""")
_LAST = sa.text("""
    SELECT t.turn, t.due_at, t.order_id
    FROM allocating_orders AS o JOIN replay_orders AS t USING (order_id)
    ORDER BY o.order_no DESC LIMIT 1
""")
_LINES = sa.text("""
    INSERT INTO allocating_lines
    SELECT row_number() OVER (ORDER BY o.order_no, r.sku, l.line_no) - 1, o.order_no,
        r.order_line_id, dense_rank() OVER (ORDER BY r.sku) - 1, r.sku, r.quantity
    FROM allocating_orders AS o
    JOIN replay_lines AS r ON r.order_id = o.order_id
    JOIN orders.order_lines AS l ON l.order_line_id = r.order_line_id
""")
_CELLS = sa.text("""
    SELECT n.sku_no, s.site_no, c.free
    FROM (SELECT DISTINCT sku, sku_no FROM allocating_lines) AS n
    JOIN replay_cells AS c ON c.sku = n.sku
    JOIN allocating_sites AS s ON s.site_code = c.site_code
    WHERE c.free > 0
    ORDER BY n.sku_no, s.site_no
""")
_TAKE = (
    sa.text("ANALYZE replay_allotted"),
    sa.text("""
        INSERT INTO replay_allocations
        SELECT o.order_id, l.order_line_id, l.sku, s.site_code, a.quantity,
            nullif(a.distance_km, 'NaN'),
            timestamptz 'epoch' + a.available_us * interval '1 microsecond'
        FROM replay_allotted AS a
        JOIN allocating_lines AS l ON l.line_no = a.line_no
        JOIN allocating_orders AS o ON o.order_no = l.order_no
        JOIN allocating_sites AS s ON s.site_no = a.site_no
    """),
    sa.text("""
        WITH taken AS (
            SELECT l.sku, s.site_code, sum(a.quantity) AS units
            FROM replay_allotted AS a
            JOIN allocating_lines AS l ON l.line_no = a.line_no
            JOIN allocating_sites AS s ON s.site_no = a.site_no
            GROUP BY l.sku, s.site_code
        )
        UPDATE replay_cells AS c SET free = c.free - t.units
        FROM taken AS t
        WHERE c.sku = t.sku AND c.site_code = t.site_code
    """),
    # All chunks share a transaction, in which deleted rows would still be read.
    sa.text("TRUNCATE replay_allotted, allocating_orders, allocating_lines, allocating_sites"),
)


def allocate_anew(
    conn: sa.Connection,
    from_at: datetime,
    versions: Sequence[Version[Routing]],
    progress: Callable[[str], object],
    chunk: int = CHUNK,
) -> None:
    """Choose the sites of `replay_orders` in turn, into `replay_allocations`.

    Stock that came to be known late counts from its own moment on.

    Args:
        conn: the replay's transaction; nothing live is locked or written.
        from_at: first moment of the range; what was given before it is gone.
        versions: how to rank the sites, each for the orders of its period.
        progress: told after each chunk.
        chunk: orders at once.

    Raises:
        NotCovered: the stock of all sites is less than `replay_lines` asks for.
    """
    from ecom_assets.warehouse.allocation.result import allocate as choose_sites

    for statement in (_ALLOTTED, *_STOCK):
        conn.execute(statement, {"from_at": from_at})
    place: dict[str, object] = {"turn": -1, "due_at": from_at, "order_id": 0}
    count, starts = 0, starts_of(versions)
    while True:
        number(conn, _ORDERS.bindparams(most=chunk, starts=starts, **place), _LINES)
        last = conn.execute(_LAST).mappings().first()
        if last is None:
            return
        routing = version_at(versions, last["due_at"]).policy
        given = read_numbered(conn, _CELLS, routing)
        _take(conn, choose_sites(*given).rows(given[2]))
        place = dict(last)
        count += len(given[0].due)
        progress(f"sites: {count:,} orders")


def _take(conn: sa.Connection, rows: Allocations) -> None:
    columns = rows.line, rows.site, rows.quantity, rows.distance, rows.available
    copy_columns(conn, "COPY replay_allotted FROM STDIN", columns)
    for statement in _TAKE:
        conn.execute(statement)
