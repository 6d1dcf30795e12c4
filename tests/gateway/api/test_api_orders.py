"""Orders over the API, from the message to its cancellation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from ecom_assets.orders.store import accept_pending
from fixtures.entrance import House
from fixtures.order_documents import build_document

ORDERS = "/api/v1/orders"


def message(external_id: str = "1", **members: Any) -> dict[str, Any]:
    return {"channel": "web", "external_id": external_id, "received_at": "2024-05-01T13:00:00Z",
            "payload": build_document(**members)}  # fmt: skip


def accept(shop: House) -> None:
    accept_pending(shop.database.begin, "test")


@pytest.fixture
def order(shop: House, operator: TestClient) -> int:
    """An accepted order."""
    assert operator.post(ORDERS, json=message()).status_code == 202
    accept(shop)
    return int(operator.get(ORDERS).json()["items"][0]["order_id"])


def test_a_message_is_taken_once(operator: TestClient) -> None:
    first, second = (operator.post(ORDERS, json=message()) for _ in range(2))
    assert (first.status_code, first.json()["outcome"]) == (202, "added")
    assert (second.status_code, second.json()["outcome"]) == (200, "repeated")


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"currency": None}, "currency"),
        ({"lines": []}, "lines"),
        ({"total_minor": 7}, "total_minor"),
        ({"placed_at": "2024-02-30T00:00:00Z"}, "placed_at"),
        ({"lines": [{"line_no": 1, "sku": "SKU-9", "quantity": 1, "unit_price_minor": 1}]}, "line"),
    ],
)
def test_a_bad_document_is_refused_with_its_field(
    clerk: TestClient, members: dict[str, Any], field: str
) -> None:
    answer = clerk.post(ORDERS, json=message(**members))
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    [named] = answer.json()["errors"]
    assert field in named["field"] or field in named["message"]


def test_an_unknown_member_is_refused(clerk: TestClient) -> None:
    answer = clerk.post(ORDERS, json={**message(), "chanel": "x"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "chanel"


def test_a_delivery_tells_what_happened_to_each_row(operator: TestClient) -> None:
    operator.post(ORDERS, json=message("1"))
    rows = [json.dumps(message(number)) for number in ("1", "2")]
    lines = "\n".join([*rows, "", "{broken", json.dumps({"channel": "web"})])
    answer = operator.post(
        f"{ORDERS}/bulk", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    told = answer.json()
    assert answer.status_code == 200, answer.text
    assert {row["row"]: row["outcome"] for row in told["rows"]} == {
        1: "repeated", 2: "added", 4: "parked", 5: "parked",
    }  # fmt: skip
    assert (told["given"], told["added"], told["repeated"], told["parked"]) == (4, 1, 1, 2)


def test_a_batch_is_refused_as_a_whole_where_asked(operator: TestClient) -> None:
    rows = [message("1"), message("2", lines=[])]
    answer = operator.post(f"{ORDERS}/bulk?policy=reject_batch", json=rows).json()
    assert [row["outcome"] for row in answer["rows"]] == ["rejected", "rejected"]
    assert answer["rows"][1]["field"] == "lines"
    assert answer["rows"][0]["code"] == "batch_refused"
    assert operator.post(f"{ORDERS}/bulk?policy=reject_row", json=rows).json()["added"] == 1


@pytest.mark.parametrize("body", ["{", '{"a": 1}', "[" * 100_000, "nonsense"])
def test_a_delivery_that_is_no_list_is_refused(clerk: TestClient, body: str) -> None:
    answer = clerk.post(
        f"{ORDERS}/bulk", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body"


def test_an_order_is_shown_with_its_parts(operator: TestClient, order: int) -> None:
    shown = operator.get(f"{ORDERS}/{order}").json()
    assert [line["sku"] for line in shown["lines"]] == ["SKU-1", "SKU-2"]
    assert (shown["total_minor"], shown["hold_state"]) == (1450, "none")
    events = operator.get(f"{ORDERS}/{order}/timeline").json()["items"]
    assert events[0]["event"] == "order_accepted"
    told = operator.get(f"{ORDERS}/{order}/explanation").json()
    assert told["order"]["order_id"] == order
    assert any("web/1" in line for line in told["text"])
    past = operator.get(f"{ORDERS}/{order}/as-of").json()
    assert past["fulfilment_state"] == "new"
    assert operator.get(f"{ORDERS}/{order}/as-of?at=2001-01-01T00:00:00Z").status_code == 404


@pytest.mark.parametrize("path", ["", "/timeline", "/as-of", "/explanation"])
def test_an_order_that_is_not_there(clerk: TestClient, path: str) -> None:
    answer = clerk.get(f"{ORDERS}/77{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert clerk.get(f"{ORDERS}/{2**63}{path}").status_code == 422


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("channel=web", True), ("channel=shop", False), ("external_id=1", True),
        ("sku=SKU-2", True), ("sku=SKU-9", False), ("fulfilment_state=new", True),
        ("risk_state=accepted", False), ("placed_from=2024-05-01T12:00:00Z", True),
        ("placed_from=2024-05-01T12:00:00.000001Z", False),
        ("placed_before=2024-05-01T14:00:00%2B02:00", False),
        ("placed_before=2024-05-01T14:00:01+02:00", True),
    ],
)  # fmt: skip
def test_lists_are_filtered(operator: TestClient, order: int, query: str, found: bool) -> None:
    items = operator.get(f"{ORDERS}?{query}").json()["items"]
    assert [item["order_id"] for item in items] == ([order] if found else [])


@pytest.mark.parametrize(
    ("query", "field"),
    [("chanel=web", "chanel"), ("limit=0", "limit"), ("limit=501", "limit"),
     ("channel=a&channel=b", "channel"), ("placed_from=yesterday", "placed_from"),
     ("risk_state=fine", "risk_state"), ("cursor=abc", "cursor"), ("channel=%00", "channel")],
)  # fmt: skip
def test_a_bad_query_is_refused_with_its_field(clerk: TestClient, query: str, field: str) -> None:
    answer = clerk.get(f"{ORDERS}?{query}")
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_pages_show_every_order_once(shop: House, operator: TestClient) -> None:
    rows = [message(str(number)) for number in range(7)]
    operator.post(f"{ORDERS}/bulk", json=rows)
    accept(shop)
    seen: list[int] = []
    cursor = None
    while True:
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = operator.get(ORDERS, params=query).json()
        seen += [item["order_id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 7
    first = operator.get(ORDERS, params={"limit": 3}).json()["next"]
    other = operator.get(ORDERS, params={"cursor": first, "channel": "web"})
    assert other.status_code == 422


def test_holding_and_releasing(operator: TestClient, order: int) -> None:
    held = operator.post(f"{ORDERS}/{order}/hold", json={"reason": "address_check"})
    assert (held.status_code, held.json()["hold_state"]) == (200, "held")
    again = operator.post(f"{ORDERS}/{order}/hold", json={})
    assert (again.status_code, again.json()["code"]) == (409, "not_holdable")
    [hold] = operator.get(f"{ORDERS}/{order}").json()["holds"]
    assert (hold["reason"], hold["placed_by"], hold["released_at"]) == (
        "address_check", "operator", None,
    )  # fmt: skip
    assert operator.post(f"{ORDERS}/{order}/release", json={"outcome": "rejected"}).json()[
        "code"] == "not_in_review"  # fmt: skip
    assert operator.post(f"{ORDERS}/{order}/release", json={}).json()["hold_state"] == "none"
    assert operator.post(f"{ORDERS}/{order}/release", json={}).json()["code"] == "not_held"
    past = {"expires_at": "2001-01-01T00:00:00Z"}
    assert operator.post(f"{ORDERS}/{order}/hold", json=past).status_code == 422


def test_cancelling(operator: TestClient, order: int) -> None:
    given = {"reason": "changed_mind", "lines": [{"line_no": 1, "quantity": 1}]}
    answer = operator.post(f"{ORDERS}/{order}/cancellations", json=given)
    assert answer.status_code == 202, answer.text
    [change] = operator.get(f"{ORDERS}/{order}").json()["changes"]
    assert (change["kind"], change["requested_by"], change["state"]) == (
        "cancel", "operator", "pending",
    )  # fmt: skip
    assert operator.post(f"{ORDERS}/77/cancellations", json={}).status_code == 404


def test_an_edit_names_what_it_was_made_of(operator: TestClient, order: int) -> None:
    document = build_document(shipping_minor=350, total_minor=1550)
    stale = operator.post(f"{ORDERS}/{order}/edits", json={"revision": 7, "payload": document})
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    bad = {"revision": 1, "payload": build_document(lines=[])}
    assert operator.post(f"{ORDERS}/{order}/edits", json=bad).status_code == 422
    good = {"revision": 1, "payload": document}
    assert operator.post(f"{ORDERS}/{order}/edits", json=good).status_code == 202
    second = operator.post(f"{ORDERS}/{order}/edits", json=good)
    assert (second.status_code, second.json()["code"]) == (409, "changed_meanwhile")
    assert len(operator.get(f"{ORDERS}/{order}").json()["changes"]) == 1
