"""Every screen in a real browser: quiet, legible, usable by keyboard and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from fixtures.browsing import FAINT, PHONE, TOO_WIDE, UNNAMED, WIDE, Desk
from fixtures.busy_shop import STRANGE_SKU
from fixtures.entrance import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

ITEMS = {
    "carriers": "acme", "services": "fast", "zones": "near", "rates": "1", "sites": "BER-1",
    "products": quote(STRANGE_SKU, safe=""), "categories": "1000000000", "families": "shoes",
    "listings": "1", "tax_rates": "1", "tax_channels": "web", "users": "1", "audit": "1",
}  # fmt: skip
NOT_ADDED, NOT_CHANGED = ("listings", "audit"), ("audit",)
PAGES = (
    "", "orders", "orders/1", "approvals", "approvals/stock_count/1", "quarantine",
    "quarantine/1", "shipments", "shipments/1", "rate-shopping", "price-lists",
    "price-lists/1", "catalogue-files", "channels",
    "channels/1", "channels/new/file_feed", "channels/new/woocommerce", "calendar?site=BER-1",
    "rules", "rules/risk", "rules/risk/2", "rules/carrier", "settings", "status", "account",
    *(f"{key}/list" for key in ITEMS), *(f"{key}/detail?pk={pk}" for key, pk in ITEMS.items()),
    *(f"{key}/create" for key in ITEMS if key not in NOT_ADDED),
    *(f"{key}/edit?pk={pk}" for key, pk in ITEMS.items() if key not in NOT_CHANGED),
)  # fmt: skip


@pytest.fixture(scope="module")
def admin(desk: Desk) -> Page:
    """The admin's page, where screens are looked at one after another."""
    return desk.tab("ann")


@pytest.mark.parametrize("path", PAGES)
def test_a_screen_is_quiet_legible_and_fits(desk: Desk, admin: Page, path: str) -> None:
    admin.set_viewport_size(WIDE)
    answer = admin.goto(f"/screens/{path}")
    assert answer is not None
    assert answer.status == 200
    assert admin.locator("h1").last.inner_text().strip()
    assert not admin.evaluate(UNNAMED)
    assert not admin.evaluate(FAINT)
    assert admin.evaluate(TOO_WIDE) <= 0
    admin.set_viewport_size(PHONE)
    assert admin.evaluate(TOO_WIDE) <= 0
    desk.nothing_odd()


def test_pages_before_the_login_are_legible_too(desk: Desk) -> None:
    page = desk.tab(size=PHONE)
    for path in ("/login", "/nothing"):
        page.goto(path)
        assert not page.evaluate(UNNAMED)
        assert not page.evaluate(FAINT)
        assert page.evaluate(TOO_WIDE) <= 0
    desk.nothing_odd()


def focused(page: Page) -> str:
    """What the keyboard is at, in words."""
    return str(page.evaluate(
        "() => { const e = document.activeElement; return (e.id || e.getAttribute('name') || '')"
        " + '|' + (e.getAttribute('href') || '') + '|' + e.textContent.trim().slice(0, 40); }"
    ))  # fmt: skip


def tab_to(page: Page, wanted: str, most: int = 60) -> None:
    """Press Tab until the wanted is reached."""
    seen = []
    for _ in range(most):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        if wanted in seen[-1]:
            return
    raise AssertionError(f"{wanted} was not reached: {seen}")


def test_a_carrier_is_added_without_a_mouse(desk: Desk) -> None:
    page = desk.tab()
    page.goto("/screens/carriers/list")
    assert "/login" in page.url
    assert focused(page).startswith("name|")
    page.keyboard.type("olga")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto("/screens/")
    page.keyboard.press("Tab")
    assert "Skip to content" in focused(page)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.goto("/screens/")
    tab_to(page, "Shipping")
    page.keyboard.press("Enter")
    tab_to(page, "/screens/carriers/list")
    page.keyboard.press("Enter")
    page.wait_for_url("**/screens/carriers/list")
    tab_to(page, "/carriers/create")
    page.keyboard.press("Enter")
    page.wait_for_url("**/carriers/create**")
    tab_to(page, "carrier_code|")
    page.keyboard.type("KEYS")
    page.keyboard.press("Tab")
    page.keyboard.type("Typed")
    page.keyboard.press("Enter")
    page.wait_for_url("**/carriers/list**")
    assert "KEYS" in page.content()
    desk.nothing_odd()


def test_the_menu_works_on_a_phone(desk: Desk) -> None:
    page = desk.tab("vera", PHONE)
    page.goto("/screens/")
    link = page.locator("#sidebar-menu a[href$='/screens/rules']")
    assert not link.is_visible()
    _open_menu(page)
    assert link.is_visible()
    page.locator("#sidebar-menu").get_by_text("Warehouses").click()
    page.locator("#sidebar-menu").get_by_text("Sites", exact=True).click()
    page.wait_for_url("**/sites/list")
    _open_menu(page)
    page.locator("#sidebar-menu a[href$='/screens/rules']").click()
    page.wait_for_url("**/screens/rules")
    desk.nothing_odd()


def _open_menu(page: Page) -> None:
    """Open the menu and wait until it stands still: what moves is hit beside."""
    page.get_by_label("Toggle navigation").first.click()
    page.locator("#sidebar-menu.show:not(.collapsing)").wait_for()
