"""Parked rows over the API: mended, tried again, given up, each by the door it came in by."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.orders.store import accept_pending
from fixtures.api_shop import ask
from fixtures.entrance import House
from fixtures.order_documents import build_document

PARKED = "/api/v1/quarantine"
LINE = {"line_no": 1, "quantity": 1, "unit_price_minor": 500}

_PARK = sa.text("""
    INSERT INTO flow.quarantine (source, row_number, subject, reason, detail, row, run_id)
    VALUES (:source, 0, 'x', :reason, 'wrong', CAST(:row AS jsonb), 'run')
    RETURNING quarantine_id
""")


def park(shop: House, source: str, row: str = "{}", reason: str = "bad") -> int:
    with shop.database.begin() as conn:
        given = {"source": source, "row": row, "reason": reason}
        return int(conn.execute(_PARK, given).scalar_one())


def decide(shop: House) -> None:
    accept_pending(shop.database.begin, "test")


@pytest.fixture
def unknown_sku(shop: House, operator: TestClient) -> dict[str, Any]:
    """The parked row of an order of a SKU that the catalogue does not know."""
    document = build_document(lines=[{**LINE, "sku": "NEW"}], shipping_minor=0, total_minor=500)
    message = {"channel": "web", "external_id": "1", "received_at": "2024-05-01T13:00:00Z",
               "payload": document}  # fmt: skip
    operator.post("/api/v1/orders/bulk", json=[message])
    decide(shop)
    [row] = operator.get(PARKED).json()["items"]
    assert (row["reason"], row["can_fix"], row["can_replay"]) == ("unknown_sku", True, True)
    return dict(row)


def put(caller: TestClient, number: int, row: Any) -> Any:
    tag = caller.get(f"{PARKED}/{number}").headers["etag"]
    return caller.put(f"{PARKED}/{number}/row", json={"row": row}, headers={"If-Match": tag})


def test_a_mended_document_becomes_an_order(
    shop: House, operator: TestClient, unknown_sku: dict[str, Any]
) -> None:
    number, row = unknown_sku["quarantine_id"], unknown_sku["row"]
    still = put(operator, number, {**row, "lines": [{**LINE, "sku": "NEWER"}]})
    assert (still.status_code, still.json()["errors"][0]["code"]) == (422, "unknown_sku")
    mended = {**row, "lines": [{**LINE, "sku": "SKU-1"}]}
    stale = operator.put(f"{PARKED}/{number}/row", json={"row": mended},
                         headers={"If-Match": '"x"'})  # fmt: skip
    assert stale.status_code == 412
    assert operator.put(f"{PARKED}/{number}/row", json={"row": mended}).status_code == 428
    done = put(operator, number, mended)
    assert (done.status_code, done.json()["state"]) == (200, "replayed"), done.text
    decide(shop)
    assert len(operator.get("/api/v1/orders").json()["items"]) == 1
    assert operator.get(PARKED).json()["items"] == []
    again = put(operator, number, mended)
    assert (again.status_code, again.json()["code"]) == (409, "not_parked")


def test_a_document_whose_cause_is_gone_is_tried_again(
    shop: House, operator: TestClient, unknown_sku: dict[str, Any]
) -> None:
    number = unknown_sku["quarantine_id"]
    early = operator.post(f"{PARKED}/{number}/replay")
    assert (early.status_code, early.json()["code"]) == (409, "still_wrong")
    with shop.database.begin() as conn:
        row = {"sku": "NEW", "name": "n", "category": "c", "currency": "EUR"}
        conn.execute(sa.insert(PRODUCTS).values(row))
    assert operator.post(f"{PARKED}/{number}/replay").json()["state"] == "replayed"
    decide(shop)
    assert len(operator.get("/api/v1/orders").json()["items"]) == 1


def test_a_line_that_was_no_message_is_mended(shop: House, operator: TestClient) -> None:
    kind = {"Content-Type": "application/x-ndjson"}
    operator.post("/api/v1/orders/bulk", content=b"{broken", headers=kind)
    [row] = operator.get(f"{PARKED}?reason=undecodable_row").json()["items"]
    assert (row["source"], row["can_replay"]) == ("api/operator", False)
    number = row["quarantine_id"]
    assert operator.post(f"{PARKED}/{number}/replay").json()["code"] == "needs_a_fix"
    assert put(operator, number, {"channel": "web"}).status_code == 422
    message = {"channel": "web", "external_id": "1", "payload": build_document()}
    assert put(operator, number, message).status_code == 200
    decide(shop)
    assert len(operator.get("/api/v1/orders").json()["items"]) == 1


def test_a_transfer_that_stock_did_not_cover(shop: House, operator: TestClient) -> None:
    sent = {"reference": "t", "sku": "SKU-1", "from_site": "N", "to_site": "S", "quantity": 4,
            "sent_at": "2026-01-02T00:00:00Z"}  # fmt: skip
    operator.post("/api/v1/inventory/transfers", json={"rows": [sent]})
    [row] = operator.get(f"{PARKED}?source=inventory.transfers").json()["items"]
    number = row["quarantine_id"]
    assert operator.post(f"{PARKED}/{number}/replay").json()["code"] == "still_wrong"
    found = {"sku": "SKU-1", "site_code": "N", "quantity": 3, "reference": "r",
             "moved_at": "2026-01-01T00:00:00Z"}  # fmt: skip
    operator.post("/api/v1/inventory/adjustments", json=found)
    assert put(operator, number, {**sent, "quantity": "x"}).status_code in (409, 422)
    assert put(operator, number, {**sent, "weight": 1}).json()["errors"][0]["field"] == "row.weight"
    assert put(operator, number, {**sent, "quantity": 3}).json()["state"] == "replayed"
    assert ask(shop.database, "SELECT on_hand FROM inventory.balances WHERE site_code='N'") == 0


def test_a_receipt_and_a_movement_are_mended(shop: House, operator: TestClient) -> None:
    receipt = {"reference": "po", "sku": "SKU-1", "site_code": "N", "quantity": 2,
               "received_at": "2026-01-02T00:00:00Z"}  # fmt: skip
    number = park(shop, "inventory.receipts")
    assert put(operator, number, {**receipt, "site_code": "X"}).json()["code"] == "still_wrong"
    assert put(operator, number, receipt).status_code == 200
    move = {"sku": "SKU-1", "site_code": "N", "kind": "return", "quantity": 1, "reference": "m",
            "moved_at": "2026-01-03T00:00:00Z"}  # fmt: skip
    number = park(shop, "inventory.movements")
    assert put(operator, number, {**move, "kind": "sale"}).json()["code"] == "still_wrong"
    assert put(operator, number, move).status_code == 200
    assert ask(shop.database, "SELECT on_hand FROM inventory.balances") == 3


def test_a_row_without_a_known_door_is_left_to_its_file(shop: House, operator: TestClient) -> None:
    number = park(shop, "orders.csv")
    shown = operator.get(f"{PARKED}/{number}").json()
    assert (shown["door"], shown["can_fix"], shown["can_replay"]) == (None, False, False)
    for answer in (put(operator, number, {}), operator.post(f"{PARKED}/{number}/replay")):
        assert (answer.status_code, answer.json()["code"]) == (409, "no_door")
        assert "orders.csv" in answer.json()["detail"]


def test_an_order_that_a_stage_set_aside_is_tried_again(shop: House, operator: TestClient) -> None:
    number = park(shop, "flow.score", reason="stage_failed")
    assert put(operator, number, {}).json()["code"] == "nothing_to_edit"
    assert operator.post(f"{PARKED}/{number}/replay").json()["state"] == "replayed"


def test_a_row_is_given_up_with_a_reason(shop: House, operator: TestClient) -> None:
    number = park(shop, "orders.csv")
    assert operator.post(f"{PARKED}/{number}/discard", json={}).status_code == 422
    given = {"reason": "a test of the channel"}
    gone = operator.post(f"{PARKED}/{number}/discard", json=given)
    assert gone.json()["state"] == "discarded"
    assert operator.post(f"{PARKED}/{number}/discard", json=given).json()["code"] == "not_parked"
    assert operator.get(PARKED).json()["items"] == []
    assert len(operator.get(f"{PARKED}?state=discarded").json()["items"]) == 1
    told = "SELECT after ->> 'reason' FROM backoffice.audit_entries WHERE action = 'discard'"
    assert ask(shop.database, told) == "a test of the channel"
    assert operator.get(f"{PARKED}/999").status_code == 404
