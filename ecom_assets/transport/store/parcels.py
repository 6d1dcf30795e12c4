"""The parcels of the claimed orders: what one site ships for one order."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.working import analyse

_PARCELS = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS parcels (
        order_id bigint, site_code text, due_at timestamptz NOT NULL, units bigint NOT NULL,
        weight_g bigint NOT NULL, is_weight_estimated boolean NOT NULL,
        volume_mm3 numeric NOT NULL, goods_minor bigint NOT NULL, currency char(3) NOT NULL,
        distance_km double precision, ready_at timestamptz NOT NULL, promised_at timestamptz,
        fulfilment_state text NOT NULL,
        PRIMARY KEY (order_id, site_code)
    ) ON COMMIT PRESERVE ROWS
""")

# Whole numbers throughout: a sum of floats would depend on the order of the rows.
_GATHER = sa.text("""
    INSERT INTO parcels
    SELECT
        a.order_id,
        a.site_code,
        c.due_at,
        sum(a.quantity),
        LEAST(
            sum(a.quantity::numeric * COALESCE(p.shipping_weight_g, :default_unit_weight_g)),
            2147483647
        ),
        bool_or(p.weight_g IS NULL),
        COALESCE(sum(a.quantity::numeric * p.length_mm * p.width_mm * p.height_mm), 0),
        sum(a.quantity * l.line_total_minor / l.quantity),
        o.currency,
        max(a.distance_km),
        max(a.available_at),
        o.promised_at,
        s.fulfilment_state
    FROM claimed AS c
    JOIN orders.orders AS o USING (order_id)
    JOIN flow.order_states AS s USING (order_id)
    JOIN warehouse.allocations AS a USING (order_id)
    JOIN orders.order_lines AS l USING (order_line_id)
    LEFT JOIN catalog.products AS p ON p.sku = a.sku
    GROUP BY a.order_id, a.site_code, c.due_at, o.order_id, s.order_id
""")


def open_parcels(conn: sa.Connection) -> None:
    """Make the temporary table `parcels`, or empty it."""
    conn.execute(_PARCELS)
    conn.execute(sa.text("DELETE FROM parcels"))


def gather_parcels(conn: sa.Connection, default_unit_weight_g: int) -> int:
    """Fill the temporary table `parcels` from the allocations of the orders in `claimed`.

    Args:
        conn: connection inside the transaction that claimed the orders.
        default_unit_weight_g: weight of a unit whose product has none, in grams.

    Returns:
        How many parcels there are.
    """
    open_parcels(conn)
    given = {"default_unit_weight_g": default_unit_weight_g}
    count = conn.execute(_GATHER, given).rowcount
    analyse(conn, sa.text("ANALYZE parcels"), count)
    return count
