"""The API over a database of the test, with a small catalogue and callers of every kind."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from ecom_assets.catalog.tables import PRODUCTS
from fixtures.entrance import House
from gateway.dagster_ui.context import UserProcessContext
from resources.database import DatabaseResource

SKUS = ("SKU-1", "SKU-2")
SITES = ("N", "S")

_SITE = sa.text("""
    INSERT INTO warehouse.sites
        (site_code, name, country, latitude, longitude, handling_minor, currency)
    VALUES (:site, :site, 'DE', 50, 8, 100, 'EUR')
""")


def furnish(conn: sa.Connection) -> None:
    """Products and sites that requests can name."""
    products = [{"sku": sku, "name": sku, "category": "c", "currency": "EUR"} for sku in SKUS]
    conn.execute(sa.insert(PRODUCTS), products)
    for site in SITES:
        conn.execute(_SITE, {"site": site})


@pytest.fixture
def shop(house: House) -> House:
    """The entrance over a shop that has products and sites."""
    with house.database.begin() as conn:
        furnish(conn)
    return house


@pytest.fixture
def operator(shop: House) -> TestClient:
    """An operator who has logged in."""
    return shop.someone(Role.OPERATOR)


@pytest.fixture(scope="module")
def still_shop(module_database: DatabaseResource, workspace: UserProcessContext) -> House:
    """The entrance over a shop that the tests of a module share and leave as it is."""
    with module_database.begin() as conn:
        furnish(conn)
    return House(module_database, workspace)


@pytest.fixture(scope="module")
def clerk(still_shop: House) -> TestClient:
    """An operator of the shared shop."""
    return still_shop.someone(Role.OPERATOR)


def ask(database: DatabaseResource, query: str, **given: Any) -> Any:
    """The only value of a query."""
    with database.begin() as conn:
        return conn.execute(sa.text(query), given).scalar()
