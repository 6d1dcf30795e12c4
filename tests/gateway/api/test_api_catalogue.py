"""Categories, attributes, families, demands of channels, and plans of files over the API."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from ecom_assets.catalog.store.taxonomy import take_taxonomy
from fixtures.api_shop import ask
from fixtures.entrance import House

CATALOGUE = "/api/v1/catalogue"
ANY = {"If-Match": "*"}
CSV = "sku,name,price,currency,ean\nCUP,A cup,9.90,EUR,4006381333931\nBAD,Bad,x,EUR,\n"


@pytest.fixture
def approver(shop: House) -> TestClient:
    """An approver who has logged in."""
    return shop.someone(Role.APPROVER)


def wrong(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["field"]


def test_own_categories_stand_beside_the_published(shop: House, operator: TestClient) -> None:
    with shop.database.begin() as conn:
        take_taxonomy(conn, ["1 - Toys", "2 - Toys > Puzzles"])
    place = f"{CATALOGUE}/categories"
    made = operator.post(place, json={"name": "Big ones", "parent_id": 2})
    assert (made.status_code, made.json()["path"]) == (201, "Toys > Puzzles > Big ones")
    own = made.json()["category_id"]
    assert own == 1_000_000_000
    below = operator.post(place, json={"name": "Blue", "parent_id": own}).json()
    assert [row["name"] for row in operator.get(place).json()["items"]] == ["Toys"]
    assert operator.get(f"{place}?parent_id=1").json()["items"][0]["has_children"]
    assert len(operator.get(f"{place}?q=PUZZLES").json()["items"]) == 3
    tag = {"If-Match": made.headers["etag"]}
    renamed = operator.patch(f"{place}/{own}", json={"name": "Large"}, headers=tag)
    assert renamed.json()["path"] == "Toys > Puzzles > Large"
    assert operator.patch(f"{place}/{own}", json={"name": "L"}, headers=tag).status_code == 412
    path = operator.get(f"{place}/{below['category_id']}").json()["path"]
    assert path == "Toys > Puzzles > Large > Blue"
    for number in (1, 2):
        for answer in (operator.patch(f"{place}/{number}", json={"name": "x"}, headers=ANY),
                       operator.delete(f"{place}/{number}", headers=ANY)):  # fmt: skip
            assert (answer.status_code, answer.json()["code"]) == (409, "refused")
    assert wrong(operator.post(place, json={"name": "Large", "parent_id": 2})) == (409, "name")
    assert wrong(operator.post(place, json={"name": "L", "parent_id": 77})) == (409, "parent_id")
    assert wrong(operator.post(place, json={"name": "a > b"})) == (422, "name")
    item = "/api/v1/products/item/SKU-1"
    used = operator.patch(item, json={"category_id": below["category_id"]}, headers=ANY)
    assert used.json()["category_path"] == path, used.text
    assert operator.delete(f"{place}/{own}", headers=ANY).status_code == 409
    assert operator.delete(f"{place}/{below['category_id']}", headers=ANY).status_code == 409
    operator.patch(item, json={"category_id": None}, headers=ANY)
    for number in (below["category_id"], own):
        assert operator.delete(f"{place}/{number}", headers=ANY).status_code == 204
    entries = "SELECT count(*) FROM backoffice.audit_entries WHERE subject LIKE '%categories/%'"
    assert ask(shop.database, entries) == 5
    with shop.database.begin() as conn:
        assert take_taxonomy(conn, ["1 - Toys", "2 - Toys > Puzzles"]) == 0


def test_attributes_are_described_and_archived(operator: TestClient) -> None:
    place = f"{CATALOGUE}/attributes/colour"
    assert operator.put(place, json={"name": "Colour"}).status_code == 428
    made = operator.put(place, json={"name": "Colour", "unit": ""}, headers=ANY)
    assert (made.status_code, made.json()["is_described"]) == (200, True)
    value = [{"sku": "SKU-1", "attribute": "colour", "value": "red"}]
    operator.post("/api/v1/products/values", json={"rows": value})
    archived = {"name": "Colour", "is_archived": True}
    assert wrong(operator.put(place, json=archived, headers=ANY)) == (409, "is_archived")
    gone = [{**value[0], "value": None}]
    operator.post("/api/v1/products/values", json={"rows": gone})
    tag = {"If-Match": operator.get(place).headers["etag"]}
    assert operator.put(place, json=archived, headers=tag).json()["is_archived"]
    refused = operator.post("/api/v1/products/values", json={"rows": value})
    assert wrong(refused) == (422, "attributes.colour")
    family = {"name": "F", "attributes": [{"attribute": "colour", "is_required": True}]}
    refused = operator.put(f"{CATALOGUE}/families/f", json=family, headers=ANY)
    assert wrong(refused) == (422, "attributes.0.attribute")
    listed = operator.get(f"{CATALOGUE}/attributes?is_archived=true").json()["items"]
    assert [row["attribute"] for row in listed] == ["colour"]
    assert wrong(operator.put(f"{CATALOGUE}/attributes/gtin", json=archived, headers=ANY))[0] == 422
    assert operator.get(f"{CATALOGUE}/attributes/nothing").status_code == 404


def test_families_and_demands_hold_products_back(operator: TestClient) -> None:
    place = f"{CATALOGUE}/families/shoes%2Fnew"
    attributes = [{"attribute": name, "is_required": name == "size"} for name in ("size", "colour")]
    family: dict[str, Any] = {"name": "Shoes", "attributes": attributes}
    made = operator.put(place, json=family, headers=ANY)
    assert (made.status_code, made.json()["family"]) == (200, "shoes/new"), made.text
    tag = {"If-Match": made.headers["etag"]}
    fewer = {**family, "attributes": family["attributes"][:1]}
    assert len(operator.put(place, json=fewer, headers=tag).json()["attributes"]) == 1
    assert operator.put(place, json=family, headers=tag).status_code == 412
    asked = f"{CATALOGUE}/requirements/market"
    rows = [{"attribute": "gtin"}, {"attribute": "title", "locale": "de", "is_localised": True},
            {"attribute": "material", "family": "shoes/new", "is_blocking": False}]  # fmt: skip
    done = operator.put(asked, json={"rows": rows}, headers=ANY)
    assert len(done.json()["items"]) == 3, done.text
    item = "/api/v1/products/item/SKU-1"
    shown = operator.patch(item, json={"family": "shoes/new"}, headers=ANY).json()["completeness"]
    assert {(row["locale"], tuple(row["blocking"])) for row in shown} == {
        ("", ("gtin", "size")), ("de", ("size", "title")),
    }  # fmt: skip
    assert wrong(operator.put(asked, json={"rows": [rows[0]] * 2}, headers=ANY)) == (422, "rows.1")
    unknown = [{"attribute": "x", "family": "none"}]
    assert wrong(operator.put(asked, json={"rows": unknown}, headers=ANY)) == (422, "rows.0.family")
    assert operator.delete(place, headers=ANY).status_code == 409
    page = operator.get(f"{CATALOGUE}/requirements?limit=2").json()
    rest = operator.get(f"{CATALOGUE}/requirements", params={"limit": 2, "cursor": page["next"]})
    assert len(rest.json()["items"]) == 1
    assert operator.delete(asked, headers=ANY).status_code == 204
    operator.patch(item, json={"family": None}, headers=ANY)
    assert operator.delete(place, headers=ANY).status_code == 204
    assert operator.get(f"{CATALOGUE}/families").json()["items"] == []


def upload(caller: TestClient, **given: Any) -> Any:
    return caller.post(f"{CATALOGUE}/plans/bulk", json={"name": "spring.csv", "text": CSV, **given})


def test_a_file_is_planned_approved_and_taken_back(
    shop: House, operator: TestClient, approver: TestClient
) -> None:
    made = upload(operator)
    assert made.status_code == 201, made.text
    plan = made.json()
    assert (plan["rows_create"], plan["rows_error"], plan["state"]) == (1, 1, "planned")
    assert plan["found"][0]["code"] == "not_a_number"
    assert operator.get("/api/v1/products/item/CUP").status_code == 404
    place = f"{CATALOGUE}/plans/{plan['hash'][:12]}"
    [bad] = operator.get(f"{place}/rows?action=error").json()["items"]
    assert (bad["sku"], bad["findings"][0]["field"]) == ("BAD", "list_price")
    assert operator.post(f"{place}/approve", json={}).status_code == 403
    [waiting] = approver.get("/api/v1/approvals").json()["items"]
    assert waiting["requested_by"] == "operator"
    done = approver.post(f"{place}/approve", json={"note": "fine"})
    assert (done.status_code, done.json()["created"]) == (200, 1), done.text
    shown = operator.get("/api/v1/products/item/CUP").json()
    assert (shown["gtin"], shown["score"] is not None) == ("04006381333931", True)
    assert approver.post(f"{place}/approve", json={}).json()["code"] == "refused"
    back = operator.post(f"{place}/revert")
    assert (back.json()["created"], back.json()["plan"]["state"]) == (1, "reverted")
    assert operator.get("/api/v1/products/item/CUP").status_code == 404
    states = operator.get(f"{CATALOGUE}/plans?state=reverted").json()["items"]
    assert [row["decision_note"] for row in states] == ["fine"]
    audited = "SELECT count(*) FROM backoffice.audit_entries WHERE subject LIKE 'catalogue_plan/%'"
    assert ask(shop.database, audited) == 2


def test_a_plan_is_not_decided_by_who_asked(shop: House, operator: TestClient) -> None:
    plan = upload(operator).json()["hash"]
    with shop.database.begin() as conn:
        conn.execute(sa.text("UPDATE backoffice.users SET roles = '{operator,approver}'"))
    alone = shop.log_in("operator")
    for verb, given in (("approve", {}), ("reject", {"note": "no"})):
        answer = alone.post(f"{CATALOGUE}/plans/{plan}/{verb}", json=given)
        assert (answer.status_code, answer.json()["code"]) == (403, "four_eyes")
    shop.add("other", Role.APPROVER)
    other = shop.log_in("other")
    done = other.post(f"{CATALOGUE}/plans/{plan}/reject", json={"note": "no"})
    assert done.json()["state"] == "rejected"


@pytest.mark.parametrize(
    ("given", "field"),
    [({"text": None}, "text"), ({"base64": "eA=="}, "text"), ({"text": ""}, "text"),
     ({"text": "a,b\n1,2\n"}, "text"), ({"text": None, "base64": "%%"}, "base64"),
     ({"text": None, "base64": base64.b64encode(b"PK\x03\x04x").decode()}, "base64"),
     ({"name": "../x.csv"}, "name"), ({"name": ".."}, "name"), ({"currency": "eur"}, "currency"),
     ({"columns": {"sku": "Nothing"}}, "text"), ({"text": "sku,name\n"}, "text")],
)  # fmt: skip
def test_files_that_cannot_be_planned(clerk: TestClient, given: Any, field: str) -> None:
    answer = upload(clerk, **given)
    assert wrong(answer) == (422, field), answer.text
    assert "/tmp" not in answer.text  # noqa: S108


def test_plans_that_are_not_there(clerk: TestClient) -> None:
    assert clerk.get(f"{CATALOGUE}/plans/abcdef").status_code == 404
    assert clerk.get(f"{CATALOGUE}/plans/abcdef/rows").status_code == 404
    assert clerk.get(f"{CATALOGUE}/plans/x").status_code == 422
