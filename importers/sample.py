"""The sample shop of `simulator`: a shop whose files already speak of all our areas.

- **Moments** are UTC, money is in minor units of the row's currency (a fraction of one is rounded).
- **Fates**: of rows with the same key the last counts; those before it are superseded, be they
  repeats or revisions. Rows with a missing or malformed field are parked. An order with an unusable
  line or payment is parked whole, and what refers to an unusable or unknown order is parked as
  `order_parked` or `order_missing`.
- What only a business rule can tell (an unknown SKU or currency, an address without a country, an
  order without lines, a total that differs) is handed on as it is; the inbox parks it.
- **Outcomes** become observed events, odd ones with an anomaly; they are no part of the order.
"""

from __future__ import annotations

import sqlalchemy as sa

from importers.marking import (
    Form,
    Rule,
    accept_rest,
    park_malformed,
    permit,
    require,
    supersede_earlier,
)
from importers.sample_feeds import map_base, map_orders, map_outcomes
from importers.source import Source, SourceFile, csv_file, raw_table

SUPPLIERS = csv_file(
    "suppliers", "suppliers", "supplier_key", "name", "country", "lead_time_days",
    "lead_time_spread_days", "minimum_order_minor",
)  # fmt: skip
PRODUCTS = csv_file(
    "products", "products", "sku", "name", "category", "brand", "weight_g", "length_mm",
    "width_mm", "height_mm", "unit_cost_minor", "list_price_minor", "currency", "supplier_key",
)  # fmt: skip
CUSTOMERS = csv_file(
    "customers", "customers", "customer_key", "name", "email", "phone", "country", "signed_up_at"
)
SITES = csv_file(
    "sites", "sites", "site_code", "name", "country", "region", "city", "postal_code", "latitude",
    "longitude", "daily_capacity", "handling_minor", "currency",
)  # fmt: skip
MOVEMENTS = csv_file(
    "movements", "movements", "sku", "site_code", "kind", "quantity", "moved_at", "reference"
)
CARRIERS = csv_file("carriers", "carriers", "carrier_code", "name")
SERVICES = csv_file(
    "services", "services", "service_code", "carrier_code", "name", "max_weight_g", "dim_divisor",
    "quality",
)  # fmt: skip
ZONES = csv_file("zones", "zones", "zone_code", "from_km", "to_km")
RATES = csv_file(
    "rates", "rates", "service_code", "zone_code", "from_g", "to_g", "price_minor", "currency",
    "transit_days", "transit_spread_days", "valid_from_at", "valid_to_at",
)  # fmt: skip
ORDERS = csv_file(
    "orders", "orders", "channel", "external_id", "received_at", "placed_at", "promised_at",
    "currency", "customer_key", "name", "email", "phone", "line1", "city", "region", "postal_code",
    "country", "latitude", "longitude", "ip_address", "device_id", "shipping_minor", "total_minor",
)  # fmt: skip
LINES = csv_file(
    "lines", "order_lines", "channel", "external_id", "line_no", "sku", "quantity",
    "unit_price_minor", "discount_minor", "tax_minor",
)  # fmt: skip
PAYMENTS = csv_file(
    "payments", "payments", "channel", "external_id", "sequence", "method", "amount_minor",
    "installments", "authorised_at", "provider_reference", "card_fingerprint", "avs_result",
    "cvv_result",
)  # fmt: skip
EVENTS = csv_file(
    "events", "observed_events", "channel", "external_id", "kind", "happened_at", "score", "note"
)
LABELS = csv_file("labels", "labels", "channel", "external_id", "label", "known_at", "source")

FILES = (
    SUPPLIERS, PRODUCTS, CUSTOMERS, SITES, MOVEMENTS, CARRIERS, SERVICES, ZONES, RATES,
    ORDERS, LINES, PAYMENTS, EVENTS, LABELS,
)  # fmt: skip

_ORDER = ("channel", "external_id")
_KEYS: dict[SourceFile, tuple[str, ...]] = {
    SUPPLIERS: ("supplier_key",),
    PRODUCTS: ("sku",),
    CUSTOMERS: ("customer_key",),
    SITES: ("site_code",),
    MOVEMENTS: ("reference", "kind", "sku", "site_code"),
    CARRIERS: ("carrier_code",),
    SERVICES: ("service_code",),
    ZONES: ("zone_code",),
    RATES: ("service_code", "zone_code", "from_g", "valid_from_at"),
    ORDERS: _ORDER,
    LINES: (*_ORDER, "line_no"),
    PAYMENTS: (*_ORDER, "sequence"),
    EVENTS: (*_ORDER, "kind"),
    LABELS: _ORDER,
}

_RULES: dict[SourceFile, tuple[Rule, ...]] = {
    SUPPLIERS: (
        *require("supplier_key", "country"), *require("name", form=Form.TEXT),
        *permit("lead_time_days", "lead_time_spread_days", "minimum_order_minor", form=Form.AMOUNT),
    ),
    PRODUCTS: (
        *require("sku", "currency"), *require("name", form=Form.TEXT),
        *permit("weight_g", "length_mm", "width_mm", "height_mm", form=Form.WHOLE),
        *permit("unit_cost_minor", "list_price_minor", form=Form.AMOUNT),
    ),
    CUSTOMERS: (
        *require("customer_key", "country"), *permit("signed_up_at", form=Form.MOMENT),
    ),
    SITES: (
        *require("site_code", "country", "currency"), *require("name", form=Form.TEXT),
        *require("latitude", "longitude", form=Form.DEGREES),
        *require("handling_minor", form=Form.AMOUNT),
        *permit("daily_capacity", form=Form.WHOLE),
    ),
    MOVEMENTS: (
        *require("sku", "site_code", "kind", "reference"),
        *require("quantity", form=Form.SIGNED_WHOLE),
        *require("moved_at", form=Form.MOMENT),
    ),
    CARRIERS: (*require("carrier_code"), *require("name", form=Form.TEXT)),
    SERVICES: (
        *require("service_code", "carrier_code"), *require("name", form=Form.TEXT),
        *require("max_weight_g", "dim_divisor", form=Form.WHOLE),
        *require("quality", form=Form.AMOUNT),
    ),
    ZONES: (
        *require("zone_code"), *require("from_km", form=Form.AMOUNT),
        *permit("to_km", form=Form.AMOUNT),
    ),
    RATES: (
        *require("service_code", "zone_code", "currency"),
        *require("from_g", "to_g", form=Form.WHOLE),
        *require("price_minor", "transit_days", "transit_spread_days", form=Form.AMOUNT),
        *require("valid_from_at", form=Form.MOMENT), *permit("valid_to_at", form=Form.MOMENT),
    ),
    ORDERS: (
        *require("channel", "external_id", "customer_key", "currency"),
        *require("received_at", "placed_at", form=Form.MOMENT),
        *permit("promised_at", form=Form.MOMENT),
        *permit("latitude", "longitude", form=Form.DEGREES),
        *permit("shipping_minor", "total_minor", form=Form.SIGNED_AMOUNT),
    ),
    LINES: (
        *require("channel", "external_id", "sku"),
        *require("line_no", form=Form.WHOLE),
        *require("quantity", form=Form.SIGNED_WHOLE),
        *require("unit_price_minor", form=Form.SIGNED_AMOUNT),
        *permit("discount_minor", "tax_minor", form=Form.SIGNED_AMOUNT),
    ),
    PAYMENTS: (
        *require("channel", "external_id", "method"),
        *require("sequence", form=Form.WHOLE), *permit("installments", form=Form.WHOLE),
        *require("amount_minor", form=Form.SIGNED_AMOUNT),
        *permit("authorised_at", form=Form.MOMENT),
    ),
    EVENTS: (
        *require("channel", "external_id", "kind"),
        *permit("happened_at", form=Form.MOMENT), *permit("score", form=Form.WHOLE),
    ),
    LABELS: (
        *require("channel", "external_id", "label", "source"),
        *require("known_at", form=Form.MOMENT),
    ),
}  # fmt: skip

_COUNTRY, _CURRENCY = "^[A-Z]{2}$", "^[A-Z]{3}$"
_CODES = (
    (SUPPLIERS, "country", _COUNTRY),
    (CUSTOMERS, "country", _COUNTRY),
    (SITES, "country", _COUNTRY),
    (SITES, "currency", _CURRENCY),
    (PRODUCTS, "currency", _CURRENCY),
    (RATES, "currency", _CURRENCY),
    (EVENTS, "kind", "^(cancelled|handed_over|delivered|reviewed|returned)$"),
    (LABELS, "label", "^(fraud|legitimate)$"),
)
"""Columns that hold one of a set of codes; orders are judged by the inbox instead."""

_PARK_ORDERS = sa.text("""
    WITH unusable AS (
        SELECT channel, external_id, 'line_unusable' AS reason,
            'order_lines row ' || row_no || ': ' || detail AS detail
        FROM raw_lines WHERE fate = 'parked'
        UNION ALL
        SELECT channel, external_id, 'payment_unusable',
            'payments row ' || row_no || ': ' || detail
        FROM raw_payments WHERE fate = 'parked'
    ),
    first AS (
        SELECT DISTINCT ON (channel, external_id) channel, external_id, reason, detail
        FROM unusable ORDER BY channel, external_id, reason, detail
    )
    UPDATE raw_orders AS o
    SET fate = 'parked', reason = first.reason, detail = first.detail, subject = o.external_id
    FROM first
    WHERE o.channel = first.channel AND o.external_id = first.external_id AND o.fate IS NULL
""")


def _park_unknown_codes(conn: sa.Connection, file: SourceFile, column: str, pattern: str) -> None:
    raw = raw_table(file)
    is_unknown = raw.c[column].op("!~", is_comparison=True)(pattern)
    conn.execute(
        sa.update(raw)
        .values(
            fate="parked",
            reason="unknown_code",
            detail=sa.literal(f"{column}: ") + sa.func.left(raw.c[column], 200),
            subject=raw.c[_KEYS[file][0]],
        )
        .where(raw.c.fate.is_(None), is_unknown)
    )


def _park_orphans(conn: sa.Connection, file: SourceFile) -> None:
    """Park what refers to an order that is not there, or that was parked itself."""
    raw, orders = raw_table(file), raw_table(ORDERS)
    same = sa.and_(orders.c.channel == raw.c.channel, orders.c.external_id == raw.c.external_id)
    is_known = sa.exists().where(same).correlate(raw)
    is_usable = sa.exists().where(same, orders.c.fate.is_(None)).correlate(raw)
    order = sa.literal("external_id: ") + raw.c.channel + "/" + raw.c.external_id
    conn.execute(
        sa.update(raw)
        .values(
            fate="parked",
            subject=raw.c.external_id,
            reason=sa.case((is_known, "order_parked"), else_="order_missing"),
            detail=order + sa.case((is_known, " was parked"), else_=" is no order of the source"),
        )
        .where(raw.c.fate.is_(None), ~is_usable)
    )


def _map(conn: sa.Connection) -> None:
    for file in FILES:
        park_malformed(conn, file, _KEYS[file][0], _RULES[file])
    for file, column, pattern in _CODES:
        _park_unknown_codes(conn, file, column, pattern)
    # Wrong rows are parked first: a wrong revision must not replace a sound row.
    for file in FILES:
        supersede_earlier(conn, file, *_KEYS[file])
    conn.execute(_PARK_ORDERS)
    for file in (LINES, PAYMENTS, EVENTS, LABELS):
        _park_orphans(conn, file)
    map_base(conn)
    map_orders(conn)
    map_outcomes(conn)
    accept_rest(conn, FILES)


SOURCE = Source("sample", FILES, _map)
"""The importer; see the module's docstring."""
