"""UCI: customers, orders with their lines, and cancellations as observed events.

Reads rows without a fate. Leaves `uci_lines` for `importers.uci_supply`.
"""

from __future__ import annotations

import sqlalchemy as sa

_LINES = sa.text("""
    CREATE TEMPORARY TABLE uci_lines ON COMMIT DROP AS
    SELECT row_no, "InvoiceNo" AS invoice, upper(trim("StockCode")) AS sku,
        trim("Description") AS description, "Quantity"::numeric::bigint AS quantity,
        "InvoiceDate"::timestamp AT TIME ZONE 'Europe/London' AS written_at,
        round("UnitPrice"::numeric * 100)::bigint AS price_minor,
        'uci:' || split_part("CustomerID", '.', 1) AS customer_key, "Country" AS place,
        upper(trim("StockCode")) IN ('POST', 'DOT', 'C2') AS is_shipping
    FROM raw_lines WHERE fate IS NULL AND "InvoiceNo" NOT LIKE 'C%';
    ANALYZE uci_lines;

    CREATE TEMPORARY TABLE uci_orders ON COMMIT DROP AS
    SELECT invoice, min(written_at) AS placed_at,
        coalesce(min(customer_key), 'guest:' || invoice) AS customer_key, min(place) AS place,
        coalesce(sum(quantity) FILTER (WHERE NOT is_shipping), 0)::bigint AS units,
        -- Absurd amounts may be larger than a bigint; the inbox parks such an order.
        coalesce(sum(quantity::numeric * price_minor) FILTER (WHERE is_shipping), 0)
            AS shipping_minor,
        sum(quantity::numeric * price_minor) AS total_minor
    FROM uci_lines GROUP BY invoice HAVING bool_or(NOT is_shipping);
    ANALYZE uci_orders
""")
_PARK_LONE_SHIPPING = sa.text("""
    UPDATE raw_lines AS r SET fate = 'parked', reason = 'shipping_without_products',
        subject = r."InvoiceNo", detail = 'StockCode: ' || r."StockCode" || ' stands alone'
    FROM uci_lines AS l
    WHERE l.row_no = r.row_no AND l.invoice NOT IN (SELECT invoice FROM uci_orders)
""")
_CUSTOMERS = sa.text("""
    INSERT INTO feed_customers (customer_key, country)
    SELECT DISTINCT ON (o.customer_key) o.customer_key, c.country
    FROM uci_orders AS o JOIN uci_countries AS c ON c.name = o.place
    WHERE o.customer_key LIKE 'uci:%'
    ORDER BY o.customer_key, o.placed_at DESC, o.invoice DESC
""")
_PAYLOADS = sa.text("""
    WITH lines AS (
        SELECT invoice, sku, price_minor, sum(quantity)::bigint AS quantity,
            row_number() OVER (PARTITION BY invoice ORDER BY min(row_no)) AS line_no
        FROM uci_lines WHERE NOT is_shipping GROUP BY invoice, sku, price_minor
    ),
    lines_of_order AS (
        SELECT invoice, json_agg(json_build_object('line_no', line_no, 'sku', sku,
            'quantity', quantity, 'unit_price_minor', price_minor) ORDER BY line_no) AS lines
        FROM lines GROUP BY invoice
    )
    INSERT INTO feed_orders (channel, external_id, received_at, payload)
    SELECT 'uci', o.invoice, o.placed_at, json_build_object(
        'placed_at', o.placed_at, 'currency', 'GBP',
        'customer', json_build_object('key', o.customer_key),
        'ship_to', json_build_object('country', c.country, 'latitude', c.latitude,
            'longitude', c.longitude),
        'lines', l.lines, 'shipping_minor', o.shipping_minor,
        'payments', json_build_array(json_build_object('sequence', 1, 'method', 'invoice',
            'amount_minor', o.total_minor, 'installments', 1, 'authorised_at', o.placed_at))
        )::jsonb
    FROM uci_orders AS o
    JOIN lines_of_order AS l USING (invoice)
    JOIN uci_countries AS c ON c.name = o.place
""")
# Which order a cancellation takes back is not said; the latest that could be meant is taken, and of
# equal moments the higher invoice number, so that the match is the same every time.
_MATCHES = sa.text("""
    CREATE TEMPORARY TABLE uci_returns ON COMMIT DROP AS
    WITH cancelled AS (
        SELECT row_no, "InvoiceNo" AS cancellation, upper(trim("StockCode")) AS sku,
            -("Quantity"::numeric::bigint) AS quantity,
            round("UnitPrice"::numeric * 100)::bigint AS price_minor,
            "InvoiceDate"::timestamp AT TIME ZONE 'Europe/London' AS written_at,
            'uci:' || split_part("CustomerID", '.', 1) AS customer_key
        FROM raw_lines WHERE fate IS NULL AND "InvoiceNo" LIKE 'C%'
    ),
    bought AS (
        SELECT l.invoice, o.customer_key, l.sku, sum(l.quantity)::bigint AS quantity,
            o.placed_at, o.units
        FROM uci_lines AS l JOIN uci_orders AS o USING (invoice)
        WHERE NOT l.is_shipping
        GROUP BY l.invoice, o.customer_key, l.sku, o.placed_at, o.units
    )
    SELECT DISTINCT ON (c.row_no) c.*, b.invoice, b.units AS units_of_order,
        b.quantity AS bought
    FROM cancelled AS c LEFT JOIN bought AS b
        ON b.customer_key = c.customer_key AND b.sku = c.sku AND b.quantity >= c.quantity
        AND b.placed_at <= c.written_at
    ORDER BY c.row_no, b.placed_at DESC, b.invoice DESC
""")
_PARK_UNMATCHED = sa.text("""
    UPDATE raw_lines AS r SET fate = 'parked', reason = 'cancellation_unmatched',
        subject = r."InvoiceNo",
        detail = 'StockCode: no earlier order of the customer has as much of ' || r."StockCode"
    FROM uci_returns AS u WHERE u.row_no = r.row_no AND u.invoice IS NULL
""")
_EVENTS = sa.text("""
    WITH excess AS (
        SELECT invoice, bool_or(returned > bought) AS is_excess
        FROM (SELECT invoice, sku, sum(quantity) AS returned, max(bought) AS bought
              FROM uci_returns GROUP BY invoice, sku) AS by_product
        GROUP BY invoice
    )
    INSERT INTO feed_observed_events
        (channel, external_id, kind, reference, detail, happened_at, anomaly)
    SELECT 'uci', u.invoice,
        CASE WHEN sum(u.quantity) >= max(u.units_of_order) THEN 'cancelled' ELSE 'returned' END,
        u.cancellation,
        jsonb_build_object('lines', jsonb_agg(jsonb_build_object('sku', u.sku,
            'quantity', u.quantity, 'unit_price_minor', u.price_minor) ORDER BY u.row_no)),
        min(u.written_at),
        CASE WHEN bool_or(e.is_excess) THEN 'returned_more_than_ordered' END
    FROM uci_returns AS u JOIN excess AS e USING (invoice)
    GROUP BY u.invoice, u.cancellation
""")


def map_orders(conn: sa.Connection) -> None:
    """Fill the feeds of customers and orders."""
    for statement in (_LINES, _PARK_LONE_SHIPPING, _CUSTOMERS, _PAYLOADS):
        conn.execute(statement)


def map_returns(conn: sa.Connection) -> None:
    """Fill the feed of observed events from cancellations; reads what `map_orders` left."""
    for statement in (_MATCHES, _PARK_UNMATCHED, _EVENTS):
        conn.execute(statement)
