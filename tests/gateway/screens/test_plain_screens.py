"""Every plain screen: rows listed, added, shown, changed, refused, archived and removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from fixtures.busy_shop import STRANGE_SKU
from fixtures.entrance import House
from fixtures.screens import SCREENS, Forms, beside, flashed, open_page, press, send

SCRIPT = '<script>alert("x")</script>'


@dataclass(frozen=True)
class Kept:
    """A thing that is kept on a plain screen.

    Attributes:
        key: the screen's.
        given: what is entered to add one.
        wrong: entry that is refused, and what is said beside it.
        shown: texts on the list.
        changes: what is entered to change it.
        after: texts on the page of it from then on.
        pk: what names it; found as the first on the list by a search for `sought` otherwise.
        order: how that list is sorted.
        ways: actions in this order, each with what is said.
    """

    key: str
    given: Mapping[str, Any]
    wrong: tuple[str, str, str]
    shown: tuple[str, ...]
    changes: Mapping[str, Any]
    after: tuple[str, ...]
    pk: str = ""
    sought: str = ""
    order: str = ""
    ways: tuple[tuple[str, str], ...] = field(default=())


ARCHIVED = (("archive", "It was archived"), ("restore", "It is in use again"))
KEPT = (
    Kept("carriers", {"carrier_code": "G:1+.-", "name": f"Güter {SCRIPT}"},
         ("carrier_code", "a/b", "characters that cannot be used"), ("G:1+.-", f"Güter {SCRIPT}"),
         {"name": "Güter"},
         ("Güter",), "G:1+.-", ways=ARCHIVED),
    Kept("services", {"service_code": "G-1", "carrier_code": "acme", "name": "Standard",
                      "max_weight_g": "31500", "dim_divisor": "0", "quality": "0.98"},
         ("quality", "much", "this is no number"), ("G-1", "31500", "0.98"),
         {"carrier_code": "acme", "name": "Plus", "max_weight_g": "20000", "dim_divisor": "5000",
          "quality": "0.95"}, ("Plus", "20000", "0.95"), "G-1", ways=ARCHIVED),
    Kept("zones", {"zone_code": "isle", "from_km": "100", "to_km": "250", "may_overlap": "on"},
         ("from_km", "100 km", "this is no number"), ("isle", "250"),
         {"from_km": "100", "to_km": "300.5", "may_overlap": "on"}, ("300.5",), "isle",
         ways=ARCHIVED),
    Kept("rates", {"service_code": "slow", "zone_code": "near", "from_g": "30000",
                   "to_g": "31500", "price_minor": "1234.50", "currency": "eur",
                   "transit_days": "1.5", "transit_spread_days": "0.5",
                   "valid_from_at": "2030-01-01T00:00", "valid_to_at": ""},
         ("price_minor", "1,x", "write it like 1234.50"), ("1,234.50 EUR", "2030-01-01 00:00 UTC"),
         {"valid_to_at": "2031-01-01T06:30"}, ("2031-01-01 06:30 UTC",), sought="slow near",
         order="from_g__desc"),
    Kept("sites", {"site_code": "HH-1", "name": "Hamburg <b>", "country": "de", "region": "",
                   "city": "", "postal_code": "", "latitude": "53.55", "longitude": "10",
                   "daily_capacity": "", "handling_minor": "1.20", "currency": "eur",
                   "time_zone": "Europe/Berlin"},
         ("time_zone", "Mars/Base", "time zone"), ("HH-1", "Hamburg <b>", "1.20 EUR"),
         {"city": "Altona", "daily_capacity": "12"}, ("Altona", "12", "1.20 EUR"), "HH-1",
         ways=ARCHIVED),
    Kept("products", {"sku": "ü/1 \"x\"'#?&", "name": SCRIPT, "currency": "eur",
                      "list_price_minor": "1234.50"},
         ("list_price_minor", "cheap", "write it like 1234.50"),
         ("ü/1 \"x\"'#?&", SCRIPT, "1,234.50 EUR"),
         {"name": "Thing", "list_price_minor": "7.35", "weight_g": "120", "options": "",
          "attributes": "", "media": "", "components": ""},
         ("Thing", "7.35 EUR", "120"), "ü/1 \"x\"'#?&",
         ways=(("archive", "It was archived"), ("unarchive", "It may be sold again"))),
    Kept("categories", {"name": "Games & more"}, ("name", "a > b", ">"), ("Games & more",),
         {"name": "Games"}, ("Games",), sought="Games & more", ways=(("remove", "removed"),)),
    Kept("families", {"family": "hats / caps?", "name": "Hats",
                      "attributes": '[{"attribute": "size", "is_required": true}]'},
         ("attributes", "{", "this is no JSON"), ("hats / caps?", "Hats"),
         {"name": "Caps", "attributes": ""}, ("Caps",), "hats / caps?",
         ways=(("remove", "removed"),)),
    Kept("tax_rates", {"country": "fr", "region": "", "tax_category": "books", "rate_bps": "5.5",
                       "valid_from_date": "2099-01-01", "valid_to_date": "", "source": "law"},
         ("rate_bps", "5.555", "write it like 19 or 5.5"), ("FR", "5.5 %", "2099-01-01"),
         {"valid_to_date": "2100-01-01"}, ("2100-01-01",), sought="FR books",
         ways=(("take_back", "was taken back"),)),
    Kept("tax_channels", {"channel": "shop 2/x", "seller_country": "FR", "is_tax_in_prices": "on",
                          "rounding": "line", "rounding_mode": "half_even", "tax_point": "invoice",
                          "tolerance_minor": "1"},
         ("tolerance_minor", "one", "this is no whole number"), ("shop 2/x", "to even"),
         {"seller_country": "AT", "rounding": "document", "rounding_mode": "down",
          "tax_point": "order", "tolerance_minor": "2"}, ("AT", "down, all of it"), "shop 2/x"),
)  # fmt: skip


def named(kept: Kept, caller: TestClient) -> str:
    """What names a thing in addresses."""
    if kept.pk:
        return kept.pk
    page = listed(kept, caller)
    return page.split('data-sa-pk="')[1].partition('"')[0]


def listed(kept: Kept, caller: TestClient) -> str:
    asked = {"q": kept.sought or kept.pk} | ({"sort": kept.order} if kept.order else {})
    return caller.get(f"{SCREENS}/{kept.key}/list", params=asked).text


def add(kept: Kept, caller: TestClient) -> Any:
    return send(caller, f"{SCREENS}/{kept.key}/create", dict(kept.given))


def change(caller: TestClient, key: str, pk: str, given: Mapping[str, Any]) -> Any:
    return send(caller, f"{SCREENS}/{key}/edit?pk={quote(pk, safe='')}", dict(given))


def told(caller: TestClient, kept: Kept, pk: str) -> str:
    page = open_page(caller, kept.key, "detail", pk)
    assert page.status_code == 200, page.text[:500]
    return unescape(str(page.text))


@pytest.mark.parametrize("kept", KEPT, ids=[kept.key for kept in KEPT])
def test_a_thing_is_kept(busy_shop: House, olga: TestClient, kept: Kept) -> None:
    name, entered, said = kept.wrong
    refused = send(olga, f"{SCREENS}/{kept.key}/create", {**kept.given, name: entered})
    assert refused.status_code == 422
    assert said.lower() in beside(refused, name).lower(), beside(refused, name)
    assert entered in unescape(refused.text)
    assert "added successfully" in flashed(olga, add(kept, olga))
    raw = listed(kept, olga)
    assert not [text for text in kept.shown if text not in unescape(raw)]
    assert SCRIPT not in raw
    pk = named(kept, olga)
    assert "successfully" in flashed(olga, change(olga, kept.key, pk, kept.changes))
    page = told(olga, kept, pk)
    assert not [text for text in kept.after if text not in page]
    for way, text in kept.ways:
        assert text in flashed(olga, press(olga, kept.key, way, pk))


@pytest.mark.parametrize("key", [kept.key for kept in KEPT])
def test_what_is_there_already_or_gone_is_said(
    busy_shop: House, olga: TestClient, key: str
) -> None:
    for way in ("detail", "edit"):
        for pk in ("nothing", "0", "a/b", "%", "99999999999999999999", "\x00"):
            assert open_page(olga, key, way, pk).status_code == 404, (way, pk)
    kept = next(kept for kept in KEPT if kept.key == key)
    for way, _ in kept.ways:
        assert press(olga, key, way, "nothing").status_code == 400


@pytest.mark.parametrize("key", [kept.key for kept in KEPT] + ["listings"])
def test_a_viewer_sees_no_way_to_change(busy_shop: House, vera: TestClient, key: str) -> None:
    page = vera.get(f"{SCREENS}/{key}/list").text
    pk = unescape(page.split('data-sa-pk="')[1].partition('"')[0])
    shown = open_page(vera, key, "detail", pk)
    assert shown.status_code == 200
    kept = next((kept for kept in KEPT if kept.key == key), None)
    ways = [way for way, _ in kept.ways] if kept else []
    for text in (page, shown.text):
        forbidden = ("/create", "/edit?", *(f'data-sa-name="{way}"' for way in ways))
        assert not [each for each in forbidden if each in text]
    assert open_page(vera, key, "edit", pk).status_code == 403
    if kept:
        assert vera.get(f"{SCREENS}/{key}/create").status_code == 403
        assert {press(vera, key, way, pk).status_code for way in ways} <= {400}


@pytest.mark.parametrize(("key", "pk"), [("carriers", "acme"), ("sites", "A"), ("zones", "near"),
                                         ("services", "fast")])  # fmt: skip
def test_what_is_not_archived_can_be_archived_only(
    busy_shop: House, olga: TestClient, key: str, pk: str
) -> None:
    page = open_page(olga, key, "detail", pk).text
    assert 'data-sa-name="archive"' in page
    assert 'data-sa-name="restore"' not in page


def test_two_people_change_the_same(busy_shop: House, olga: TestClient, ann: TestClient) -> None:
    opened = f"{SCREENS}/carriers/edit?pk=acme"
    form = next(f for f in Forms(ann.get(opened).text).forms if "seen_etag" in f["values"])
    assert change(olga, "carriers", "acme", {"name": "Acme 2"}).status_code == 303
    late = ann.post(opened, data={**form["values"], "name": "Late"})
    assert late.status_code == 422
    assert "Somebody changed this since you opened it" in late.text
    assert "Acme 2" in open_page(ann, "carriers", "detail", "acme").text
    again = {**form["values"], "seen_etag": ""}
    assert ann.post(opened, data={**again, "name": "Late"}).status_code == 422


def test_a_strange_sku_has_its_pages(busy_shop: House, olga: TestClient) -> None:
    listed = olga.get(f"{SCREENS}/products/list", params={"q": STRANGE_SKU})
    assert STRANGE_SKU in unescape(listed.text)
    for link in Forms(listed.text).links:
        if "pk=" in link:
            page = olga.get(link)
            assert page.status_code == 200, link
            assert "Strange thing" in page.text


def test_a_listing_is_mapped_and_unmapped(busy_shop: House, olga: TestClient) -> None:
    assert "9.90 EUR" in olga.get(f"{SCREENS}/listings/list").text
    refused = change(olga, "listings", "1", {"sku": "no such"})
    assert refused.status_code == 422
    assert beside(refused, "sku")
    for sku, shown in (("SKU-2", "SKU-2"), ("", "Our SKU")):
        assert change(olga, "listings", "1", {"sku": sku}).status_code == 303
        assert shown in open_page(olga, "listings", "detail", "1").text
    assert olga.get("/api/v1/marketplace/listings/1").json()["sku"] is None
