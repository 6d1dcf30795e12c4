"""The shop's own pages: selection, lists of rates, files of products, calendar, settings, feeds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from fixtures.entrance import House
from fixtures.screens import SCREENS, Forms, flashed, refusals, send

LISTS, FILES = f"{SCREENS}/price-lists", f"{SCREENS}/catalogue-files"
HEAD = "service;zone;from_kg;to_kg;price;currency;valid_from\n"


def upload(caller: TestClient, place: str, name: str, text: str, **given: str) -> Any:
    """Send a file with a page's form."""
    form = next(f for f in Forms(caller.get(place).text).forms if f["action"] == place)
    return caller.post(place, data={**form["values"], **given},
                       files={"file": (name, text.encode(), "text/csv")})  # fmt: skip


def test_what_if_says_what_would_differ(busy_shop: House, vera: TestClient) -> None:
    shipments = vera.get(f"{SCREENS}/shipments?is_expected_late=true").text
    assert "12.00 EUR" not in shipments
    assert "5.00 EUR" in shipments
    place = f"{SCREENS}/shipments/2"
    page = vera.get(place).text
    assert "Weight (g)" in page
    answer = send(vera, place, {"late_cost_minor": "100000"}, "#otherwise")
    assert answer.status_code == 200
    assert "differs" in answer.text
    for wrong in ("much", "-1", "1e999"):
        refused = send(vera, place, {"late_cost_minor": wrong}, "#otherwise")
        assert refused.status_code == 422, wrong
        assert refusals(refused)


@pytest.mark.parametrize(("wrong", "said"), [
    ({"weight_g": "heavy"}, "this is no number"), ({"goods": "x"}, "write it like"),
    ({"weight_g": "-1"}, "greater"),
])  # fmt: skip
def test_rate_shopping_says_what_is_wrong(
    busy_shop: House, vera: TestClient, wrong: dict[str, str], said: str
) -> None:
    place = f"{SCREENS}/rate-shopping"
    given = {"weight_g": "900", "distance_km": "10", "goods": "20", "currency": "EUR"}
    good = send(vera, place, given)
    assert good.status_code == 200
    assert 'class="chosen"' in good.text
    refused = send(vera, place, {**given, **wrong})
    assert refused.status_code == 422
    assert said in refused.text


def test_a_list_of_rates_is_seen_applied_or_discarded(busy_shop: House, olga: TestClient) -> None:
    text = f"{HEAD}slow;near;0;5;6,40;EUR;2031-01-01\n"
    made = upload(olga, LISTS, "slow.csv", text)
    assert made.status_code == 303, refusals(made)
    place = made.headers["location"]
    page = olga.get(place).text
    assert "6.40 EUR" in page
    assert "5.00 EUR" in page
    assert "is applied" in flashed(olga, send(olga, place, {}, "/apply"))
    assert "6.40 EUR" in olga.get(f"{SCREENS}/rates/list?q=slow near").text
    assert "/apply" not in olga.get(place).text
    other = upload(olga, LISTS, "slow.csv", text.replace("6,40", "7,10")).headers["location"]
    assert "discarded" in flashed(olga, send(olga, other, {}, "/discard"))
    assert "7.10 EUR" not in olga.get(f"{SCREENS}/rates/list?q=slow near").text


def test_a_list_with_errors_is_not_applied(busy_shop: House, olga: TestClient) -> None:
    page = olga.get(f"{LISTS}/1").text
    assert "mend the file" in page
    assert "/apply" not in page
    assert "moon" in olga.get(f"{LISTS}/1?outcome=error").text
    assert "No such rows" in olga.get(f"{LISTS}/1?outcome=unchanged").text
    for name, text in (("x.csv", "a;b\n1;2\n"), ("x.xlsx", "no sheet"), ("", "")):
        refused = upload(olga, LISTS, name, text)
        assert refused.status_code in (303, 422), refused.text
    assert olga.get(f"{LISTS}/999").status_code == 404


def test_a_file_of_products_is_approved_by_another_and_taken_back(
    busy_shop: House, olga: TestClient, pat: TestClient
) -> None:
    made = upload(olga, FILES, "mugs.csv", "sku,name,price,currency\nMUG,A mug,9.90,EUR\n")
    assert made.status_code == 303, refusals(made)
    place = made.headers["location"]
    assert "Another person approves it" in olga.get(place).text
    seen = pat.get(place).text
    assert "List price: 9.90 EUR" in seen
    [approval] = [link for link in Forms(seen).links if "/approvals/catalogue_plan/" in link]
    answer = send(pat, approval, {"decision": "approve", "note": ""}, "/decide")
    assert "was approved" in flashed(pat, answer)
    assert "MUG" in olga.get(f"{SCREENS}/products/list?q=MUG").text
    assert "taken back" in flashed(olga, send(olga, place, {}, "/revert"))
    assert "Take it back" not in olga.get(place).text
    refused = upload(olga, FILES, "", "")
    assert refused.status_code == 422
    assert "Choose a file" in refused.text


def test_the_calendar_is_kept(busy_shop: House, olga: TestClient, vera: TestClient) -> None:
    place = f"{SCREENS}/calendar?site=BER-1"
    week = {"opens-1": "09:00", "cut-1": "15:00", "opens-2": "", "cut-2": ""}
    end = "?site=BER-1"
    assert "hours were set" in flashed(olga, send(olga, place, week, f"/hours{end}"))
    assert 'value="09:00"' in olga.get(place).text
    wrong = send(olga, place, {"opens-1": "18:00", "cut-1": "09:00"}, f"/hours{end}")
    assert wrong.status_code == 422
    assert 'value="18:00"' in wrong.text
    closed = {"closed_date": "2031-05-01", "reason": "<b>May</b>"}
    assert "was closed" in flashed(olga, send(olga, place, closed, f"/close{end}"))
    assert "&lt;b&gt;May" in olga.get(place).text
    assert send(olga, place, closed, f"/close{end}").status_code == 422
    opened = send(olga, place, {"closed_date": "2031-05-01"}, f"/open{end}")
    assert "is open" in flashed(olga, opened)
    assert "2031-05-01" not in olga.get(place).text
    assert "/close" not in vera.get(place).text
    assert olga.get(f"{SCREENS}/calendar?site=a/b").status_code == 404


def test_a_setting_is_set_and_goes_back(busy_shop: House, ann: TestClient) -> None:
    place, name = f"{SCREENS}/settings", "/backoffice.vat_answer_days"
    assert "saved" in flashed(ann, send(ann, place, {"value": "45", "do": "set"}, name))
    assert "Set by ann" in ann.get(place).text
    for wrong in ("soon", "-1", ""):
        refused = send(ann, place, {"value": wrong, "do": "set"}, name)
        assert refused.status_code == 422, wrong
        assert "invalid-feedback" in refused.text
    assert "saved" in flashed(ann, send(ann, place, {"do": "default"}, name))
    assert "Set by ann" not in ann.get(place).text


def test_a_feed_is_made_changed_and_archived(busy_shop: House, olga: TestClient) -> None:
    new = f"{SCREENS}/channels/new/file_feed"
    given = {"name": "Feed", "channel": "feed", "address": "outlet",
             "options": '{"currency": "EUR"}'}  # fmt: skip
    for name, value, said in (("options", "{", "no JSON"), ("options", "{}", "currency"),
                              ("address", "../etc", "invalid-feedback")):  # fmt: skip
        refused = send(olga, new, {**given, name: value})
        assert refused.status_code == 422
        assert said in refused.text
    made = send(olga, new, given)
    assert "test it before it syncs" in flashed(olga, made)
    place = made.headers["location"]
    assert "test" in flashed(olga, send(olga, place, {}, "/test")).lower()
    assert "was asked for" in flashed(olga, send(olga, place, {}, "/sync"))
    options = json.dumps({"currency": "EUR", "sync_every_minutes": 0})
    renamed = send(olga, place, {"name": "Feed 2", "options": options}, place.rpartition("/")[2])
    assert "was changed" in flashed(olga, renamed)
    for state in ("paused", "active", "archived"):
        answer = send(olga, place, {"state": state}, "/state")
        assert f"It is {state} now" in flashed(olga, answer)
    assert "/state" not in olga.get(place).text
