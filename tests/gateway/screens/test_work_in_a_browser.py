"""Work at the screens in a real browser: forms, dialogs and refusals."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from fixtures.browsing import Desk
from fixtures.busy_shop import park
from fixtures.entrance import House

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def admin(desk: Desk) -> Page:
    """The admin's page; an admin may do everything that these tests do."""
    return desk.tab("ann")


def fill(page: Page, **given: str) -> None:
    """Fill in fields by their names."""
    for name, value in given.items():
        field = page.locator(f"[name='{name}']:visible").first
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def save(page: Page, text: str = "Save") -> None:
    """Press a button and wait for what comes."""
    with page.expect_navigation():
        page.get_by_role("button", name=text, exact=True).first.click()


def says(page: Page, text: str) -> None:
    """Wait until the page says something."""
    page.locator("#alertContainer, .invalid-feedback, [role=alert], [role=status]").filter(
        has_text=re.compile(text)
    ).first.wait_for(state="visible")


FORMS: tuple[tuple[str, dict[str, str], tuple[str, str, str]], ...] = (
    ("users", {"name": "wendy", "full_name": "Wendy", "roles": "operator"},
     ("name", "ann", "ann|taken|there")),
    ("carriers", {"carrier_code": "W-1", "name": "Swift"}, ("carrier_code", "a/b", "characters")),
    ("rates", {"service_code": "slow", "zone_code": "near", "from_g": "30000", "to_g": "31500",
               "price_minor": "9.90", "currency": "EUR", "transit_days": "2",
               "transit_spread_days": "1", "valid_from_at": "2030-01-01T00:00"},
     ("price_minor", "much", "write it like")),
    ("tax_rates", {"country": "AT", "rate_bps": "20", "valid_from_date": "2031-01-01"},
     ("rate_bps", "5.555", "write it like")),
    ("products", {"sku": "W/1 ä", "name": "Wand", "currency": "EUR", "list_price_minor": "5"},
     ("list_price_minor", "x", "write it like")),
    ("sites", {"site_code": "W", "name": "West", "country": "DE", "latitude": "51",
               "longitude": "7", "handling_minor": "1", "currency": "EUR", "time_zone": "UTC"},
     ("latitude", "91", "less than")),
)  # fmt: skip


@pytest.mark.parametrize(("key", "given", "wrong"), FORMS, ids=[form[0] for form in FORMS])
def test_a_form_says_what_is_wrong_and_then_takes_it(
    desk: Desk, admin: Page, key: str, given: dict[str, str], wrong: tuple[str, str, str]
) -> None:
    name, entered, said = wrong
    admin.goto(f"/screens/{key}/create")
    fill(admin, **given)
    fill(admin, **{name: entered})
    save(admin)
    says(admin, said)
    assert admin.locator(f"[name='{name}']").get_attribute("aria-invalid") == "true"
    fill(admin, **given)
    save(admin)
    says(admin, "added successfully")
    desk.nothing_odd()


def test_a_carrier_is_changed_archived_and_restored(desk: Desk, admin: Page) -> None:
    admin.goto("/screens/carriers/list?q=NLN")
    admin.get_by_label("Edit").first.click()
    fill(admin, name="Nordic Line 2")
    save(admin)
    says(admin, "updated|edited|successfully")
    for way, said in (("Archive", "was archived"), ("Restore", "in use again")):
        admin.goto("/screens/carriers/list?q=NLN")
        admin.locator(f"a[aria-label='{way}']").click()
        dialog = admin.locator("#modal-action")
        dialog.get_by_role("button", name="Cancel").click()
        dialog.wait_for(state="hidden")
        admin.locator(f"a[aria-label='{way}']").click()
        dialog.get_by_role("button", name=way, exact=True).click()
        says(admin, said)
    desk.nothing_odd()


def test_a_link_for_a_password_is_shown_once(desk: Desk, busy_shop: House, admin: Page) -> None:
    number = busy_shop.add("forgetful", Role.VIEWER)
    admin.goto(f"/screens/users/detail?pk={number}")
    admin.locator("[data-sa-name=link]").click()
    admin.locator("#modal-action").get_by_role("button", name="Make the link").click()
    says(admin, "/welcome/")
    admin.reload()
    assert "/welcome/" not in admin.content()
    desk.nothing_odd()


def test_what_is_removed_from_its_own_page_leads_to_the_list(desk: Desk, admin: Page) -> None:
    admin.goto("/screens/families/create")
    fill(admin, family="gone", name="Gone")
    save(admin)
    admin.goto("/screens/families/detail?pk=gone")
    admin.locator("[data-sa-name=remove]").click()
    admin.locator("#modal-action").get_by_role("button", name="Remove").click()
    admin.wait_for_url("**/families/list")
    says(admin, "was removed")
    desk.nothing_odd()


def test_a_connection_is_made_tested_and_archived(desk: Desk, admin: Page) -> None:
    admin.goto("/screens/channels/new/file_feed")
    fill(admin, name="Feed", channel="feed", address="outlet", options="{")
    save(admin, "Make the connection")
    says(admin, "this is no JSON")
    fill(admin, options='{"currency": "EUR"}')
    save(admin, "Make the connection")
    says(admin, "was made")
    for button, said in (("Test", "test"), ("Sync now", "A sync was asked for"),
                         ("Pause", "paused"), ("Let it go on", "active")):  # fmt: skip
        save(admin, button)
        says(admin, said)
    desk.nothing_odd()
    # The browser asks first; the watch notes the question and says no.
    admin.get_by_role("button", name="Archive").click()
    assert "dialog" in desk.odd.pop()
    assert admin.get_by_role("button", name="Archive").is_visible()


def test_a_rule_is_tried_and_drafted(desk: Desk, admin: Page) -> None:
    admin.goto("/screens/rules/payment_match")
    case = admin.locator("#case")
    case.fill("{")
    save(admin, "Try")
    says(admin, "no number or JSON")
    admin.locator("#note").fill("why not")
    save(admin, "Draft a version")
    says(admin, "was drafted")
    desk.nothing_odd()


def test_a_parked_row_is_mended(
    desk: Desk, busy_shop: House, olga: TestClient, admin: Page
) -> None:
    park(busy_shop, olga, "MENDED")
    admin.goto("/screens/quarantine?subject=web/MENDED")
    admin.locator("td a[href^='/screens/quarantine/']").first.click()
    row = json.loads(admin.locator("#row").input_value())
    save(admin, "Take the mended row in")
    says(admin, "unknown|Unknown")
    row["lines"][0]["sku"] = "SKU-1"
    admin.locator("#row").fill(json.dumps(row))
    save(admin, "Take the mended row in")
    says(admin, "was taken in")
    desk.nothing_odd()


def test_another_person_approves(desk: Desk) -> None:
    page = desk.tab("pat")
    page.goto("/screens/approvals")
    page.get_by_text("Stock count").first.click()
    fill(page, note="seen")
    save(page, "Approve")
    says(page, "was approved")
    desk.nothing_odd()


def test_what_if_and_rate_shopping_compare(desk: Desk, admin: Page) -> None:
    admin.goto("/screens/shipments/2")
    fill(admin, late_cost_minor="100000")
    save(admin, "Choose again")
    assert "differs" in admin.locator("#otherwise").inner_text()
    admin.goto("/screens/rate-shopping")
    fill(admin, weight_g="900", distance_km="10", goods="20")
    save(admin, "Compare")
    assert admin.locator("tr.chosen").count() == 1
    desk.nothing_odd()
