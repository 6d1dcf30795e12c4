"""The reference page in a real browser: it shows every operation under the site's own policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ecom_assets.backoffice.roles import Role
from fixtures.api_routes import DOCUMENT
from fixtures.browsing import Desk, serving
from fixtures.entrance import PASSWORD, House

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.slow
def test_the_reference_shows_every_operation(still_shop: House, browser: Browser) -> None:
    still_shop.add("ann", Role.VIEWER)
    with serving(still_shop) as address:
        desk = Desk(browser, address, still_shop)
        page = desk.tab()
        page.goto("/api/v1/docs")
        page.fill("input[name=name]", "ann")
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector(".opblock-tag-section")
        for tag in page.query_selector_all("h3.opblock-tag"):
            tag.click()
        expected = sum(len(operations) for operations in DOCUMENT["paths"].values())
        page.wait_for_function(f"document.querySelectorAll('.opblock').length >= {expected}")
        assert page.locator(".opblock").count() == expected
        desk.nothing_odd()
