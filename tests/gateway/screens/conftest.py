"""The screens over a small shop, and people of every role."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from fixtures.api_shop import furnish
from fixtures.entrance import House
from gateway.dagster_ui.context import UserProcessContext
from resources.database import DatabaseResource


@pytest.fixture
def shop(house: House) -> House:
    """The entrance over a shop that has products and sites."""
    with house.database.begin() as conn:
        furnish(conn)
    return house


@pytest.fixture
def admin(shop: House) -> TestClient:
    """An admin who has logged in."""
    return shop.someone(Role.ADMIN)


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
