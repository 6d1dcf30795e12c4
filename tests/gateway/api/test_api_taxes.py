"""Taxes over the API: rates, what finds them, and the answers to questions about them."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from fixtures.api_shop import ask
from fixtures.entrance import House

TAXES = "/api/v1/taxes"
HEAD = "country,region,tax_category,rate_percent,valid_from_date,valid_to_date"
RATE = {"country": "DE", "rate_bps": 1900, "valid_from_date": "2007-01-01"}


def enter(caller: TestClient, **given: Any) -> Any:
    return caller.post(f"{TAXES}/rates", json={**RATE, **given})


def tagged(caller: TestClient, path: str) -> dict[str, str]:
    return {"If-Match": caller.get(f"{TAXES}/{path}").headers["etag"]}


def wrong(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["field"]


def test_a_rate_is_entered_and_ends_when_another_begins(shop: House, operator: TestClient) -> None:
    made = enter(operator)
    assert made.status_code == 201, made.text
    place = made.headers["location"]
    assert operator.get(place).json()["valid_to_date"] is None
    assert wrong(enter(operator)) == (409, "rate_bps")
    assert wrong(enter(operator, rate_bps=1600, valid_from_date="2000-01-01"))[0] == 409
    assert enter(operator, rate_bps=1600, valid_from_date="2020-07-01").status_code == 201
    assert operator.get(place).json()["valid_to_date"] == "2020-07-01"
    held = {on: operator.get(f"{TAXES}/rates?country=DE&on={on}").json()["items"]
            for on in ("2006-12-31", "2020-06-30", "2020-07-01")}  # fmt: skip
    assert [[row["rate_bps"] for row in rows] for rows in held.values()] == [[], [1900], [1600]]
    by = "SELECT count(*) FROM backoffice.audit_entries WHERE actor = 'operator' AND subject LIKE"
    assert ask(shop.database, f"{by} '%tax_rates%'") == 3


def test_a_rate_ends_and_is_taken_back(operator: TestClient) -> None:
    enter(operator)
    place = f"{TAXES}/rates/1"
    assert operator.patch(place, json={"valid_to_date": "2026-01-01"}).status_code == 428
    early = operator.patch(place, json={"valid_to_date": "2007-01-01"},
                           headers=tagged(operator, "rates/1"))  # fmt: skip
    assert wrong(early) == (409, "valid_to_date")
    done = operator.patch(place, json={"valid_to_date": "2026-01-01"},
                          headers=tagged(operator, "rates/1"))  # fmt: skip
    assert done.json()["valid_to_date"] == "2026-01-01"
    assert operator.delete(place, headers=tagged(operator, "rates/1")).status_code == 409
    enter(operator, valid_from_date="2099-01-01")
    back = operator.patch(place, json={"valid_to_date": None}, headers={"If-Match": "*"})
    assert wrong(back) == (409, "valid_to_date")
    new = operator.get(f"{TAXES}/rates?on=2099-01-01").json()["items"][0]["tax_rate_id"]
    gone = operator.delete(f"{TAXES}/rates/{new}", headers={"If-Match": "*"})
    assert gone.status_code == 204
    assert operator.get(f"{TAXES}/rates/{new}").status_code == 404


@pytest.mark.parametrize(
    ("given", "field"),
    [({"country": "de"}, "country"), ({"rate_bps": 10_001}, "rate_bps"),
     ({"valid_from_date": "2026-02-30"}, "valid_from_date"),
     ({"valid_to_date": "2000-01-01"}, "valid_to_date"), ({"region": " x"}, "region"),
     ({"rate_percent": 19}, "rate_percent"), ({"tax_category": "\0"}, "tax_category")],
)  # fmt: skip
def test_what_is_no_rate_names_its_field(clerk: TestClient, given: Any, field: str) -> None:
    assert wrong(enter(clerk, **given)) == (422, field)


def bring(caller: TestClient, *rows: str, **given: Any) -> Any:
    return caller.post(f"{TAXES}/rates/bulk", json={"csv": "\n".join([HEAD, *rows]), **given})


def test_a_file_is_looked_at_first_and_taken_whole(shop: House, operator: TestClient) -> None:
    good = ["FR,,,20,2014-01-01,", "FR,,books,5.5,2014-01-01,"]
    preview = bring(operator, *good, is_preview=True).json()
    assert (preview["is_taken"], preview["entered"]) == (False, 2)
    assert ask(shop.database, "SELECT count(*) FROM backoffice.tax_rates") == 0
    bad = bring(operator, *good, "FRA,,,x,2014-01-01,", "FR,,,19.999,2040-01-01,", "FR,,,19,,",
                "FR,,,21,2010-01-01,").json()  # fmt: skip
    assert (bad["is_taken"], bad["refused"]) == (False, 4)
    found = {row["line"]: row["field"] for row in bad["rows"] if row["outcome"] == "refused"}
    assert found == {4: "country", 5: "rate_percent", 6: "valid_from_date", 7: "valid_from_date"}
    assert ask(shop.database, "SELECT count(*) FROM backoffice.tax_rates") == 0
    assert bring(operator, *good).json()["entered"] == 2
    again = bring(operator, *good).json()
    assert (again["is_taken"], again["entered"], again["known"]) == (True, 0, 2)
    assert wrong(operator.post(f"{TAXES}/rates/bulk", json={"csv": "x,y\n1,2"})) == (422, "csv")


def test_rates_come_in_pages(operator: TestClient) -> None:
    bring(operator, *(f"{country},{region},,7,2014-01-01," for country in ("AT", "BE", "CY")
                      for region in ("", "A", "B/Ü")))  # fmt: skip
    seen, cursor = [], None
    while True:
        asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = operator.get(f"{TAXES}/rates", params=asked).json()
        seen += [(row["country"], row["region"]) for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == 9


def test_products_and_categories_are_taxed_otherwise(operator: TestClient) -> None:
    for given in ({"sku": "A/ 1"}, {"product_category": "Media > Books"}):
        answer = operator.post(f"{TAXES}/categories", json={"tax_category": "books", **given})
        assert answer.status_code == 200, answer.text
    assert len(operator.get(f"{TAXES}/categories?tax_category=books").json()["items"]) == 2
    both = {"tax_category": "books", "sku": "x", "product_category": "y"}
    assert operator.post(f"{TAXES}/categories", json=both).status_code == 422
    for path in ("product/A%2F%201", "category/Media%20%3E%20Books"):
        assert operator.delete(f"{TAXES}/categories/{path}").status_code == 428
        gone = operator.delete(f"{TAXES}/categories/{path}", headers={"If-Match": "*"})
        assert gone.status_code == 204
        gone = operator.delete(f"{TAXES}/categories/{path}", headers={"If-Match": "*"})
        assert gone.status_code == 404


def test_channels_say_how_they_state_tax(operator: TestClient) -> None:
    given = {"seller_country": "DE", "is_tax_in_prices": True}
    place = f"{TAXES}/channels/web/de"
    assert operator.put(place, json=given).status_code == 428
    made = operator.put(place, json=given, headers={"If-Match": "*"})
    assert (made.status_code, made.json()["channel"]) == (200, "web/de"), made.text
    assert made.json()["rounding"] == "line"
    stale = {"If-Match": made.headers["etag"]}
    changed = operator.put(place, json={**given, "rounding": "document"}, headers=stale)
    assert changed.json()["rounding"] == "document"
    assert operator.put(place, json=given, headers=stale).status_code == 412
    odd = operator.put(place, json={**given, "rounding": "x"}, headers={"If-Match": "*"})
    assert wrong(odd) == (422, "rounding")
    assert [row["channel"] for row in operator.get(f"{TAXES}/channels").json()["items"]] == [
        "web/de"
    ]
    assert operator.delete(place, headers={"If-Match": "*"}).status_code == 204
    assert operator.get(place).status_code == 404


def test_exchange_rates_stay_as_they_were_published(operator: TestClient) -> None:
    row = {"currency": "CHF", "rate_date": "2026-01-02", "per_eur": "0.9563"}
    bulk = f"{TAXES}/exchange-rates/bulk"
    assert operator.post(bulk, json={"rows": [row]}).json() == {"entered": 1, "known": 0}
    other = {**row, "per_eur": "0.5"}
    assert operator.post(bulk, json={"rows": [other]}).json() == {"entered": 0, "known": 1}
    [shown] = operator.get(f"{TAXES}/exchange-rates?currency=CHF").json()["items"]
    assert shown["per_eur"] == "0.956300"
    for rows in ([row, row], [{**row, "per_eur": "0"}], [{**row, "currency": "EUR"}]):
        assert wrong(operator.post(bulk, json={"rows": rows}))[0] == 422
    days = [{**row, "rate_date": f"2026-01-{day:02}"} for day in range(3, 8)]
    operator.post(bulk, json={"rows": days})
    page = operator.get(f"{TAXES}/exchange-rates?limit=4").json()
    rest = operator.get(f"{TAXES}/exchange-rates", params={"limit": 4, "cursor": page["next"]})
    assert len(rest.json()["items"]) == 2


def which(caller: TestClient, **asked: Any) -> Any:
    return caller.get(f"{TAXES}/which", params={"country": "FR", "on": "2026-05-01", **asked})


def test_which_rate_applies_and_why(shop: House, operator: TestClient) -> None:
    bring(operator, "DE,,,19,2007-01-01,", "FR,,,20,2014-01-01,", "FR,,books,5.5,2014-01-01,")
    channel = {"seller_country": "DE", "is_tax_in_prices": True}
    operator.put(f"{TAXES}/channels/web", json=channel, headers={"If-Match": "*"})
    operator.post(f"{TAXES}/categories", json={"tax_category": "books", "product_category": "c"})
    at_home = which(operator, channel="web").json()
    assert (at_home["treatment"], at_home["rate_bps"]) == ("origin", 1900)
    there = which(operator, channel="web", is_in_oss=True, sku="SKU-1").json()
    assert (there["treatment"], there["rate_bps"], there["tax_category"]) == (
        "destination", 550, "books"
    )  # fmt: skip
    assert there["reasons"][0] == "the category of SKU-1 is taxed as books"
    toys = which(operator, seller_country="FR", tax_category="toys").json()
    assert (toys["treatment"], toys["rate_bps"]) == ("domestic", 2000)
    assert "toys has no rate of its own there" in toys["reasons"][1]
    with shop.database.begin() as conn:
        conn.execute(sa.text(
            "INSERT INTO backoffice.vat_checks (vat_id, state, asked_as_of, answered_at, run_id)"
            " VALUES ('FR12345678901', 'valid', now(), now(), 'r')"))  # fmt: skip
    business = which(operator, channel="web", vat_id="FR 12345678901").json()
    assert (business["treatment"], business["rate_bps"]) == ("reverse_charge", None)
    nothing = which(operator, seller_country="IT", country="IT").json()
    assert nothing["reasons"][-1] == "no rate of IT holds on 2026-05-01"
    for asked in ({}, {"channel": "x"}, {"channel": "web", "seller_country": "DE"}):
        assert wrong(which(operator, **asked)) == (422, "channel")


def test_the_threshold_is_told_as_it_was_counted(shop: House, operator: TestClient) -> None:
    assert operator.get(f"{TAXES}/oss").json() == {"items": []}
    with shop.database.begin() as conn:
        conn.execute(
            sa.text("""
            INSERT INTO backoffice.oss_turnover (year, seller_country, country, currency, orders,
                net_minor, eur_minor, unconverted, counted_as_of, run_id)
            VALUES (2026, 'DE', 'FR', 'EUR', 2, 1000001, 1000001, 0, now(), 'r'),
                (2026, 'DE', 'SE', 'SEK', 1, 5, NULL, 1, now(), 'r')""")
        )
    [year] = operator.get(f"{TAXES}/oss").json()["items"]
    assert (year["is_over"], year["is_complete"]) == (True, False)
    assert (year["orders"], year["unknown_currencies"]) == (3, ["SEK"])


def test_a_vat_id_is_asked_about(operator: TestClient) -> None:
    checks = f"{TAXES}/vat-checks"
    first = operator.post(checks, json={"vat_id": "de 123.456.789"})
    assert first.json() == {"vat_id": "DE123456789", "state": "pending"}
    operator.post(checks, json={"vat_id": "DE123456789"})
    assert operator.post(checks, json={"vat_id": "US1"}).json()["state"] == "malformed"
    assert operator.post(checks, json={"vat_id": "<x>"}).status_code == 422
    [row] = operator.get(checks, params={"vat_id": "DE 123456789"}).json()["items"]
    assert (row["state"], row["attempts"]) == ("pending", 0)
    assert len(operator.get(f"{checks}?state=malformed").json()["items"]) == 1


def test_what_is_not_there(clerk: TestClient) -> None:
    for path in ("rates/99", "channels/x", "invoices/INV-1"):
        assert clerk.get(f"{TAXES}/{path}").status_code == 404, path
    assert clerk.get(f"{TAXES}/orders?outcome=differs").json()["items"] == []
