"""Texts that would like to run, in every field that takes text, shown wherever they are shown."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from fixtures.browsing import Desk
from fixtures.busy_shop import park
from fixtures.entrance import House
from fixtures.screens import SCREENS, beside, send

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

EVIL = (
    "<script>ran=1</script>\"><img src=x onerror='ran=2'>' autofocus onfocus=alert(3) x='"
    "{{7*7}}${7*7}<svg/onload=alert(4)></textarea></title><script>alert(5)</script>"
)
LINK = "javascript:alert(6)"
CASE = {"payment_state": "authorised", "probability": 0.1, "total_minor": 20000,
        "minor_per_eur": 100}  # fmt: skip
SETTINGS = {"reject_from": 0.9, "review_from": 0.05, "review_cost_eur": 8.0,
            "new_country_eur": 300.0, "first_order_eur": 3000.0}  # fmt: skip
ENTERED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("users/create", {"name": "eve", "full_name": EVIL, "roles": "viewer"}),
    ("carriers/create", {"carrier_code": "EVIL", "name": EVIL}),
    ("services/create", {"service_code": "EVIL", "carrier_code": "EVIL", "name": EVIL,
                         "max_weight_g": "9", "dim_divisor": "0", "quality": "1"}),
    ("sites/create", {"site_code": "EVIL", "name": EVIL, "country": "DE", "region": EVIL[:100],
                      "city": EVIL[:100], "postal_code": "<b>", "latitude": "1", "longitude": "1",
                      "daily_capacity": "", "handling_minor": "1", "currency": "EUR",
                      "time_zone": "UTC"}),
    ("categories/create", {"name": EVIL.replace(">", "")}),
    ("families/create", {"family": EVIL, "name": EVIL[:150], "attributes": ""}),
    ("tax_rates/create", {"country": "DE", "region": "", "tax_category": EVIL[:60],
                          "rate_bps": "7", "valid_from_date": "2030-01-01", "source": EVIL}),
    ("products/create", {"sku": EVIL, "name": EVIL, "brand": EVIL, "category": EVIL,
                         "description": EVIL, "currency": "EUR",
                         "attributes": json.dumps([{"attribute": "colour", "value": EVIL}]),
                         "options": json.dumps({"Size": EVIL[:60]})}),
    ("settings", {"value": EVIL, "do": "set"}),
    ("calendar?site=EVIL", {"closed_date": "2031-01-01", "reason": EVIL[:200]}),
    ("channels/new/file_feed", {"name": EVIL[:150], "channel": "evil", "address": "outlet",
                                "options": '{"currency": "EUR"}'}),
    ("account", {"full_name": EVIL}),
)  # fmt: skip
TARGETS = {"settings": "/documents.seller_address", "calendar?site=EVIL": "/close?site=EVIL",
           "account": "/profile"}  # fmt: skip
LISTS = ("users", "carriers", "services", "sites", "categories", "families", "tax_rates",
         "products", "audit")  # fmt: skip
PAGES = ("", "approvals", "quarantine", "price-lists", "catalogue-files", "channels", "rules",
         "rules/risk", "settings", "calendar?site=EVIL", "account", "status")  # fmt: skip


@pytest.fixture(scope="module")
def page(desk: Desk, busy_shop: House, ann: TestClient) -> Page:
    """The admin's page, over a shop where somebody entered such texts wherever they could."""
    refused = [path for path, given in ENTERED if not _is_taken(ann, path, given)]
    assert not refused
    _by_the_api(ann)
    park(busy_shop, ann, EVIL)
    return desk.tab("ann")


def _is_taken(caller: TestClient, path: str, given: dict[str, Any]) -> bool:
    answer = send(caller, f"{SCREENS}/{path}", given, TARGETS.get(path, ""))
    return bool(answer.status_code == 303)


def _by_the_api(caller: TestClient) -> None:
    """What comes by files and keys."""
    rows = f'sku,name,price\n"X","{EVIL.replace(chr(34), chr(34) * 2)}",x\n'
    file_name = EVIL[:120].replace("/", "")
    plan = {"name": file_name, "base64": base64.b64encode(rows.encode()).decode()}
    tests = [{"name": EVIL[:100], "given": CASE, "expected": {"outcome": "review"}}]
    draft = {"settings": SETTINGS, "note": EVIL, "examples": tests}
    key = {"purpose": EVIL[:150], "scopes": ["*:read"], "days": 3}
    for path, body in (("catalogue/plans/bulk", plan), ("rules/risk", draft),
                       ("profile/keys", key)):  # fmt: skip
        answer = caller.post(f"/api/v1/{path}", json=body)
        assert answer.status_code < 300, answer.text
    answer = caller.post("/api/v1/transport/rate-lists",
                         content="service;zone;from_kg;to_kg;price;currency;valid_from\n"
                         f"{EVIL[:50]};{EVIL[:50]};0;1;{EVIL[:20]};EUR;2031-01-01\n",
                         params={"file_name": file_name},
                         headers={"Content-Type": "text/csv"})  # fmt: skip
    assert answer.status_code < 300, answer.text


def harmless(desk: Desk, page: Page, path: str) -> None:
    """Open a page and see that nothing of a text became part of it."""
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200, path
    assert page.evaluate("window.ran") is None
    assert not page.evaluate(
        "[...document.querySelectorAll('a[href], img[src], form[action]')].filter(e =>"
        " /^javascript:/i.test(e.href || e.src || '')).length"
    )
    assert not page.locator("[onerror], [onfocus], [onload], img[src=x]").count()
    desk.nothing_odd()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_shows_them_as_text(desk: Desk, page: Page, path: str) -> None:
    harmless(desk, page, f"{SCREENS}/{path}")


@pytest.mark.parametrize("key", LISTS)
def test_lists_details_and_forms_show_them_as_text(desk: Desk, page: Page, key: str) -> None:
    harmless(desk, page, f"{SCREENS}/{key}/list?page_size=100")
    links = page.locator("tr[data-sa-pk] a[href*='pk=']").evaluate_all(
        "all => [...new Set(all.map(e => e.href))]"
    )
    for link in links[-20:] if key == "audit" else links:
        harmless(desk, page, link)


@pytest.mark.parametrize("path", ["rules", "quarantine", "price-lists", "catalogue-files",
                                  "channels", "approvals"])  # fmt: skip
def test_pages_behind_a_list_show_them_as_text(desk: Desk, page: Page, path: str) -> None:
    harmless(desk, page, f"{SCREENS}/{path}")
    links = page.locator(f"td a[href^='{SCREENS}/{path}/']").evaluate_all(
        "all => [...new Set(all.map(e => e.href))]"
    )
    assert links
    for link in links:
        harmless(desk, page, link)


def test_an_address_that_would_run_is_refused(ann: TestClient, page: Page) -> None:
    given = {"sku": "LINK", "name": "x", "currency": "EUR", "media": json.dumps([LINK])}
    refused = send(ann, f"{SCREENS}/products/create", given)
    assert refused.status_code == 422
    assert beside(refused, "media")


def test_what_is_no_template_stays_as_it_was_typed(page: Page) -> None:
    page.goto(f"{SCREENS}/carriers/detail?pk=EVIL")
    shown = page.locator("main, .page-body").first.inner_text()
    assert EVIL in shown
