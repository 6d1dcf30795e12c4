"""Olist: places, customers, orders with their lines and payments, and what became of them.

Reads rows without a fate. Leaves `olist_orders`, `olist_items` and `olist_places` for
`importers.olist_supply`.
"""

from __future__ import annotations

import sqlalchemy as sa

_PLACES = sa.text("""
    CREATE TEMPORARY TABLE olist_places ON COMMIT DROP AS
    SELECT lpad(geolocation_zip_code_prefix, 5, '0') AS prefix,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY geolocation_lat::double precision) AS latitude,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY geolocation_lng::double precision) AS longitude
    FROM raw_places WHERE fate IS NULL GROUP BY 1;

    CREATE TEMPORARY TABLE olist_states ON COMMIT DROP AS
    SELECT geolocation_state AS state,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY geolocation_lat::double precision) AS latitude,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY geolocation_lng::double precision) AS longitude
    FROM raw_places WHERE fate IS NULL AND geolocation_state IS NOT NULL GROUP BY 1;

    ANALYZE olist_places;
    ANALYZE olist_states
""")
_ORDERS = sa.text("""
    CREATE TEMPORARY TABLE olist_orders ON COMMIT DROP AS
    SELECT o.order_id, o.order_status AS status, c.customer_unique_id AS customer_key,
        c.customer_city AS city, c.customer_state AS state,
        lpad(c.customer_zip_code_prefix, 5, '0') AS prefix,
        coalesce(p.latitude, s.latitude) AS latitude,
        coalesce(p.longitude, s.longitude) AS longitude,
        o.order_purchase_timestamp::timestamp AT TIME ZONE 'America/Sao_Paulo' AS placed_at,
        o.order_approved_at::timestamp AT TIME ZONE 'America/Sao_Paulo' AS approved_at,
        o.order_delivered_carrier_date::timestamp AT TIME ZONE 'America/Sao_Paulo'
            AS handed_over_at,
        o.order_delivered_customer_date::timestamp AT TIME ZONE 'America/Sao_Paulo' AS delivered_at,
        (date_trunc('day', o.order_estimated_delivery_date::timestamp) + interval '1 day -1 second')
            AT TIME ZONE 'America/Sao_Paulo' AS promised_at
    FROM raw_orders AS o
    JOIN raw_customers AS c ON c.customer_id = o.customer_id AND c.fate IS NULL
    LEFT JOIN olist_places AS p ON p.prefix = lpad(c.customer_zip_code_prefix, 5, '0')
    LEFT JOIN olist_states AS s ON s.state = c.customer_state
    WHERE o.fate IS NULL;

    CREATE TEMPORARY TABLE olist_items ON COMMIT DROP AS
    SELECT order_id, order_item_id::int AS item_no, product_id, seller_id,
        round(price::numeric * 100)::bigint AS price_minor,
        round(freight_value::numeric * 100)::bigint AS freight_minor,
        shipping_limit_date::timestamp AT TIME ZONE 'America/Sao_Paulo' AS shipping_limit_at
    FROM raw_items WHERE fate IS NULL;

    ANALYZE olist_orders;
    ANALYZE olist_items
""")
_CUSTOMERS = sa.text("""
    INSERT INTO feed_customers (customer_key, country)
    SELECT DISTINCT customer_unique_id, 'BR' FROM raw_customers WHERE fate IS NULL
""")
_PAYLOADS = sa.text("""
    WITH lines AS (
        SELECT order_id, product_id, seller_id, price_minor, count(*) AS quantity,
            row_number() OVER (PARTITION BY order_id ORDER BY min(item_no)) AS line_no
        FROM olist_items GROUP BY order_id, product_id, seller_id, price_minor
    ),
    lines_of_order AS (
        SELECT order_id, jsonb_agg(jsonb_build_object(
            'line_no', line_no, 'sku', product_id, 'quantity', quantity,
            'unit_price_minor', price_minor, 'seller', seller_id) ORDER BY line_no) AS lines
        FROM lines GROUP BY order_id
    ),
    freight_of_order AS (
        SELECT order_id, sum(freight_minor) AS shipping_minor FROM olist_items GROUP BY order_id
    ),
    payments_of_order AS (
        SELECT p.order_id, jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'sequence', p.payment_sequential::int,
            'method', CASE WHEN p.payment_type = 'credit_card' THEN 'card'
                WHEN p.payment_type IN ('boleto', 'voucher', 'debit_card') THEN p.payment_type
                ELSE 'unknown' END,
            'amount_minor', round(p.payment_value::numeric * 100)::bigint,
            'installments', greatest(1, p.payment_installments::int),
            'authorised_at', o.approved_at,
            'anomaly', CASE
                WHEN p.payment_installments::int = 0 THEN 'zero_instalments'
                WHEN p.payment_type = 'not_defined' THEN 'method_not_defined'
                WHEN p.payment_type NOT IN ('credit_card', 'boleto', 'voucher', 'debit_card')
                    THEN 'method_not_known'
                WHEN p.payment_value::numeric = 0 THEN 'zero_amount' END
            )) ORDER BY p.payment_sequential::int) AS payments
        FROM raw_payments AS p JOIN olist_orders AS o USING (order_id)
        WHERE p.fate IS NULL GROUP BY p.order_id
    )
    INSERT INTO feed_orders (channel, external_id, received_at, payload)
    SELECT 'olist', o.order_id, o.placed_at, jsonb_strip_nulls(jsonb_build_object(
        'placed_at', o.placed_at, 'promised_at', o.promised_at, 'currency', 'BRL',
        'customer', jsonb_build_object('key', o.customer_key),
        'ship_to', jsonb_build_object('city', o.city, 'region', o.state, 'postal_code', o.prefix,
            'country', 'BR', 'latitude', o.latitude, 'longitude', o.longitude),
        'lines', coalesce(l.lines, '[]'), 'shipping_minor', coalesce(f.shipping_minor, 0),
        'payments', coalesce(p.payments, '[]')))
    FROM olist_orders AS o
    LEFT JOIN lines_of_order AS l USING (order_id)
    LEFT JOIN freight_of_order AS f USING (order_id)
    LEFT JOIN payments_of_order AS p USING (order_id)
""")
# An outcome keeps no moment where the source has none; the anomaly says what is odd about it.
_STATUSES = sa.text("""
    WITH limits AS (
        SELECT order_id, min(shipping_limit_at) AS first_at, max(shipping_limit_at) AS last_at
        FROM olist_items GROUP BY order_id
    )
    INSERT INTO feed_observed_events (channel, external_id, kind, reference, detail, anomaly)
    SELECT 'olist', o.order_id, 'source_status', '',
        jsonb_strip_nulls(jsonb_build_object('status', o.status, 'ship_by_at', l.last_at)),
        -- Sellers are given days, not months; some limits lie years ahead.
        CASE WHEN l.first_at < o.placed_at OR l.last_at > o.placed_at + interval '180 days'
            THEN 'shipping_limit_absurd' END
    FROM olist_orders AS o LEFT JOIN limits AS l USING (order_id)
    UNION ALL
    SELECT 'olist', order_id, 'cancelled', '', '{}'::jsonb,
        CASE WHEN delivered_at IS NOT NULL THEN 'cancelled_but_delivered' END
    FROM olist_orders WHERE status = 'canceled'
""")
_DELIVERIES = sa.text("""
    INSERT INTO feed_observed_events
        (channel, external_id, kind, reference, detail, happened_at, anomaly)
    SELECT 'olist', order_id, 'handed_over', '', '{}'::jsonb, handed_over_at,
        CASE WHEN handed_over_at < placed_at THEN 'handed_over_before_purchase'
            WHEN handed_over_at < approved_at THEN 'handed_over_before_approval'
            WHEN approved_at IS NULL THEN 'handed_over_without_approval' END
    FROM olist_orders WHERE handed_over_at IS NOT NULL
    UNION ALL
    SELECT 'olist', order_id, 'delivered', '', '{}'::jsonb, delivered_at,
        CASE WHEN delivered_at IS NULL THEN 'delivered_without_date'
            WHEN status = 'canceled' THEN 'cancelled_but_delivered'
            WHEN handed_over_at IS NULL THEN 'delivered_without_hand_over'
            WHEN delivered_at < handed_over_at THEN 'delivered_before_hand_over' END
    FROM olist_orders WHERE delivered_at IS NOT NULL OR status = 'delivered'
""")
_REVIEWS = sa.text("""
    WITH reviews AS (
        SELECT order_id, review_id, review_score::int AS score, review_comment_title AS title,
            review_comment_message AS message,
            review_creation_date::timestamp AT TIME ZONE 'America/Sao_Paulo' AS asked_at,
            review_answer_timestamp::timestamp AT TIME ZONE 'America/Sao_Paulo' AS answered_at
        FROM raw_reviews WHERE fate IS NULL
    )
    INSERT INTO feed_observed_events
        (channel, external_id, kind, reference, detail, happened_at, anomaly)
    SELECT 'olist', r.order_id, 'reviewed', r.review_id,
        jsonb_strip_nulls(jsonb_build_object('score', r.score, 'title', r.title,
            'message', r.message, 'asked_at', r.asked_at)),
        coalesce(r.answered_at, r.asked_at),
        CASE WHEN coalesce(r.answered_at, r.asked_at) < o.placed_at THEN 'review_before_purchase'
            WHEN coalesce(r.answered_at, r.asked_at) < o.delivered_at THEN 'review_before_delivery'
        END
    FROM reviews AS r JOIN olist_orders AS o USING (order_id)
""")


def map_orders(conn: sa.Connection) -> None:
    """Fill the feeds of customers and orders."""
    for statement in (_PLACES, _ORDERS, _CUSTOMERS, _PAYLOADS):
        conn.execute(statement)


def map_outcomes(conn: sa.Connection) -> None:
    """Fill the feed of observed events; reads what `map_orders` left."""
    for statement in (_STATUSES, _DELIVERIES, _REVIEWS):
        conn.execute(statement)
