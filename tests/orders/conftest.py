"""A small catalog and order documents for the tests of the orders area."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.catalog.tables import PRODUCTS
from fixtures.scratch import rolled_back
from resources.database import DatabaseResource

SKUS = ("SKU-1", "SKU-2")

_DOCUMENT: dict[str, Any] = {
    "placed_at": "2024-05-01T12:00:00+00:00",
    "promised_at": "2024-05-09T00:00:00Z",
    "currency": "EUR",
    "customer": {"key": "c-1", "name": "C One", "email": "c1@example.com", "phone": None},
    "ship_to": {
        "name": "C One", "line1": "High Street 1", "city": "Ghent", "region": None,
        "postal_code": "9000", "country": "BE", "latitude": 51.05, "longitude": 3.72,
    },
    "context": {"ip_address": "192.0.2.1", "device_id": "d-1"},
    "lines": [
        {"line_no": 1, "sku": "SKU-1", "quantity": 2, "unit_price_minor": 500,
         "discount_minor": 100, "tax_minor": 150, "seller": None},
        {"line_no": 2, "sku": "SKU-2", "quantity": 1, "unit_price_minor": 300},
    ],
    "shipping_minor": 250,
    "total_minor": 1450,
    "payments": [
        {"sequence": 1, "method": "card", "amount_minor": 1450, "installments": 1,
         "authorised_at": "2024-05-01T12:05:00+00:00", "anomaly": None},
    ],
}  # fmt: skip

Builder = Callable[..., dict[str, Any]]


def build_document(**members: Any) -> dict[str, Any]:
    """An acceptable document with some members replaced; it is worth 14.50 EUR."""
    return {**deepcopy(_DOCUMENT), **members}


@pytest.fixture
def document() -> Builder:
    """Builds acceptable documents."""
    return build_document


@pytest.fixture
def catalog(conn: sa.Connection) -> sa.Connection:
    """A connection to a shop that knows `SKUS`."""
    add_products(conn)
    return conn


def add_products(conn: sa.Connection, *skus: str) -> None:
    rows = [
        {"sku": sku, "name": sku, "category": "things", "currency": "EUR"} for sku in skus or SKUS
    ]
    conn.execute(sa.insert(PRODUCTS), rows)


@pytest.fixture
def scratch(module_database: DatabaseResource) -> Iterator[sa.Connection]:
    """A connection to the module's database whose work is undone after the test."""
    with rolled_back(module_database) as conn:
        yield conn


@pytest.fixture
def scratch_catalog(scratch: sa.Connection) -> sa.Connection:
    """`scratch` in a shop that knows `SKUS`."""
    add_products(scratch)
    return scratch
