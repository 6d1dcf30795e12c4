"""Rewriting orders and their lines from a new document.

When the order was placed and by whom stays what it was. A line keeps its id as long as its number
is used: what shipped refers to it.
"""

from __future__ import annotations

import sqlalchemy as sa

_ORDERS = sa.text("""
    UPDATE orders.orders AS o SET
        revision = i.revision, inbox_id = i.inbox_id, customer_name = m.customer_name,
        email = m.customer_email, phone = m.customer_phone,
        decided_as_of = CASE WHEN c.outcome = 'reopened'
            THEN greatest(c.happened_at, m.last_authorised_at) ELSE o.decided_as_of END,
        promised_at = m.promised_at, items_minor = m.items_minor,
        discount_minor = m.discount_minor, shipping_minor = coalesce(m.shipping_minor, 0),
        tax_minor = m.tax_minor,
        total_minor = m.items_minor - m.discount_minor + coalesce(m.shipping_minor, 0),
        ship_to_name = m.ship_to_name, ship_to_line1 = m.ship_to_line1,
        ship_to_city = m.ship_to_city, ship_to_region = m.ship_to_region,
        ship_to_postal_code = m.ship_to_postal_code, ship_to_country = m.ship_to_country,
        ship_to_latitude = m.ship_to_latitude, ship_to_longitude = m.ship_to_longitude,
        ip_address = m.context_ip_address, device_id = m.context_device_id, run_id = :run
    FROM settling_changes AS c
    JOIN read_messages AS m ON m.inbox_id = c.revised_inbox_id
    JOIN orders.inbox AS i ON i.inbox_id = c.revised_inbox_id
    WHERE o.order_id = c.order_id
""")
_CHANGED_LINES = sa.text("""
    UPDATE orders.order_lines AS l SET
        sku = r.sku, quantity = r.quantity, unit_price_minor = r.unit_price_minor,
        discount_minor = coalesce(r.discount_minor, 0), tax_minor = coalesce(r.tax_minor, 0),
        line_total_minor = r.quantity * r.unit_price_minor - coalesce(r.discount_minor, 0),
        seller = r.seller
    FROM settling_changes AS c JOIN read_lines AS r ON r.inbox_id = c.revised_inbox_id
    WHERE l.order_id = c.order_id AND l.line_no = r.line_no
""")
_GONE_LINES = sa.text("""
    DELETE FROM orders.order_lines AS l USING settling_changes AS c
    WHERE l.order_id = c.order_id AND c.revised_inbox_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM read_lines AS r
        WHERE r.inbox_id = c.revised_inbox_id AND r.line_no = l.line_no)
""")
_NEW_LINES = sa.text("""
    INSERT INTO orders.order_lines (
        order_id, line_no, sku, quantity, unit_price_minor, discount_minor, tax_minor,
        line_total_minor, seller)
    SELECT c.order_id, r.line_no, r.sku, r.quantity, r.unit_price_minor,
        coalesce(r.discount_minor, 0), coalesce(r.tax_minor, 0),
        r.quantity * r.unit_price_minor - coalesce(r.discount_minor, 0), r.seller
    FROM settling_changes AS c JOIN read_lines AS r ON r.inbox_id = c.revised_inbox_id
    WHERE NOT EXISTS (
        SELECT FROM orders.order_lines AS l
        WHERE l.order_id = c.order_id AND l.line_no = r.line_no)
    ORDER BY c.order_id, r.line_no
""")


def rewrite(conn: sa.Connection, run: str) -> None:
    """Rewrite the orders in `settling_changes` that have a new document, read before.

    Args:
        conn: connection with `settling_changes`, `read_messages` and `read_lines` filled.
        run: Dagster run id.
    """
    conn.execute(_ORDERS, {"run": run})
    for statement in (_CHANGED_LINES, _GONE_LINES, _NEW_LINES):
        conn.execute(statement)
