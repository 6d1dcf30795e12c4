"""What users see and change of themselves."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from fixtures.entrance import ADDRESS, PASSWORD, House
from fixtures.screens import SCREENS, flashed, send

ACCOUNT = f"{SCREENS}/account"
WANTED = "nine patient otters fold maps"


@pytest.fixture
def vera(shop: House) -> TestClient:
    shop.add("vera", Role.VIEWER)
    return shop.log_in("vera")


def change(caller: TestClient, current: str, wanted: str, again: str | None = None) -> Any:
    given = {"current": current, "wanted": wanted, "again": wanted if again is None else again}
    return send(caller, ACCOUNT, given, "/password")


def test_name_and_address_are_changed(vera: TestClient) -> None:
    given = {"full_name": "<b>Vera</b>", "email": "vera@example.com"}
    assert "were changed" in flashed(vera, send(vera, ACCOUNT, given, "/profile"))
    page = vera.get(ACCOUNT).text
    assert "&lt;b&gt;Vera&lt;/b&gt;" in page
    assert "<b>Vera" not in page


def test_another_password_logs_every_other_browser_out(shop: House, vera: TestClient) -> None:
    elsewhere = shop.log_in("vera")
    before = vera.cookies.get(shop.settings.cookie)
    answer = change(vera, PASSWORD, WANTED)
    assert answer.status_code == 303
    assert vera.get(ACCOUNT).status_code == 200
    assert vera.cookies.get(shop.settings.cookie) != before
    assert elsewhere.get(ACCOUNT).status_code == 401
    visitor = shop.visitor()
    for password, status in ((PASSWORD, 401), (WANTED, 303)):
        data = {"name": "vera", "password": password}
        got = visitor.post("/login", data=data, headers={"Origin": ADDRESS})
        assert got.status_code == status


@pytest.mark.parametrize(("current", "wanted", "again", "said"), [
    ("wrong password", WANTED, None, "The current password is wrong"),
    (PASSWORD, WANTED, "another", "The two new passwords differ"),
    (PASSWORD, "short", None, "characters"),
    (PASSWORD, "x" * 300, None, "too long"),
    (PASSWORD, "password12345", None, "common"),
])  # fmt: skip
def test_no_good_password_is_set(
    vera: TestClient, current: str, wanted: str, again: str | None, said: str
) -> None:
    answer = change(vera, current, wanted, again)
    assert answer.status_code == 422
    assert said in re.sub(r"\s+", " ", answer.text)
    assert vera.get(ACCOUNT).status_code == 200


def test_wrong_passwords_are_counted_here_too(vera: TestClient) -> None:
    statuses = [change(vera, "wrong", WANTED).status_code for _ in range(12)]
    assert statuses[0] == 422
    assert statuses[-1] == 429


def test_other_sessions_are_seen_and_ended(shop: House, vera: TestClient) -> None:
    elsewhere = shop.log_in("vera")
    assert vera.get(ACCOUNT).text.count("this one") == 1
    assert "1 other sessions" in flashed(vera, send(vera, ACCOUNT, {}, "/sessions/end"))
    assert elsewhere.get(ACCOUNT).status_code == 401
    assert vera.get(ACCOUNT).status_code == 200


def test_a_key_is_shown_once_works_and_is_taken_back(shop: House, vera: TestClient) -> None:
    given = {"purpose": "<i>reports</i>", "days": "7", "area": ["orders", "inventory"],
             "right": ["read"]}  # fmt: skip
    made = send(vera, ACCOUNT, given, "/keys")
    assert made.status_code == 200
    [key] = re.findall(r'id="new-key">(ecom_[^<]+)<', made.text)
    machine = shop.visitor()
    machine.headers["Authorization"] = f"Bearer {key}"
    assert machine.get("/api/v1/orders").status_code == 200
    assert machine.get("/api/v1/quarantine").status_code == 403
    page = vera.get(ACCOUNT).text
    assert key not in page
    assert "&lt;i&gt;reports" in page
    [number] = re.findall(r"/account/keys/(\d+)/end", page)
    assert "taken back" in flashed(vera, send(vera, ACCOUNT, {}, f"/keys/{number}/end"))
    assert machine.get("/api/v1/orders").status_code == 401


@pytest.mark.parametrize("given", [
    {"purpose": "", "days": "7", "area": "*", "right": "read"},
    {"purpose": "x", "days": "0", "area": "*", "right": "read"},
    {"purpose": "x", "days": "soon", "area": "*", "right": "read"},
    {"purpose": "x", "days": "7"},
    {"purpose": "x", "days": "7", "area": "moon", "right": "read"},
])  # fmt: skip
def test_a_key_without_purpose_span_or_scopes_is_not_made(
    vera: TestClient, given: dict[str, str]
) -> None:
    answer = send(vera, ACCOUNT, {"area": [], "right": [], **given}, "/keys")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "None yet" in vera.get(ACCOUNT).text
