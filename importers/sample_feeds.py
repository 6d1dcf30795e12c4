"""The sample shop's rows as feeds; reads rows without a fate, whose fields are sound."""

from __future__ import annotations

import sqlalchemy as sa

_SUPPLIERS = sa.text("""
    INSERT INTO feed_suppliers (supplier_key, name, country, lead_time_days,
        lead_time_spread_days, minimum_order_minor)
    SELECT supplier_key, name, country, lead_time_days::double precision,
        lead_time_spread_days::double precision, minimum_order_minor::numeric::bigint
    FROM raw_suppliers WHERE fate IS NULL
""")
_PRODUCTS = sa.text("""
    INSERT INTO feed_products (sku, name, category, currency, brand, weight_g, length_mm, width_mm,
        height_mm, unit_cost_minor, list_price_minor, supplier_key)
    -- A weight or side of zero means that nobody measured it.
    SELECT sku, name, coalesce(category, 'uncategorised'), currency, brand,
        nullif(weight_g::int, 0), nullif(length_mm::int, 0), nullif(width_mm::int, 0),
        nullif(height_mm::int, 0), unit_cost_minor::numeric::bigint,
        list_price_minor::numeric::bigint, supplier_key
    FROM raw_products WHERE fate IS NULL
""")
_CUSTOMERS = sa.text("""
    INSERT INTO feed_customers (customer_key, country, name, email, phone, signed_up_at)
    SELECT customer_key, country, name, email, phone,
        signed_up_at::timestamp AT TIME ZONE 'UTC'
    FROM raw_customers WHERE fate IS NULL
""")
_SITES = sa.text("""
    INSERT INTO feed_sites (site_code, name, country, latitude, longitude, handling_minor,
        currency, region, city, postal_code, daily_capacity)
    SELECT site_code, name, country, latitude::double precision, longitude::double precision,
        handling_minor::numeric::bigint, currency, region, city, postal_code, daily_capacity::int
    FROM raw_sites WHERE fate IS NULL
""")
_MOVEMENTS = sa.text("""
    INSERT INTO feed_movements (sku, site_code, kind, quantity, moved_at, reference)
    SELECT sku, site_code, kind, quantity::numeric::bigint,
        moved_at::timestamp AT TIME ZONE 'UTC', reference
    FROM raw_movements WHERE fate IS NULL
""")
_CARRIERS = sa.text("""
    INSERT INTO feed_carriers (carrier_code, name)
    SELECT carrier_code, name FROM raw_carriers WHERE fate IS NULL
""")
_SERVICES = sa.text("""
    INSERT INTO feed_services (service_code, carrier_code, name, max_weight_g, dim_divisor, quality)
    SELECT service_code, carrier_code, name, max_weight_g::int, dim_divisor::int,
        quality::double precision
    FROM raw_services WHERE fate IS NULL
""")
_ZONES = sa.text("""
    INSERT INTO feed_zones (zone_code, from_km, to_km)
    SELECT zone_code, from_km::double precision, coalesce(to_km, 'Infinity')::double precision
    FROM raw_zones WHERE fate IS NULL
""")
_RATES = sa.text("""
    INSERT INTO feed_rates (service_code, zone_code, from_g, to_g, price_minor, currency,
        transit_days, transit_spread_days, valid_from_at, valid_to_at)
    SELECT service_code, zone_code, from_g::int, to_g::int, price_minor::numeric::bigint, currency,
        transit_days::double precision, transit_spread_days::double precision,
        valid_from_at::timestamp AT TIME ZONE 'UTC', valid_to_at::timestamp AT TIME ZONE 'UTC'
    FROM raw_rates WHERE fate IS NULL
""")

_ORDERS = sa.text("""
    WITH lines_of_order AS (
        SELECT channel, external_id, jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'line_no', line_no::int, 'sku', sku, 'quantity', quantity::numeric::bigint,
            'unit_price_minor', unit_price_minor::numeric::bigint,
            'discount_minor', discount_minor::numeric::bigint,
            'tax_minor', tax_minor::numeric::bigint)) ORDER BY line_no::int) AS lines
        FROM raw_lines WHERE fate IS NULL GROUP BY channel, external_id
    ),
    payments_of_order AS (
        SELECT channel, external_id, jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'sequence', sequence::int, 'method', method,
            'amount_minor', amount_minor::numeric::bigint,
            'installments', coalesce(installments::int, 1),
            'authorised_at', authorised_at::timestamp AT TIME ZONE 'UTC',
            'provider_reference', provider_reference, 'card_fingerprint', card_fingerprint,
            'avs_result', avs_result, 'cvv_result', cvv_result)) ORDER BY sequence::int) AS payments
        FROM raw_payments WHERE fate IS NULL GROUP BY channel, external_id
    )
    INSERT INTO feed_orders (channel, external_id, received_at, payload)
    SELECT o.channel, o.external_id, o.received_at::timestamp AT TIME ZONE 'UTC',
        jsonb_strip_nulls(jsonb_build_object(
            'placed_at', o.placed_at::timestamp AT TIME ZONE 'UTC',
            'promised_at', o.promised_at::timestamp AT TIME ZONE 'UTC',
            'currency', o.currency,
            'customer', jsonb_build_object('key', o.customer_key, 'name', o.name,
                'email', o.email, 'phone', o.phone),
            'ship_to', jsonb_build_object('name', o.name, 'line1', o.line1, 'city', o.city,
                'region', o.region, 'postal_code', o.postal_code, 'country', o.country,
                'latitude', o.latitude::double precision,
                'longitude', o.longitude::double precision),
            'context', jsonb_build_object('ip_address', o.ip_address, 'device_id', o.device_id),
            'lines', coalesce(l.lines, '[]'),
            'shipping_minor', coalesce(o.shipping_minor::numeric::bigint, 0),
            'total_minor', o.total_minor::numeric::bigint,
            'payments', coalesce(p.payments, '[]')))
    FROM raw_orders AS o
    LEFT JOIN lines_of_order AS l USING (channel, external_id)
    LEFT JOIN payments_of_order AS p USING (channel, external_id)
    WHERE o.fate IS NULL
""")

_EVENTS = sa.text("""
    INSERT INTO feed_observed_events
        (channel, external_id, kind, reference, detail, happened_at, anomaly)
    SELECT e.channel, e.external_id, e.kind, '',
        jsonb_strip_nulls(jsonb_build_object('score', e.score::int, 'reason', e.note)),
        e.happened_at::timestamp AT TIME ZONE 'UTC',
        CASE WHEN e.happened_at IS NULL THEN e.kind || '_without_date'
            WHEN e.happened_at::timestamp < o.placed_at::timestamp
                THEN e.kind || '_before_purchase' END
    FROM raw_events AS e JOIN raw_orders AS o USING (channel, external_id)
    WHERE e.fate IS NULL AND o.fate IS NULL
""")
_LABELS = sa.text("""
    INSERT INTO feed_labels (channel, external_id, label, known_at, source)
    SELECT channel, external_id, label, known_at::timestamp AT TIME ZONE 'UTC', source
    FROM raw_labels WHERE fate IS NULL
""")


def map_base(conn: sa.Connection) -> None:
    """Fill the feeds of what is there before orders: products, people, sites, rates, stock."""
    for statement in (_SUPPLIERS, _PRODUCTS, _CUSTOMERS, _SITES, _MOVEMENTS):
        conn.execute(statement)
    for statement in (_CARRIERS, _SERVICES, _ZONES, _RATES):
        conn.execute(statement)


def map_orders(conn: sa.Connection) -> None:
    """Fill the feed of orders with canonical documents."""
    conn.execute(_ORDERS)


def map_outcomes(conn: sa.Connection) -> None:
    """Fill the feeds of observed events and of fraud labels."""
    for statement in (_EVENTS, _LABELS):
        conn.execute(statement)
