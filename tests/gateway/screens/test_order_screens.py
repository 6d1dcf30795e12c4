"""Orders at the screens: found, explained, held, released, reviewed, cancelled."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from ecom_assets.orders.store import accept_pending
from fixtures.api_shop import SKUS
from fixtures.entrance import House
from fixtures.order_documents import build_document
from fixtures.screens import SCREENS, flashed, send

ORDERS = f"{SCREENS}/orders"
NAME = "<b>Ann & Bob</b>"


@pytest.fixture
def order(shop: House, operator: TestClient) -> str:
    """The page of an order that was accepted, and whose customer has a name that would run."""
    line = {"line_no": 1, "sku": SKUS[0], "quantity": 2, "unit_price_minor": 500}
    document = build_document(lines=[line], shipping_minor=0, total_minor=1000)
    document["customer"]["name"] = NAME
    message = {"channel": "web", "external_id": "W 1/2", "payload": document,
               "received_at": "2024-05-01T13:00:00Z"}  # fmt: skip
    operator.post("/api/v1/orders/bulk", json=[message])
    accept_pending(shop.database.begin, "test")
    [found] = operator.get("/api/v1/orders").json()["items"]
    return f"{ORDERS}/{found['order_id']}"


def test_an_order_is_found_and_explained(operator: TestClient, order: str) -> None:
    for query in ("", "external_id=W 1/2", "channel=web", f"sku={SKUS[0]}", "risk_state=undecided"):
        assert "web/W 1/2" in operator.get(f"{ORDERS}?{query}").text
    for query in ("external_id=W", "risk_state=review", "hold_state=held"):
        assert "No such orders" in operator.get(f"{ORDERS}?{query}").text
    assert operator.get(f"{ORDERS}?risk_state=moon").status_code == 422
    page = operator.get(order).text
    assert "10.00 EUR" in page
    assert "Order accepted" in page
    assert "yes, the order was accepted" in page
    assert NAME not in page


def test_an_order_is_held_and_released(operator: TestClient, order: str) -> None:
    held = send(operator, order, {"reason": "a call is due", "expires_at": ""}, "/hold")
    assert "is held" in flashed(operator, held)
    page = operator.get(order).text
    assert "a call is due" in page
    assert "web/W 1/2" in operator.get(f"{ORDERS}?hold_state=held").text
    assert "was released" in flashed(operator, send(operator, order, {}, "/release"))
    assert "No such orders" in operator.get(f"{ORDERS}?hold_state=held").text


def test_a_hold_that_has_ended_before_it_begins_is_refused(
    operator: TestClient, order: str
) -> None:
    given = {"reason": "", "expires_at": "2020-01-01T00:00"}
    assert "expires_at" in flashed(operator, send(operator, order, given, "/hold"))


def test_only_an_order_in_review_is_rejected(shop: House, operator: TestClient, order: str) -> None:
    assert "It waits for a person" not in operator.get(order).text
    with shop.database.begin() as conn:
        conn.execute(sa.text("ALTER TABLE flow.order_states DISABLE TRIGGER USER"))
        conn.execute(sa.text("UPDATE flow.order_states SET risk_state = 'review'"))
    assert "It waits for a person" in operator.get(order).text
    assert "in review" in operator.get(f"{ORDERS}?risk_state=review").text
    # The state alone makes no review: what the risk step decided is not there.
    said = flashed(operator, send(operator, order, {}, "/reject"))
    assert "Only an order in review can be rejected" in said


def test_a_cancellation_is_asked_for(operator: TestClient, order: str) -> None:
    said = flashed(operator, send(operator, order, {"reason": "twice"}, "/cancel"))
    assert "asked for" in said
    assert "twice" in operator.get(order).text


def test_a_viewer_sees_an_order_and_changes_nothing(shop: House, order: str) -> None:
    viewer = shop.someone(Role.VIEWER)
    page = viewer.get(order)
    assert page.status_code == 200
    assert "/hold" not in page.text
    token = page.text.partition('csrf-token" content="')[2][:64]
    answer = viewer.post(f"{order}/hold", data={"csrftoken": token, "reason": "x"})
    assert "operate" in flashed(viewer, answer)
    assert viewer.post(f"{order}/burn", data={"csrftoken": token}).status_code == 404
    assert viewer.get(f"{ORDERS}/999999").status_code == 404
