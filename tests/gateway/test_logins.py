"""Coming in and going out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store import api_keys, links, users
from ecom_assets.backoffice.tables import AUDIT_ENTRIES, SESSIONS
from fixtures.entrance import ADDRESS, PASSWORD, House

OWN = {"Origin": ADDRESS}
HTML = {"Accept": "text/html"}
WRONG = {"password": "wrong"}


def told(house: House) -> list[tuple[str, str, str]]:
    """What the audit log says, as actor, action and outcome."""
    named = sa.select(AUDIT_ENTRIES.c.actor, AUDIT_ENTRIES.c.action, AUDIT_ENTRIES.c.outcome)
    with house.database.begin() as conn:
        rows = conn.execute(named.order_by(AUDIT_ENTRIES.c.audit_entry_id))
        return [tuple(row) for row in rows]


def log_in(visitor: TestClient, **given: str) -> Any:
    return visitor.post("/login", data={"name": "ann", "password": PASSWORD, **given}, headers=OWN)


def test_a_visitor_is_sent_to_the_login_and_back(house: House) -> None:
    visitor = house.visitor()
    sent = visitor.get("/dagster/runs?view=list", headers=HTML)
    assert sent.status_code == 303
    assert sent.headers["location"] == "/login?next=/dagster/runs%3Fview%3Dlist"
    house.add("ann", Role.VIEWER)
    form = visitor.get(sent.headers["location"])
    assert 'value="/dagster/runs?view=list"' in form.text
    assert log_in(visitor, next="/dagster/runs?view=list").headers["location"] == (
        "/dagster/runs?view=list"
    )
    assert visitor.get("/screens/").status_code == 200


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)",
     "/\t/evil.example", "", "evil"],
)  # fmt: skip
def test_a_login_leads_nowhere_else(house: House, target: str) -> None:
    house.add("ann", Role.VIEWER)
    assert log_in(house.visitor(), next=target).headers["location"] == "/"


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "wrong"), ("nobody", PASSWORD), ("", ""), ("ann", "x" * 9_000)]
)
def test_whoever_is_wrong_hears_the_same(house: House, name: str, password: str) -> None:
    house.add("ann", Role.VIEWER)
    answer = log_in(house.visitor(), name=name, password=password)
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert "set-cookie" not in answer.headers


def test_a_disabled_user_is_out_at_once_and_comes_in_no_more(house: House) -> None:
    user_id = house.add("ann", Role.VIEWER)
    house.add("root", Role.ADMIN)
    ann = house.log_in("ann")
    assert ann.get("/screens/").status_code == 200
    with house.database.begin() as conn:
        users.change_user(conn, user_id, datetime.now(UTC), is_active=False)
    assert ann.get("/screens/").status_code == 401
    assert log_in(house.visitor()).status_code == 401


def test_other_roles_end_the_sessions(house: House) -> None:
    user_id = house.add("ann", Role.VIEWER)
    ann = house.log_in("ann")
    with house.database.begin() as conn:
        users.change_user(conn, user_id, datetime.now(UTC), roles=[Role.OPERATOR])
    assert ann.get("/screens/").status_code == 401


def test_every_login_has_a_token_of_its_own_and_ends_the_one_before(house: House) -> None:
    house.add("ann", Role.VIEWER)
    visitor = house.log_in("ann")
    first = visitor.cookies["ecom"]
    log_in(visitor)
    assert visitor.cookies["ecom"] != first
    old = house.visitor()
    old.cookies["ecom"] = first
    assert old.get("/screens/").status_code == 401


def test_a_token_from_outside_is_not_taken_over(house: House) -> None:
    house.add("ann", Role.VIEWER)
    visitor = house.visitor()
    visitor.cookies["ecom"] = "planted"
    assert visitor.get("/screens/").status_code == 401
    assert log_in(visitor).cookies["ecom"] != "planted"


def test_logout_ends_the_session(house: House) -> None:
    ann = house.someone(Role.VIEWER)
    token = ann.cookies["ecom"]
    assert ann.post("/logout").headers["location"] == "/login"
    again = house.visitor()
    again.cookies["ecom"] = token
    assert again.get("/screens/").status_code == 401


@pytest.mark.parametrize(
    ("column", "ago"), [("seen_at", timedelta(minutes=61)), ("ends_at", timedelta(seconds=1))]
)
def test_a_session_ends_by_itself(house: House, column: str, ago: timedelta) -> None:
    ann = house.someone(Role.VIEWER)
    with house.database.begin() as conn:
        conn.execute(sa.update(SESSIONS).values({column: datetime.now(UTC) - ago}))
    assert ann.get("/screens/").status_code == 401


def test_a_request_keeps_a_session_alive(house: House) -> None:
    ann = house.someone(Role.VIEWER)
    with house.database.begin() as conn:
        before = datetime.now(UTC) - timedelta(minutes=30)
        conn.execute(sa.update(SESSIONS).values(seen_at=before))
    ann.get("/screens/")
    with house.database.begin() as conn:
        assert conn.execute(sa.select(SESSIONS.c.seen_at)).scalar_one() > before


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://evil.example"}, {"Origin": "null"},
     {"Origin": ADDRESS, "Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)  # fmt: skip
def test_another_sites_page_can_neither_log_in_nor_out(
    house: House, headers: dict[str, str]
) -> None:
    house.add("ann", Role.VIEWER)
    ann = house.log_in("ann")
    del ann.headers["Origin"]
    assert ann.post("/logout", headers=headers).status_code == 403
    assert ann.get("/screens/").status_code == 200
    given = {"name": "ann", "password": PASSWORD}
    assert house.visitor().post("/login", data=given, headers=headers).status_code == 403


def test_guessing_is_slowed_down(house: House) -> None:
    house.add("ann", Role.VIEWER)
    visitor = house.visitor()
    answers = [log_in(visitor, **WRONG) for _ in range(11)]
    assert {answer.status_code for answer in answers[:10]} == {401}
    assert answers[10].status_code == 429
    assert int(answers[10].headers["retry-after"]) > 0
    assert log_in(visitor).status_code == 429, "the right password comes too late as well"


def test_a_link_sets_a_password_once(house: House) -> None:
    link = house.link_of(house.add("ann", Role.VIEWER))
    visitor = house.visitor()
    assert "Welcome, ann" in visitor.get(f"/welcome/{link}").text
    given = {"password": "green lamps whistle over soup", "again": "green lamps whistle over soup"}
    assert visitor.post(f"/welcome/{link}", data=given, headers=OWN).status_code == 303
    assert visitor.get("/screens/").status_code == 200
    assert house.visitor().get(f"/welcome/{link}").status_code == 410
    assert house.visitor().post(f"/welcome/{link}", data=given, headers=OWN).status_code == 410


@pytest.mark.parametrize(
    ("password", "said"),
    [("short", "at least 12"), ("password1234", "common"), ("ann ann ann ann", "common"),
     ("x" * 257, "at most 256"), ("qwertyuiop123", "common")],
)  # fmt: skip
def test_a_poor_password_is_refused_and_the_link_stays(
    house: House, password: str, said: str
) -> None:
    link = house.link_of(house.add("ann", Role.VIEWER))
    given = {"password": password, "again": password}
    answer = house.visitor().post(f"/welcome/{link}", data=given, headers=OWN)
    assert answer.status_code == 422
    assert said in answer.text
    assert house.visitor().get(f"/welcome/{link}").status_code == 200


def test_the_first_admin_comes_by_a_link_and_nobody_after(house: House) -> None:
    with house.database.begin() as conn:
        link = links.first_link(conn, datetime.now(UTC))
    assert link
    visitor = house.visitor()
    assert "first admin" in visitor.get(f"/begin/{link}").text
    given = {"name": "Root", "full_name": "R", "password": PASSWORD, "again": PASSWORD}
    assert visitor.post(f"/begin/{link}", data=given, headers=OWN).status_code == 303
    with house.database.begin() as conn:
        assert users.user_named(conn, "root").roles == (Role.ADMIN,)
        assert links.first_link(conn, datetime.now(UTC)) is None
    assert house.visitor().get(f"/begin/{link}").status_code == 410


def test_a_key_comes_in_as_its_user_until_it_is_revoked(house: House) -> None:
    machine = house.with_key(house.add("robot", Role.OPERATOR), "*:read")
    assert machine.get("/api/v1/profile").status_code == 200
    with house.database.begin() as conn:
        assert api_keys.revoke_key(conn, 1, datetime.now(UTC))
    answer = machine.get("/api/v1/profile")
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key")


@pytest.mark.parametrize("key", ["", "ecom_", "ecom_0123456789abcdef_x", "x" * 10_000])
def test_a_key_that_is_none_is_refused(house: House, key: str) -> None:
    visitor = house.visitor()
    assert (
        visitor.get("/api/v1/profile", headers={"Authorization": f"Bearer {key}"}).status_code
        == 401
    )


def test_the_log_has_every_login_and_refusal(house: House) -> None:
    house.add("ann", Role.VIEWER)
    log_in(house.visitor(), **WRONG)
    ann = house.log_in("ann")
    ann.post("/logout", headers={"Origin": "http://evil.example"})
    ann.post("/logout")
    assert told(house) == [
        ("platform", "insert", "done"), ("platform", "update", "done"),
        ("ann", "login", "refused"), ("ann", "login", "done"),
        ("ann", "request", "refused"), ("ann", "logout", "done"),
    ]  # fmt: skip


def test_answers_carry_their_safety_headers(house: House) -> None:
    for path in ("/login", "/static/page.css", "/nowhere", "/health"):
        headers = house.visitor().get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"


def test_a_strange_host_is_refused(house: House) -> None:
    assert house.visitor().get("/login", headers={"Host": "evil.example"}).status_code == 400
