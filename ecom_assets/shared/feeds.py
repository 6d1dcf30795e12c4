"""Feeds: the form in which a foreign shop reaches the areas.

An importer fills temporary tables of these shapes, one transaction per import; each area's store
takes its own feeds from there. Values are already typed and units already ours; rows that could not
be brought into this form were parked by the importer.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

FEEDS = sa.MetaData()
"""The shapes of all feeds. They are temporary tables and belong to no schema."""

_AT: sa.types.TypeEngine[Any] = TIMESTAMP(timezone=True)


_Kinds = dict[str, type | sa.types.TypeEngine[Any]]


def _feed(name: str, required: _Kinds, optional: _Kinds | None = None) -> sa.Table:
    columns = [sa.Column(key, _sql(kind), nullable=False) for key, kind in required.items()]
    columns += [sa.Column(key, _sql(kind)) for key, kind in (optional or {}).items()]
    # Temporary: never logged, seen by no other import, gone with the transaction that failed.
    return sa.Table(
        f"feed_{name}", FEEDS, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP"
    )


def _sql(kind: type | sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    plain: dict[type, sa.types.TypeEngine[Any]] = {
        str: sa.Text(), int: sa.BigInteger(), float: sa.Double(), bool: sa.Boolean()
    }  # fmt: skip
    return plain[kind] if isinstance(kind, type) else kind


SUPPLIERS = _feed(
    "suppliers",
    {"supplier_key": str, "name": str, "country": str},
    {"lead_time_days": float, "lead_time_spread_days": float, "minimum_order_minor": int},
)
PRODUCTS = _feed(
    "products",
    {"sku": str, "name": str, "category": str, "currency": str},
    {
        "brand": str, "weight_g": int, "length_mm": int, "width_mm": int, "height_mm": int,
        "unit_cost_minor": int, "list_price_minor": int, "supplier_key": str,
    },
)  # fmt: skip
CUSTOMERS = _feed(
    "customers",
    {"customer_key": str, "country": str},
    {"name": str, "email": str, "phone": str, "signed_up_at": _AT},
)
SITES = _feed(
    "sites",
    {
        "site_code": str, "name": str, "country": str, "latitude": float, "longitude": float,
        "handling_minor": int, "currency": str,
    },
    {"region": str, "city": str, "postal_code": str, "daily_capacity": int},
)  # fmt: skip
MOVEMENTS = _feed(
    "movements",
    {
        "sku": str, "site_code": str, "kind": str, "quantity": int, "moved_at": _AT,
        "reference": str,
    },
)  # fmt: skip
CARRIERS = _feed("carriers", {"carrier_code": str, "name": str})
SERVICES = _feed(
    "services",
    {
        "service_code": str, "carrier_code": str, "name": str, "max_weight_g": int,
        "dim_divisor": int, "quality": float,
    },
)  # fmt: skip
ZONES = _feed("zones", {"zone_code": str, "from_km": float, "to_km": float})
RATES = _feed(
    "rates",
    {
        "service_code": str, "zone_code": str, "from_g": int, "to_g": int, "price_minor": int,
        "currency": str, "transit_days": float, "transit_spread_days": float,
        "valid_from_at": _AT,
    },
    {"valid_to_at": _AT},
)  # fmt: skip
ORDERS = _feed(
    "orders",
    {"channel": str, "external_id": str, "received_at": _AT, "payload": JSONB()},
    {"kind": str, "row_no": int},
)
"""`payload` is the canonical document of `orders.model`; without a `kind` it is an order. Who wants
to hear which rows were news gives them a `row_no`."""
OBSERVED_EVENTS = _feed(
    "observed_events",
    {"channel": str, "external_id": str, "kind": str, "reference": str, "detail": JSONB()},
    {"happened_at": _AT, "anomaly": str},
)
LABELS = _feed(
    "labels",
    {"channel": str, "external_id": str, "label": str, "known_at": _AT, "source": str},
)


def open_feeds(conn: sa.Connection) -> None:
    """Create all feed tables, empty, for the rest of the transaction."""
    # Without a look first: a feed that is there already belongs to another import, an error.
    FEEDS.create_all(conn, checkfirst=False)


def count(conn: sa.Connection, feed: sa.Table) -> int:
    """Rows in a feed."""
    return conn.execute(sa.select(sa.func.count()).select_from(feed)).scalar_one()
