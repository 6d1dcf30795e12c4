"""Olist: catalogue, suppliers, and the supply side derived from where sellers and buyers are.

- **Sites**: the eight states whose sellers sold most items are hubs, each at the median coordinates
  of its sellers' zip prefixes. A seller belongs to the hub of its state, else to the nearest one.
- **Stock**: an SKU's home is the hub of the seller that sold most of it; the rest of the stock lies
  at the hub nearest to most of its buyers.
- **Rate card**: fitted to freight by distance from seller to buyer and billable weight, and to the
  days from hand-over to delivery.

Reads rows without a fate and the tables `importers.olist_orders` left.
"""

from __future__ import annotations

import sqlalchemy as sa

from importers.supply import derive_opening_stock, derive_rate_card, open_supply

HUBS = 8
"""States that get a site."""
HANDLING_MINOR = 150
"""Cost of handling one parcel at a hub, in centavos."""
PLAIN_PARCEL_MINOR = 1_200
"""Price of a parcel up to 1 kg over a short distance where data are few, in centavos."""

_SUPPLIERS = sa.text("""
    INSERT INTO feed_suppliers (supplier_key, name, country)
    SELECT seller_id,
        'Seller ' || left(seller_id, 8) || coalesce(' (' || seller_state || ')', ''), 'BR'
    FROM raw_sellers WHERE fate IS NULL
""")
_PRODUCTS = sa.text("""
    WITH sales AS (
        SELECT i.product_id, i.seller_id, count(*) AS units,
            (array_agg(i.price_minor ORDER BY o.placed_at, i.order_id, i.item_no))[1]
                AS first_minor,
            min(o.placed_at) AS first_at
        FROM olist_items AS i JOIN olist_orders AS o USING (order_id)
        GROUP BY i.product_id, i.seller_id
    ),
    main_sellers AS (
        SELECT DISTINCT ON (s.product_id) s.product_id, s.seller_id
        FROM sales AS s JOIN raw_sellers AS r ON r.seller_id = s.seller_id AND r.fate IS NULL
        ORDER BY s.product_id, s.units DESC, s.seller_id
    ),
    first_prices AS (
        SELECT DISTINCT ON (product_id) product_id, first_minor
        FROM sales ORDER BY product_id, first_at, seller_id
    ),
    named AS (
        SELECT p.*, coalesce(c.product_category_name_english, p.product_category_name,
            'uncategorised') AS category
        FROM raw_products AS p LEFT JOIN raw_categories AS c
            ON c.product_category_name = p.product_category_name AND c.fate IS NULL
        WHERE p.fate IS NULL
    )
    INSERT INTO feed_products (sku, name, category, currency, weight_g, length_mm, width_mm,
        height_mm, list_price_minor, supplier_key)
    SELECT product_id, replace(category, '_', ' ') || ' ' || left(product_id, 8), category, 'BRL',
        nullif(round(product_weight_g::numeric), 0),
        nullif(round(product_length_cm::numeric * 10), 0),
        nullif(round(product_width_cm::numeric * 10), 0),
        nullif(round(product_height_cm::numeric * 10), 0), f.first_minor, m.seller_id
    FROM named LEFT JOIN main_sellers AS m USING (product_id)
    LEFT JOIN first_prices AS f USING (product_id)
""")
_SELLERS = sa.text("""
    CREATE TEMPORARY TABLE olist_sellers ON COMMIT DROP AS
    WITH sold AS (SELECT seller_id, count(*) AS items FROM olist_items GROUP BY seller_id)
    SELECT r.seller_id, r.seller_state AS state, coalesce(sold.items, 0) AS items,
        CASE WHEN r.seller_city !~ '[0-9]' THEN r.seller_city END AS city,
        coalesce(p.latitude, s.latitude) AS latitude,
        coalesce(p.longitude, s.longitude) AS longitude
    FROM raw_sellers AS r
    LEFT JOIN sold USING (seller_id)
    LEFT JOIN olist_places AS p ON p.prefix = lpad(r.seller_zip_code_prefix, 5, '0')
    LEFT JOIN olist_states AS s ON s.state = r.seller_state
    WHERE r.fate IS NULL
""")
_SITES = sa.text("""
    INSERT INTO feed_sites (site_code, name, country, latitude, longitude, handling_minor, currency,
        region, city)
    SELECT 'BR-' || state, 'Hub ' || state, 'BR',
        -- Without any coordinates a hub is put at Brasília, in the middle of the country.
        coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY latitude), -15.79),
        coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY longitude), -47.88),
        :handling_minor, 'BRL', state, mode() WITHIN GROUP (ORDER BY city)
    FROM olist_sellers WHERE state IS NOT NULL
    GROUP BY state ORDER BY sum(items) DESC, count(*) DESC, state LIMIT :hubs
""")
_NEAREST = sa.text("""
    CREATE TEMPORARY TABLE olist_homes ON COMMIT DROP AS
    SELECT DISTINCT ON (s.seller_id) s.seller_id, h.site_code
    FROM olist_sellers AS s CROSS JOIN feed_sites AS h
    ORDER BY s.seller_id, s.state IS NOT DISTINCT FROM h.region DESC,
        pg_temp.km(s.latitude, s.longitude, h.latitude, h.longitude), h.site_code;

    CREATE TEMPORARY TABLE olist_nearest ON COMMIT DROP AS
    WITH points AS (
        SELECT DISTINCT latitude, longitude FROM olist_orders WHERE latitude IS NOT NULL
    )
    SELECT DISTINCT ON (p.latitude, p.longitude) p.latitude, p.longitude, h.site_code
    FROM points AS p CROSS JOIN feed_sites AS h
    ORDER BY p.latitude, p.longitude,
        pg_temp.km(p.latitude, p.longitude, h.latitude, h.longitude), h.site_code
""")
_DEMAND = sa.text("""
    WITH units AS (
        SELECT i.product_id AS sku, h.site_code AS home_site, n.site_code AS near_site
        FROM olist_items AS i JOIN olist_orders AS o USING (order_id)
        JOIN olist_homes AS h USING (seller_id)
        LEFT JOIN olist_nearest AS n USING (latitude, longitude)
        WHERE i.product_id IN (SELECT sku FROM feed_products)
    )
    INSERT INTO demand (sku, units, home_site, near_site)
    SELECT sku, count(*), mode() WITHIN GROUP (ORDER BY home_site),
        coalesce(mode() WITHIN GROUP (ORDER BY near_site), mode() WITHIN GROUP (ORDER BY home_site))
    FROM units GROUP BY sku
""")
_FREIGHT = sa.text("""
    INSERT INTO freight (km, weight_g, price_minor)
    SELECT pg_temp.km(s.latitude, s.longitude, o.latitude, o.longitude),
        -- Billable weight: bulky parcels are billed at 6000 cubic centimetres per kilogram.
        greatest(p.weight_g, p.length_mm / 6000.0 * p.width_mm * p.height_mm), i.freight_minor
    FROM olist_items AS i
    JOIN olist_orders AS o USING (order_id)
    JOIN olist_sellers AS s USING (seller_id)
    JOIN feed_products AS p ON p.sku = i.product_id
    WHERE o.latitude IS NOT NULL AND s.latitude IS NOT NULL AND p.weight_g IS NOT NULL
""")
_TRIPS = sa.text("""
    WITH parcels AS (
        SELECT DISTINCT o.order_id, s.latitude AS from_latitude, s.longitude AS from_longitude,
            o.latitude, o.longitude,
            extract(epoch FROM o.delivered_at - o.handed_over_at) / 86400 AS days
        FROM olist_items AS i JOIN olist_orders AS o USING (order_id)
        JOIN olist_sellers AS s USING (seller_id)
        WHERE o.latitude IS NOT NULL AND s.latitude IS NOT NULL
    )
    INSERT INTO trips (km, days)
    SELECT pg_temp.km(from_latitude, from_longitude, latitude, longitude), days
    -- Two months on the way is a lost parcel, not a transit time.
    FROM parcels WHERE days > 0 AND days < 60
""")


def map_supply(conn: sa.Connection) -> None:
    """Fill the feeds of suppliers, products, sites, opening stock and the rate card."""
    open_supply(conn)
    for statement in (_SUPPLIERS, _PRODUCTS, _SELLERS):
        conn.execute(statement)
    conn.execute(_SITES, {"handling_minor": HANDLING_MINOR, "hubs": HUBS})
    for statement in (_NEAREST, _DEMAND, _FREIGHT, _TRIPS):
        conn.execute(statement)
    derive_opening_stock(conn)
    derive_rate_card(conn, "olist", "BRL", PLAIN_PARCEL_MINOR)
