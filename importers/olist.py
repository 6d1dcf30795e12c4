"""Olist, a Brazilian marketplace: nine related tables, one order in a currency (BRL).

What is taken how:

- **Moments** are local times of São Paulo without an offset (daylight saving included).
- **Customers** are persons (`customer_unique_id`); one may have several customer
  ids, one per order.
- **Lines**: items of one order with the same product, seller and price are one line with a
  quantity. Freight of all items is the shipping charged. An order without items is handed on as it
  is; the inbox parks it.
- **Payments** are authorised when the order was approved, pending without approval.
- **Promise**: the end of the estimated delivery day.
- **Places**: the median of the distinct coordinates of a zip prefix, else of the state.
- **Outcomes** (status, hand-over, delivery, reviews, cancellation) become observed events, odd ones
  with an anomaly; they are never part of the order itself.
- **Fates**: of rows with the same key the last counts and those before are superseded, as are exact
  repeats of a coordinate. A row that belongs to an order the source does not have is parked as
  `order_missing`. An order with an unusable item or payment is parked whole, since it would be
  shipped or paid in part, and its rows follow as `order_parked`.

Derived, since the source has none (see `importers.olist_supply` and `importers.supply`): sites,
opening stock, and a rate card. Sellers are the suppliers.
"""

from __future__ import annotations

import sqlalchemy as sa

from importers.marking import (
    Form,
    accept_rest,
    park_malformed,
    park_orphans,
    permit,
    require,
    supersede_earlier,
)
from importers.olist_orders import map_orders, map_outcomes
from importers.olist_supply import map_supply
from importers.source import Source, SourceFile, csv_file

ORDERS = SourceFile(
    "orders",
    ("olist_orders_dataset*.csv", "olist_orders_dataset*.csv.gz"),
    (
        "order_id", "customer_id", "order_status", "order_purchase_timestamp",
        "order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date",
        "order_estimated_delivery_date",
    ),
)  # fmt: skip
ITEMS = csv_file(
    "items", "olist_order_items_dataset", "order_id", "order_item_id", "product_id", "seller_id",
    "shipping_limit_date", "price", "freight_value",
)  # fmt: skip
PAYMENTS = csv_file(
    "payments", "olist_order_payments_dataset", "order_id", "payment_sequential", "payment_type",
    "payment_installments", "payment_value",
)  # fmt: skip
REVIEWS = SourceFile(
    "reviews",
    ("olist_order_reviews_dataset*.csv", "olist_order_reviews_dataset*.csv.gz"),
    (
        "review_id", "order_id", "review_score", "review_comment_title", "review_comment_message",
        "review_creation_date", "review_answer_timestamp",
    ),
)  # fmt: skip
CUSTOMERS = csv_file(
    "customers", "olist_customers_dataset", "customer_id", "customer_unique_id",
    "customer_zip_code_prefix", "customer_city", "customer_state",
)  # fmt: skip
PRODUCTS = csv_file(
    "products", "olist_products_dataset", "product_id", "product_category_name",
    "product_weight_g", "product_length_cm", "product_height_cm", "product_width_cm",
)  # fmt: skip
SELLERS = csv_file(
    "sellers", "olist_sellers_dataset", "seller_id", "seller_zip_code_prefix", "seller_city",
    "seller_state",
)  # fmt: skip
PLACES = SourceFile(
    "places",
    (
        "olist_geolocation_dataset.csv", "olist_geolocation_dataset.csv.gz",
        "geolocation_one_row_per_zip_prefix.csv", "geolocation_one_row_per_zip_prefix.csv.gz",
    ),
    (
        "geolocation_zip_code_prefix", "geolocation_lat", "geolocation_lng", "geolocation_city",
        "geolocation_state",
    ),
)  # fmt: skip
CATEGORIES = csv_file(
    "categories", "product_category_name_translation", "product_category_name",
    "product_category_name_english",
)  # fmt: skip

FILES = (ORDERS, ITEMS, PAYMENTS, REVIEWS, CUSTOMERS, PRODUCTS, SELLERS, PLACES, CATEGORIES)

_PARK_FOREIGN_PLACES = sa.text("""
    -- The box around Brazil with its islands.
    UPDATE raw_places SET fate = 'parked', reason = 'coordinates_outside_country',
        subject = geolocation_zip_code_prefix,
        detail = 'geolocation_lat, geolocation_lng: ' || geolocation_lat || ', ' || geolocation_lng
    WHERE fate IS NULL AND NOT (
        geolocation_lat::double precision BETWEEN -34 AND 6
        AND geolocation_lng::double precision BETWEEN -74 AND -28)
""")
_PARK_ORDERS = sa.text("""
    WITH unusable AS (
        SELECT order_id, 'item_unusable' AS reason, 'order_items row ' || row_no AS source, detail
        FROM raw_items WHERE fate = 'parked' AND order_id IS NOT NULL
        UNION ALL
        SELECT order_id, 'payment_unusable', 'order_payments row ' || row_no, detail
        FROM raw_payments WHERE fate = 'parked' AND order_id IS NOT NULL
        UNION ALL
        SELECT order_id, 'customer_missing', 'customer_id', customer_id || ' is no usable customer'
        FROM raw_orders WHERE fate IS NULL AND customer_id NOT IN (
            SELECT customer_id FROM raw_customers WHERE fate IS NULL)
    ),
    first AS (
        SELECT DISTINCT ON (order_id) order_id, reason, source || ': ' || detail AS detail
        FROM unusable ORDER BY order_id, reason, source
    )
    UPDATE raw_orders AS o
    SET fate = 'parked', reason = first.reason, detail = first.detail, subject = o.order_id
    FROM first WHERE o.order_id = first.order_id AND o.fate IS NULL
""")


_RULES = {
    ORDERS: (
        *require("order_id", "customer_id", "order_status"),
        *require("order_purchase_timestamp", form=Form.MOMENT),
        *permit(
            "order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date",
            "order_estimated_delivery_date", form=Form.MOMENT,
        ),
    ),
    ITEMS: (
        *require("order_id", "product_id", "seller_id"),
        *require("order_item_id", form=Form.WHOLE),
        *require("price", "freight_value", form=Form.AMOUNT),
        *permit("shipping_limit_date", form=Form.MOMENT),
    ),
    PAYMENTS: (
        *require("order_id", "payment_type"),
        *require("payment_sequential", "payment_installments", form=Form.WHOLE),
        *require("payment_value", form=Form.AMOUNT),
    ),
    REVIEWS: (
        *require("review_id", "order_id"),
        *permit("review_score", form=Form.WHOLE),
        *permit("review_creation_date", "review_answer_timestamp", form=Form.MOMENT),
    ),
    CUSTOMERS: require("customer_id", "customer_unique_id"),
    PRODUCTS: (
        *require("product_id"),
        *permit(
            "product_weight_g", "product_length_cm", "product_height_cm", "product_width_cm",
            form=Form.MEASURE,
        ),
    ),
    SELLERS: require("seller_id"),
    PLACES: (
        *require("geolocation_zip_code_prefix"),
        *require("geolocation_lat", "geolocation_lng", form=Form.DEGREES),
    ),
    CATEGORIES: require("product_category_name", "product_category_name_english"),
}  # fmt: skip
_KEYS: dict[SourceFile, tuple[str, ...]] = {
    ORDERS: ("order_id",),
    ITEMS: ("order_id", "order_item_id"),
    PAYMENTS: ("order_id", "payment_sequential"),
    REVIEWS: ("review_id", "order_id"),
    CUSTOMERS: ("customer_id",),
    PRODUCTS: ("product_id",),
    SELLERS: ("seller_id",),
    PLACES: PLACES.columns,
    CATEGORIES: ("product_category_name",),
}


def _map(conn: sa.Connection) -> None:
    for file in FILES:
        park_malformed(conn, file, _KEYS[file][0], _RULES[file])
        supersede_earlier(conn, file, *_KEYS[file])
    conn.execute(_PARK_FOREIGN_PLACES)
    # Orders first: what is left of a parked order must not look usable to its parts.
    conn.execute(_PARK_ORDERS)
    for child in (ITEMS, PAYMENTS, REVIEWS):
        park_orphans(conn, child, ORDERS, "order_id", "order")
    map_orders(conn)
    map_outcomes(conn)
    map_supply(conn)
    accept_rest(conn, FILES)


SOURCE = Source("olist", FILES, _map)
"""The importer; see the module's docstring."""
