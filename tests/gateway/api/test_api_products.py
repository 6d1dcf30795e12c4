"""Products over the API: found, made, changed and taken back, judged as files are."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from fixtures.api_shop import ask
from fixtures.entrance import House
from gateway.api import catalogue_changes

PRODUCTS = "/api/v1/products"
CUP = {"sku": "CUP", "name": "A cup", "currency": "EUR", "list_price_minor": 990,
       "gtin": "4006381333931", "weight_g": 350}  # fmt: skip


def make(caller: TestClient, **members: Any) -> Any:
    return caller.post(PRODUCTS, json={**CUP, **members})


def place(sku: str) -> str:
    return f"{PRODUCTS}/item/{quote(sku, safe='')}"


def change(caller: TestClient, sku: str, **members: Any) -> Any:
    tag = caller.get(place(sku)).headers["etag"]
    return caller.patch(place(sku), json=members, headers={"If-Match": tag})


def fields(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


def test_a_product_is_made_and_read(shop: House, operator: TestClient) -> None:
    red = {"attribute": "colour", "locale": "de", "value": "rot"}
    media, options = ["https://x.example/1.jpg"], {"Size": "M"}
    made = make(operator, attributes=[red], media=media, options=options, group_key="cups")
    assert made.status_code == 201, made.text
    shown = operator.get(made.headers["location"])
    assert shown.json() == made.json()
    assert (shown.json()["gtin"], shown.json()["list_price_minor"]) == ("04006381333931", 990)
    assert shown.json()["attributes"][0]["source"] == "api"
    assert (shown.json()["group_name"], shown.json()["shipping_weight_g"]) == ("A cup", 350)
    assert shown.json()["score"] is not None
    again = make(operator)
    assert (again.status_code, again.json()["code"]) == (409, "exists")
    asked = "SELECT requested_by || state FROM catalog.import_plans"
    assert ask(shop.database, asked) == "operatorapplied"
    lineage = operator.get(f"{PRODUCTS}/lineage/CUP").json()["items"]
    assert {row["field"]: row["value"] for row in lineage}["colour#de"] == "rot"


@pytest.mark.parametrize(
    ("members", "wrong"),
    [({"gtin": "4006381333932"}, {"gtin": "gtin_wrong_check_digit"}),
     ({"gtin": 4006381333931}, {"gtin": "string_type"}),
     ({"family": "x", "supplier_key": "y"}, {"family": "unknown_family",
                                             "supplier_key": "unknown_supplier"}),
     ({"components": {"NONE": 1}}, {"components": "unknown_component"}),
     ({"name": "=1+1"}, {"name": "formula"}), ({"currency": "XXZ"}, {"currency":
                                                                       "unknown_currency"}),
     ({"attributes": [{"attribute": "colour", "value": "=x"}]}, {"attributes.colour": "formula"}),
     ({"attributes": [{"attribute": "name", "value": "x"}]}, {"attributes.0": "reserved"}),
     ({"weight_g": 0}, {"weight_g": "greater_than_equal"}), ({"name": None}, {"name": "needed"}),
     ({"sku": "a|b"}, {"sku": "string_pattern_mismatch"}), ({"sku": "a "}, {"sku":
                                                                            "blanks_around"}),
     ({"media": ["ftp://x"]}, {"media.0": "string_pattern_mismatch"}),
     ({"is_active": True}, {"is_active": "extra_forbidden"})],
)  # fmt: skip
def test_what_is_no_product_names_its_members(
    clerk: TestClient, members: Any, wrong: dict[str, str]
) -> None:
    assert fields(make(clerk, **members)) == wrong
    assert clerk.get(place("CUP")).status_code == 404


def test_prices_are_those_of_their_currency(operator: TestClient) -> None:
    yen = make(operator, sku="YEN", gtin=None, currency="JPY", list_price_minor=990)
    dinar = make(operator, sku="KWD", gtin=None, currency="KWD", unit_cost_minor=1)
    assert (yen.json()["list_price_minor"], dinar.json()["unit_cost_minor"]) == (990, 1)
    assert change(operator, "YEN", list_price_minor=15).json()["list_price_minor"] == 15
    bare = operator.post(PRODUCTS, json={"sku": "X", "name": "x", "list_price_minor": 1})
    assert fields(bare)["currency"] == "currency_missing"


def test_a_product_is_changed_and_emptied(shop: House, operator: TestClient) -> None:
    make(operator, brand="B", description="d", media=["https://x.example/1.jpg"],
         attributes=[{"attribute": "colour", "value": "red"}])  # fmt: skip
    before = operator.get(place("CUP")).json()
    done = change(
        operator, "CUP", name="Another", brand=None, weight_g=None, media=[],
        attributes=[{"attribute": "colour", "value": None},
                    {"attribute": "size", "channel": "web", "value": "L"}],
    )  # fmt: skip
    assert done.status_code == 200, done.text
    after = done.json()
    assert [after[name] for name in ("name", "brand", "weight_g", "media", "description")] == [
        "Another", None, None, [], "d",
    ]  # fmt: skip
    assert [(row["attribute"], row["channel"]) for row in after["attributes"]] == [("size", "web")]
    plan = ask(shop.database, "SELECT hash FROM catalog.import_plans ORDER BY plan_id DESC LIMIT 1")
    reverted = operator.post(f"/api/v1/catalogue/plans/{plan}/revert")
    if reverted.status_code != 404:
        assert operator.get(place("CUP")).json()["attributes"][0]["value"] == "red"
        assert operator.get(place("CUP")).json()["brand"] == before["brand"]


def test_a_change_of_nothing_leaves_no_plan(shop: House, operator: TestClient) -> None:
    make(operator)
    tag = operator.get(place("CUP")).headers["etag"]
    same = change(operator, "CUP", name="A cup", brand=None)
    assert (same.status_code, same.headers["etag"]) == (200, tag)
    assert ask(shop.database, "SELECT count(*) FROM catalog.import_plans") == 1


def test_a_change_needs_what_was_seen(operator: TestClient) -> None:
    tag = make(operator).headers["etag"]
    assert operator.patch(place("CUP"), json={"name": "x"}).status_code == 428
    change(operator, "CUP", name="x")
    late = operator.patch(place("CUP"), json={"name": "y"}, headers={"If-Match": tag})
    assert late.status_code == 412
    assert operator.patch(place("NO"), json={}, headers={"If-Match": "*"}).status_code == 404
    assert fields(change(operator, "CUP", name=None)) == {"name": "needed"}


def test_products_are_archived_and_taken_back(operator: TestClient) -> None:
    make(operator)
    done = operator.post(f"{PRODUCTS}/archive", json={"skus": ["CUP", "SKU-1"]}).json()
    assert (done["updated"], len(done["plan"])) == (2, 64)
    assert operator.get(place("CUP")).json()["is_active"] is False
    listed = operator.get(f"{PRODUCTS}?status=archived").json()["items"]
    assert [row["sku"] for row in listed] == ["CUP", "SKU-1"]
    operator.post(f"{PRODUCTS}/unarchive", json={"skus": ["CUP"]})
    assert operator.get(place("CUP")).json()["is_active"] is True
    unknown = operator.post(f"{PRODUCTS}/archive", json={"skus": ["CUP", "NO"]})
    assert fields(unknown) == {"skus.1": "unknown_sku"}


def test_kits_have_components(operator: TestClient) -> None:
    kit = make(operator, components={"SKU-1": 2, "SKU-2": 1}).json()
    assert (kit["is_kit"], kit["components"]) == (True, {"SKU-1": 2, "SKU-2": 1})
    assert fields(change(operator, "SKU-1", components={"CUP": 1})) == {"components": "cyclic_kit"}
    none = change(operator, "CUP", components={}).json()
    assert (none["is_kit"], none["components"]) == (False, {})


def test_values_of_many_products_are_set(operator: TestClient) -> None:
    rows = [{"sku": sku, "attribute": "title", "channel": "web", "locale": "pt-BR", "value": sku}
            for sku in ("SKU-1", "SKU-2")]  # fmt: skip
    assert operator.post(f"{PRODUCTS}/values", json={"rows": rows}).json()["updated"] == 2
    assert operator.get(place("SKU-1")).json()["attributes"][0]["value"] == "SKU-1"
    gone = [{**rows[0], "value": None}]
    assert operator.post(f"{PRODUCTS}/values", json={"rows": gone}).json()["updated"] == 1
    assert operator.get(place("SKU-1")).json()["attributes"] == []
    assert fields(operator.post(f"{PRODUCTS}/values", json={"rows": rows * 2}))
    unknown = [{**rows[0], "sku": "NO"}]
    assert fields(operator.post(f"{PRODUCTS}/values", json={"rows": unknown})) == {
        "rows.0": "unknown_sku"
    }


def test_products_are_found(operator: TestClient) -> None:
    for sku, name in (("A/1 ü", "Über Cup"), ("B%_x", "cup holder"), ("C" * 200, "Saucer")):
        assert make(operator, sku=sku, name=name, gtin=None).status_code == 201
        assert operator.get(place(sku)).json()["sku"] == sku
        assert change(operator, sku, brand="B").json()["brand"] == "B"
    make(operator, brand="C")

    def found(**asked: Any) -> list[str]:
        items = operator.get(PRODUCTS, params=asked).json()["items"]
        return [row["sku"] for row in items]

    assert found(q="CUP h") == ["B%_x"]
    assert found(q="A/") == ["A/1 ü"]
    assert found(q="B%") == ["B%_x"]
    assert found(q="400638") == found(q="0400638") == ["CUP"]
    assert found(brand="C") == ["CUP"]
    assert found(category="uncategorised", q="Sauc") == ["C" * 200]
    seen, cursor = [], None
    while True:
        page = operator.get(PRODUCTS, params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        seen += [row["sku"] for row in page.json()["items"]]
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6


def bulk(caller: TestClient, *rows: Any, policy: str = "reject_batch") -> Any:
    body = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    headers = {"Content-Type": "application/x-ndjson"}
    return caller.post(f"{PRODUCTS}/bulk?policy={policy}", content=body.encode(), headers=headers)


def test_many_products_are_one_plan(shop: House, operator: TestClient) -> None:
    rows = [{"sku": f"N{n}", "name": f"n{n}", "currency": "EUR"} for n in range(50)]
    done = bulk(operator, *rows, {"sku": "SKU-1", "name": "changed"}).json()
    assert (done["created"], done["updated"], done["rejected"]) == (50, 1, 0)
    again = bulk(operator, *rows).json()
    assert (again["plan"], again["unchanged"]) == (None, 50)
    assert ask(shop.database, "SELECT count(*) FROM catalog.import_plans") == 1
    listed = operator.post(f"{PRODUCTS}/bulk", json=[{"sku": "L", "name": "l", "currency": "EUR"}])
    assert listed.json()["created"] == 1


def test_bad_rows_of_many_are_named(shop: House, operator: TestClient) -> None:
    good = {"sku": "G", "name": "g", "currency": "EUR"}
    bad = [{"sku": "F", "name": "f", "currency": "EUR", "family": "x"}, {"sku": "H", "gtin": 1},
           "{broken", {"sku": "I", "name": None}]  # fmt: skip
    refused = bulk(operator, good, *bad)
    assert {"3.gtin": "string_type", "4": "model_type", "5.name": "needed"}.items() <= (
        fields(refused).items()
    )
    assert fields(bulk(operator, good, bad[0])) == {"2.family": "unknown_family"}
    assert ask(shop.database, "SELECT count(*) FROM catalog.products") == 2
    kept = bulk(operator, good, *bad, policy="reject_row").json()
    assert (kept["created"], kept["rejected"]) == (1, 4)
    assert {(error["row"], error["field"]) for error in kept["errors"]} == {
        (2, "family"), (3, "gtin"), (4, ""), (5, "name"),
    }  # fmt: skip
    twice = bulk(operator, {**good, "sku": "T"}, {**good, "sku": "T", "name": "other"})
    assert set(fields(twice).values()) == {"duplicate_sku"}


def test_an_import_is_not_waited_for(
    shop: House, operator: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ecom_assets.catalog.store.staging import lock_products

    monkeypatch.setattr(catalogue_changes, "_WAIT", sa.text("SET LOCAL lock_timeout = '50ms'"))
    with shop.database.engine.connect() as other, other.begin():
        lock_products(other)
        answer = make(operator)
    assert (answer.status_code, answer.json()["code"]) == (503, "catalogue_busy")
    assert make(operator).status_code == 201
