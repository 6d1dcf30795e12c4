"""The screens over a small shop, and people of every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from fixtures.api_shop import furnish
from fixtures.browsing import Desk, serving
from fixtures.busy_shop import fill
from fixtures.entrance import House
from gateway.dagster_ui.context import UserProcessContext
from resources.database import DatabaseResource

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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


@pytest.fixture(scope="module")
def busy_shop(
    module_database: DatabaseResource, workspace: UserProcessContext,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:  # fmt: skip
    """A shop with something on every screen, which the tests of a module share."""
    folder = tmp_path_factory.mktemp("feeds")
    (folder / "outlet").mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ECOM_CHANNEL_FOLDERS", str(folder))
        patched.setenv("ECOM_SECRETS_KEY", Fernet.generate_key().decode())
        house = House(module_database, workspace)
        fill(house)
        yield house


def _logged_in(name: str) -> Callable[..., TestClient]:
    """Somebody of the busy shop, who has logged in."""

    @pytest.fixture(scope="module", name=name)
    def person(busy_shop: House) -> TestClient:
        return busy_shop.log_in(name)

    return person


# An admin, an operator, an approver and a viewer.
ann, olga, pat, vera = map(_logged_in, ("ann", "olga", "pat", "vera"))


@pytest.fixture(scope="module")
def desk(busy_shop: House, browser: Browser) -> Iterator[Desk]:
    """A browser at the busy shop."""
    with serving(busy_shop) as address:
        yield Desk(browser, address, busy_shop)
