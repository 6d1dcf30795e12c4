"""Users, the caller's own profile and keys, the audit log, the status."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from fixtures.entrance import ADDRESS, House

API = "/api/v1"


@pytest.fixture
def admin(house: House) -> TestClient:
    """An admin who has logged in."""
    return house.someone(Role.ADMIN)


@pytest.fixture(scope="module")
def root(still_shop: House) -> TestClient:
    """An admin of the shared shop."""
    return still_shop.someone(Role.ADMIN)


def add(admin: TestClient, name: str = "ann", **members: Any) -> Any:
    return admin.post(f"{API}/users", json={"name": name, "roles": ["viewer"], **members})


def test_a_user_is_added_and_comes_in_by_the_link(house: House, admin: TestClient) -> None:
    made = add(admin, full_name="Ann")
    assert made.status_code == 201, made.text
    assert made.json()["link"].startswith(f"{ADDRESS}/welcome/")
    assert house.visitor().get(made.json()["link"]).status_code == 200
    shown = admin.get(made.headers["location"])
    assert shown.headers["etag"] == made.headers["etag"]
    assert shown.json()["roles"] == ["viewer"]
    assert [user["name"] for user in admin.get(f"{API}/users").json()["items"]] == ["admin", "ann"]
    again = add(admin)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "name")
    link = admin.post(f"{API}/users/{made.json()['user']['user_id']}/link").json()["link"]
    assert link != made.json()["link"]


@pytest.mark.parametrize(
    "members", [{"roles": ["king"]}, {"name": ""}, {"name": "a\u0000b"}, {"is_admin": True}]
)
def test_a_bad_user_is_refused(root: TestClient, members: Any) -> None:
    answer = add(root, **members)
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_a_change_names_what_it_changes(admin: TestClient) -> None:
    made = add(admin)
    path, tag = made.headers["location"], made.headers["etag"]
    assert admin.patch(path, json={"roles": ["operator"]}).status_code == 428
    changed = admin.patch(path, json={"roles": ["operator"]}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["roles"]) == (200, ["operator"])
    stale = admin.patch(path, json={"is_active": False}, headers={"If-Match": tag})
    assert (stale.status_code, stale.headers["etag"]) == (412, changed.headers["etag"])
    assert admin.patch(path, json={}, headers={"If-Match": f"W/{stale.headers['etag']}"}
                       ).status_code == 412  # fmt: skip
    assert admin.patch(path, json={}, headers={"If-Match": "*"}).status_code == 200
    assert admin.patch(f"{API}/users/999", json={}, headers={"If-Match": "*"}).status_code == 404


def test_the_last_admin_stays(admin: TestClient) -> None:
    mine = admin.get(f"{API}/profile").json()["user_id"]
    answer = admin.patch(
        f"{API}/users/{mine}", json={"is_active": False}, headers={"If-Match": "*"}
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "roles")


def test_changes_are_in_the_audit_log_with_their_actor(admin: TestClient) -> None:
    made = add(admin)
    admin.patch(made.headers["location"], json={"full_name": "Ann B"}, headers={"If-Match": "*"})
    entries = admin.get(f"{API}/audit?subject=backoffice.users/ann").json()["items"]
    assert [(entry["action"], entry["actor"], entry["via"]) for entry in entries] == [
        ("update", "admin", "browser"), ("insert", "admin", "browser"),
    ]  # fmt: skip
    assert entries[0]["before"]["full_name"] == ""
    assert entries[0]["after"]["full_name"] == "Ann B"
    assert "password_hash" not in str(entries)
    page = admin.get(f"{API}/audit?limit=1&actor=admin").json()
    rest = admin.get(
        f"{API}/audit", params={"limit": 500, "actor": "admin", "cursor": page["next"]}
    )
    numbers = [entry["audit_entry_id"] for entry in page["items"] + rest.json()["items"]]
    assert numbers == sorted(set(numbers), reverse=True)


def test_refusals_are_in_the_audit_log(house: House, admin: TestClient) -> None:
    viewer = house.someone(Role.VIEWER)
    refused = add(viewer)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    [entry] = admin.get(f"{API}/audit?actor=viewer&outcome=refused").json()["items"]
    assert (entry["action"], entry["subject"]) == ("request", "POST /api/v1/users")
    assert entry["request_id"] == refused.headers["x-request-id"]


def test_keys_are_shown_once_and_taken_back(house: House, admin: TestClient) -> None:
    wish = {"purpose": "feed", "scopes": ["orders:read"], "days": 7}
    made = admin.post(f"{API}/profile/keys", json=wish)
    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    machine = house.visitor()
    machine.headers["Authorization"] = f"Bearer {made.json()['key']}"
    assert machine.get(f"{API}/orders").status_code == 200
    assert machine.get(f"{API}/inventory/levels").status_code == 403
    assert machine.get(f"{API}/profile").json()["scopes"] == ["orders:read"]
    assert machine.post(f"{API}/profile/keys", json=wish).json()["code"] == "login_needed"
    path = made.headers["location"]
    shown = admin.get(path)
    assert made.json()["key"] not in shown.text
    assert admin.delete(path).status_code == 428
    gone = admin.delete(path, headers={"If-Match": shown.headers["etag"]})
    assert gone.json()["revoked_at"] is not None
    assert machine.get(f"{API}/orders").status_code == 401
    assert len(admin.get(f"{API}/profile/keys").json()["items"]) == 1
    assert house.someone(Role.VIEWER).get(path).status_code == 404


@pytest.mark.parametrize(
    ("members", "field"),
    [({"scopes": ["moon:read"]}, "scopes"), ({"scopes": []}, "scopes"), ({"days": 400}, "days"),
     ({"purpose": " "}, "purpose")],
)  # fmt: skip
def test_a_bad_key_is_refused(clerk: TestClient, members: Any, field: str) -> None:
    wish = {"purpose": "feed", "scopes": ["orders:read"], "days": 7, **members}
    answer = clerk.post(f"{API}/profile/keys", json=wish)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_users_change_their_own_names_only(house: House) -> None:
    viewer = house.someone(Role.VIEWER)
    tag = viewer.get(f"{API}/profile").headers["etag"]
    changed = viewer.patch(f"{API}/profile", json={"full_name": "V"}, headers={"If-Match": tag})
    assert changed.json()["full_name"] == "V"
    grab = viewer.patch(f"{API}/profile", json={"roles": ["admin"]}, headers={"If-Match": "*"})
    assert grab.status_code == 422


def test_the_status_says_what_is_degraded(clerk: TestClient) -> None:
    found = clerk.get(f"{API}/status").json()
    assert found["messages"]["received"] == 0
    assert found["is_degraded"] is False
