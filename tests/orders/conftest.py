"""A small catalog and order documents for the tests of the orders area."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.catalog.tables import PRODUCTS
from fixtures.order_documents import build_document
from fixtures.scratch import rolled_back
from resources.database import DatabaseResource

SKUS = ("SKU-1", "SKU-2")

Builder = Callable[..., dict[str, Any]]


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
