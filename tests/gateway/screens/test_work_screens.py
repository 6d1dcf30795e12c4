"""A day's work at the screens: approvals, the quarantine, rules, users, the audit log."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from ecom_assets.orders.store import accept_pending
from fixtures.entrance import House
from fixtures.order_documents import build_document
from fixtures.screens import SCREENS, flashed, send

LINE = {"line_no": 1, "quantity": 1, "unit_price_minor": 500}
PAYLOADS = ('<script>alert("x")</script>', '"><img src=x onerror=alert(1)>', "'-alert(1)-'")


@pytest.fixture
def parked(shop: House, operator: TestClient) -> int:
    """An order of a SKU that nobody knows, whose text would like to run."""
    document = build_document(lines=[{**LINE, "sku": PAYLOADS[0]}], shipping_minor=0,
                              total_minor=500)  # fmt: skip
    message = {"channel": "web", "external_id": PAYLOADS[1], "payload": document,
               "received_at": "2024-05-01T13:00:00Z"}  # fmt: skip
    answer = operator.post("/api/v1/orders/bulk", json=[message])
    assert answer.status_code == 200, answer.text
    accept_pending(shop.database.begin, "test")
    [row] = operator.get("/api/v1/quarantine").json()["items"]
    return int(row["quarantine_id"])


def orders(shop: House) -> Any:
    with shop.database.begin() as conn:
        return conn.scalar(sa.text("SELECT count(*) FROM orders.orders"))


def test_what_a_row_says_is_text_wherever_it_is_shown(operator: TestClient, parked: int) -> None:
    for path in ("/quarantine", f"/quarantine/{parked}", "/"):
        page = operator.get(SCREENS + path).text
        assert not [text for text in PAYLOADS[:2] if text in page]


def test_a_parked_row_is_mended(shop: House, operator: TestClient, parked: int) -> None:
    opened = f"{SCREENS}/quarantine/{parked}"
    row = operator.get(f"/api/v1/quarantine/{parked}").json()["row"]
    for typed, said in (("{", "This is no JSON"), (json.dumps(row), "unknown")):
        refused = send(operator, opened, {"row": typed}, "/fix")
        assert refused.status_code == 422
        assert said.lower() in refused.text.lower()
    row["lines"][0]["sku"] = "SKU-1" if "SKU-1" in str(row) else _sku(shop)
    answer = send(operator, opened, {"row": json.dumps(row)}, "/fix")
    assert "was taken in" in flashed(operator, answer)
    accept_pending(shop.database.begin, "test")
    assert orders(shop) == 1


def _sku(shop: House) -> str:
    with shop.database.begin() as conn:
        return str(conn.scalar(sa.text("SELECT min(sku) FROM catalog.products")))


def test_a_parked_row_is_given_up_with_the_reason(operator: TestClient, parked: int) -> None:
    opened = f"{SCREENS}/quarantine/{parked}"
    assert "reason" in flashed(operator, send(operator, opened, {"reason": ""}, "/discard"))
    answer = send(operator, opened, {"reason": "a test"}, "/discard")
    assert "was given up" in flashed(operator, answer)
    assert "discarded" in operator.get(opened).text


def test_a_viewer_sees_a_row_and_no_form(shop: House, parked: int) -> None:
    viewer = shop.someone(Role.VIEWER)
    page = viewer.get(f"{SCREENS}/quarantine/{parked}").text
    assert "textarea" not in page
    assert "/discard" not in page
    answer = send(viewer, f"{SCREENS}/account", {}, "/sessions/end")
    token = viewer.get(f"{SCREENS}/account").text.partition('csrf-token" content="')[2][:64]
    answer = viewer.post(f"{SCREENS}/quarantine/{parked}/discard",
                         data={"csrftoken": token, "reason": "x"})  # fmt: skip
    assert "operate" in flashed(viewer, answer)
    assert "discarded" not in viewer.get(f"{SCREENS}/quarantine/{parked}").text


def test_what_is_not_there_is_said_not_to_be(operator: TestClient) -> None:
    for path in ("/quarantine/999999", "/approvals/stock_count/999999", "/approvals/moon/1",
                 "/rules/moon", "/rules/risk/999999", "/rules/risk/0", "/moon/list", "/moon",
                 "/quarantine/99999999999999999999999"):  # fmt: skip
        answer = operator.get(SCREENS + path, headers={"Accept": "text/html"})
        assert answer.status_code == 404, (path, answer.text[:300])


def count(shop: House, operator: TestClient) -> int:
    """A count that differs by more than its tolerance, asked for by the operator."""
    given = {"reference": "C-1", "sku": _sku(shop), "site_code": _site(shop), "counted": 500,
             "counted_at": "2024-05-01T12:00:00Z"}  # fmt: skip
    answer = operator.post("/api/v1/inventory/counts", json={"rows": [given]})
    assert answer.status_code in (200, 201), answer.text
    [waiting] = operator.get("/api/v1/approvals").json()["items"]
    return int(waiting["number"])


def _site(shop: House) -> str:
    with shop.database.begin() as conn:
        return str(conn.scalar(sa.text("SELECT min(site_code) FROM warehouse.sites")))


def test_another_person_decides(shop: House, operator: TestClient) -> None:
    number = count(shop, operator)
    opened = f"{SCREENS}/approvals/stock_count/{number}"
    assert "another person must decide" in operator.get(opened).text or (
        "An approver decides" in operator.get(opened).text
    )
    approver = shop.someone(Role.APPROVER)
    assert f"Stock count {number}" in approver.get(f"{SCREENS}/approvals").text
    refused = send(approver, opened, {"decision": "reject", "note": ""}, "/decide")
    assert "note" in flashed(approver, refused)
    answer = send(approver, opened, {"decision": "approve", "note": "seen"}, "/decide")
    assert "was approved" in flashed(approver, answer)
    assert "Nothing waits" in approver.get(f"{SCREENS}/approvals").text
    gone = approver.get(opened, headers={"Accept": "text/html"})
    assert gone.status_code == 404


RISK = {"s-reject_from": "0.9", "s-review_from": "0.05", "s-review_cost_eur": "8.0",
        "s-new_country_eur": "300.0", "s-first_order_eur": "3000.0"}  # fmt: skip
CASE = {"payment_state": "authorised", "probability": 0.1, "total_minor": 20000,
        "minor_per_eur": 100}  # fmt: skip


def test_a_rule_goes_from_trying_to_force(shop: House, operator: TestClient) -> None:
    opened = f"{SCREENS}/rules/risk"
    tried = send(operator, opened, {**RISK, "case": json.dumps(CASE), "do": "try"})
    assert tried.status_code == 200
    assert "What these settings would decide" in tried.text
    for wrong, said in (
        ({"s-reject_from": "much"}, "Reject from"),
        ({"s-reject_from": "7"}, "reject_from"),
    ):
        refused = send(operator, opened, {**RISK, **wrong, "note": PAYLOADS[1], "do": "draft"})
        assert refused.status_code == 422
        assert said in refused.text
        assert PAYLOADS[1] not in refused.text
    tests = [{"name": PAYLOADS[0], "given": CASE, "expected": {"outcome": "review"}}]
    given = {**RISK, "examples": json.dumps(tests), "note": "cheaper", "do": "draft"}
    drafted = send(operator, opened, given)
    assert "risk/2 was drafted" in flashed(operator, drafted)
    version = f"{opened}/2"
    assert PAYLOADS[0] not in operator.get(version).text
    assert "tests were run" in flashed(operator, send(operator, version, {}, "/test"))
    said = flashed(operator, send(operator, version, {}, "/propose"))
    assert "backtest" in said.lower()


def test_a_new_user_gets_a_link_and_a_refused_one_says_why(shop: House, admin: TestClient) -> None:
    opened = f"{SCREENS}/users/create"
    for given, said in (({"name": ""}, "required"), ({"name": "a b\x00"}, "name")):
        refused = send(admin, opened, {"roles": "viewer", **given})
        assert refused.status_code == 422
        assert said in refused.text
    answer = send(admin, opened, {"name": "vera", "full_name": PAYLOADS[0], "roles": "viewer"})
    assert "/welcome/" in flashed(admin, answer)
    page = admin.get(f"{SCREENS}/users/list").text
    assert "/welcome/" not in page
    assert PAYLOADS[0] not in page


def test_the_audit_log_shows_before_and_after(shop: House, admin: TestClient) -> None:
    number = shop.add("vera", Role.VIEWER)
    given = {"roles": "operator", "is_active": "on"}
    changed = send(admin, f"{SCREENS}/users/edit?pk={number}", given)
    assert "vera" in flashed(admin, changed)
    page = admin.get(f"{SCREENS}/audit/list?q=users/vera").text
    entries = [int(part.partition('"')[0]) for part in page.split('data-sa-pk="')[1:]]
    assert entries == sorted(entries, reverse=True)
    entry = entries[0]
    detail = admin.get(f"{SCREENS}/audit/detail?pk={entry}").text
    assert "viewer" in detail
    assert "operator" in detail
    assert "password_hash" not in detail
    assert admin.get(f"{SCREENS}/audit/detail?pk=x").status_code == 404
    assert admin.get(f"{SCREENS}/audit/create").status_code == 403
