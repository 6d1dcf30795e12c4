"""Carriers, services and zones over the API: kept, archived, restored, and refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from fixtures.api_shop import ask
from fixtures.entrance import House
from fixtures.kept_card import API, CARRIER, RATE, SERVICE, change, furnish


def test_a_rate_card_is_kept(operator: TestClient) -> None:
    furnish(operator)
    assert operator.get(f"{API}/carriers").json()["items"] == [{**CARRIER, "archived_at": None}]
    assert operator.get(f"{API}/services/NLN-STD").json() == {**SERVICE, "archived_at": None}
    zones = operator.get(f"{API}/zones").json()["items"]
    assert [(zone["zone_code"], zone["to_km"]) for zone in zones] == [("FAR", None), ("NEAR", 100)]
    first = operator.get(f"{API}/zones", params={"limit": 1}).json()
    rest = operator.get(f"{API}/zones", params={"limit": 1, "cursor": first["next"]}).json()
    assert (rest["items"], rest["next"]) == (zones[1:], None)


def test_a_change_needs_what_was_seen_and_is_on_record(shop: House, operator: TestClient) -> None:
    furnish(operator)
    seen = operator.get(f"{API}/services/NLN-STD").headers["etag"]
    answer = change(operator, "services/NLN-STD", max_weight_g=20_000)
    assert (answer.status_code, answer.json()["max_weight_g"]) == (200, 20_000)
    assert answer.json()["quality"] == SERVICE["quality"]
    late = operator.patch(f"{API}/services/NLN-STD", json={"name": "x"},
                          headers={"If-Match": seen})  # fmt: skip
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert operator.patch(f"{API}/services/NLN-STD", json={"name": "x"}).status_code == 428
    entry = ask(
        shop.database, "SELECT actor FROM backoffice.audit_entries"
        " WHERE subject = 'transport.services/NLN-STD' AND action = 'update'",
    )  # fmt: skip
    assert entry == "operator"
    assert change(operator, "zones/FAR", to_km=900).json()["to_km"] == 900
    assert change(operator, "zones/FAR", to_km=None).json()["to_km"] is None
    assert change(operator, "carriers/NLN", name="New").json()["name"] == "New"


def test_what_is_archived_stays_and_comes_back(shop: House, operator: TestClient) -> None:
    furnish(operator)
    for path in ("services/NLN-STD", "carriers/NLN", "zones/FAR"):
        archived = operator.post(f"{API}/{path}/archive")
        assert archived.json()["archived_at"], archived.text
        again = operator.post(f"{API}/{path}/archive").json()
        assert again["archived_at"] == archived.json()["archived_at"]
        kind = path.partition("/")[0]
        used = operator.get(f"{API}/{kind}", params={"is_archived": False}).json()["items"]
        assert path.partition("/")[2] not in {next(iter(row.values())) for row in used}
        assert operator.post(f"{API}/{path}/restore").json()["archived_at"] is None


def test_an_import_does_not_revive_what_is_archived(shop: House, operator: TestClient) -> None:
    from ecom_assets.shared import feeds
    from ecom_assets.transport.store import take_rate_card

    furnish(operator)
    operator.post(f"{API}/services/NLN-STD/archive")
    with shop.database.begin() as conn:
        feeds.open_feeds(conn)
        row = {**SERVICE, "name": "Said by a feed"}
        conn.execute(feeds.SERVICES.insert(), [row])
        assert take_rate_card(conn, None) == 1
    found = operator.get(f"{API}/services/NLN-STD").json()
    assert (found["name"], bool(found["archived_at"])) == ("Said by a feed", True)


def test_a_zone_with_rates_is_not_archived(operator: TestClient) -> None:
    furnish(operator)
    refused = operator.post(f"{API}/zones/NEAR/archive")
    assert (refused.status_code, refused.json()["code"]) == (409, "still_rated")
    assert "1 rates" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("carriers", CARRIER, 409, "carrier_code"),
        ("carriers", {**CARRIER, "carrier_code": "a/b"}, 422, "carrier_code"),
        ("carriers", {**CARRIER, "carrier_code": "x", "name": " "}, 422, "name"),
        ("carriers", {**CARRIER, "carrier_code": "x", "archived_at": None}, 422, "archived_at"),
        ("services", {**SERVICE, "service_code": "x", "carrier_code": "none"}, 422, "carrier_code"),
        ("services", {**SERVICE, "service_code": "x", "quality": 1.1}, 422, "quality"),
        ("services", {**SERVICE, "service_code": "x", "max_weight_g": 0}, 422, "max_weight_g"),
        ("zones", {"zone_code": "x", "from_km": 5, "to_km": 5}, 422, "to_km"),
        ("zones", {"zone_code": "x", "from_km": 50, "to_km": 60}, 409, "from_km"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    operator: TestClient, path: str, body: dict[str, Any], status: int, field: str
) -> None:
    furnish(operator)
    answer = operator.post(f"{API}/{path}", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_zones_may_overlap_where_that_is_said(operator: TestClient) -> None:
    furnish(operator)
    body = {"zone_code": "CITY", "from_km": 0, "to_km": 10, "may_overlap": True}
    assert operator.post(f"{API}/zones", json=body).status_code == 201


def test_codes_with_slashes_are_found(shop: House, operator: TestClient) -> None:
    with shop.database.begin() as conn:
        conn.exec_driver_sql("INSERT INTO transport.carriers VALUES ('a/b c', 'Imported')")
    assert operator.get(f"{API}/carriers/a%2Fb%20c").json()["name"] == "Imported"
    assert operator.get(f"{API}/carriers/a/b c").json()["name"] == "Imported"
    assert change(operator, "carriers/a%2Fb%20c", name="Ours").json()["name"] == "Ours"
    assert operator.post(f"{API}/carriers/a%2Fb%20c/archive").json()["archived_at"]
    assert operator.get(f"{API}/carriers/a/archive").status_code == 404
    assert operator.get(f"{API}/carriers/x%00").status_code == 404


def test_viewers_look_and_do_not_touch(shop: House, operator: TestClient) -> None:
    furnish(operator)
    viewer = shop.someone(Role.VIEWER)
    assert viewer.get(f"{API}/services").status_code == 200
    assert viewer.post(f"{API}/services/NLN-STD/archive").status_code == 403


def test_a_rate_is_added_and_ended_never_overwritten(operator: TestClient) -> None:
    furnish(operator)
    (rate,) = operator.get(f"{API}/rates").json()["items"]
    same = operator.post(f"{API}/rates", json=RATE)
    assert (same.status_code, same.json()["code"]) == (409, "known_rate")
    overlapping = {**RATE, "from_g": 4_000, "to_g": 9_000, "valid_from_at": "2027-01-01T00:00:00Z"}
    refused = operator.post(f"{API}/rates", json=overlapping)
    assert refused.status_code == 409
    assert f"rate {rate['rate_id']}" in refused.json()["detail"]
    ended = change(operator, f"rates/{rate['rate_id']}", valid_to_at="2027-01-01T00:00:00Z")
    assert ended.json()["valid_to_at"] == "2027-01-01T00:00:00Z"
    assert operator.post(f"{API}/rates", json=overlapping).status_code == 201
    later = change(operator, f"rates/{rate['rate_id']}", valid_to_at="2028-01-01T00:00:00Z")
    assert (later.status_code, later.json()["code"]) == (409, "later_end")
    early = change(operator, f"rates/{rate['rate_id']}", valid_to_at="2026-01-01T00:00:00Z")
    assert (early.status_code, early.json()["code"]) == (422, "empty_period")
    asked = {"in_force_at": "2026-06-01T00:00:00Z", "service_code": "NLN-STD"}
    (found,) = operator.get(f"{API}/rates", params=asked).json()["items"]
    assert found["rate_id"] == rate["rate_id"]
    page = operator.get(f"{API}/rates", params={"limit": 1}).json()
    rest = operator.get(f"{API}/rates", params={"limit": 1, "cursor": page["next"]}).json()
    assert [row["from_g"] for row in page["items"] + rest["items"]] == [0, 4_000]


@pytest.mark.parametrize(
    ("members", "field", "code"),
    [
        ({"service_code": "none"}, "service_code", "unknown_service"),
        ({"zone_code": "none"}, "zone_code", "unknown_zone"),
        ({"from_g": 5_000}, "to_g", "empty_band"),
        ({"valid_to_at": "2025-01-01T00:00:00Z"}, "valid_to_at", "empty_period"),
        ({"currency": "XXX"}, "currency", "value_error"),
        ({"transit_days": 366}, "transit_days", "less_than_equal"),
    ],
)
def test_a_rate_that_makes_no_sense_is_refused(
    operator: TestClient, members: dict[str, Any], field: str, code: str
) -> None:
    furnish(operator)
    answer = operator.post(f"{API}/rates", json={**RATE, **members})
    found = answer.json()["errors"][0]
    assert (answer.status_code, found["field"], found["code"]) == (422, field, code), answer.text


def test_no_rate_is_added_for_what_is_archived(operator: TestClient) -> None:
    furnish(operator)
    operator.post(f"{API}/carriers/NLN/archive")
    answer = operator.post(f"{API}/rates", json={**RATE, "from_g": 5_000, "to_g": 9_000})
    assert (answer.status_code, answer.json()["code"]) == (422, "archived_service")
