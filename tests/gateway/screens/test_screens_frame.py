"""What holds of every screen: who may open it, what may run on it, forms with its token only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient
from starlette_admin.views import BaseModelView, BaseView, CustomView, DropDown

from ecom_assets.backoffice.roles import RIGHTS, Role
from fixtures.entrance import House
from fixtures.screens import SCREENS, Forms, send, token_on
from gateway.screens.inner import Inner, at
from gateway.screens.menu import views
from gateway.screens.pages.page import Page
from gateway.screens.view import ApiView

_NOTHING = cast(Any, None)


def _flat(found: list[BaseView]) -> list[BaseView]:
    return [each for view in found
            for each in (_flat(view.views) if isinstance(view, DropDown) else [view])]  # fmt: skip


ALL = _flat(list(views(cast(Inner, _NOTHING), _NOTHING, _NOTHING)))
PLAIN = [view for view in ALL if isinstance(view, ApiView)]
PATHS = {
    **{f"{SCREENS}/{view.key}/list": view.right for view in PLAIN},
    **{f"{SCREENS}{view.path}": view.right for view in ALL if isinstance(view, Page)},
}
"""Every screen of the menu, with the right that opens it."""


@pytest.fixture(scope="module")
def callers(still_shop: House) -> Mapping[str, TestClient]:
    """A caller of each role, one without any, and nobody."""
    logged_in: dict[str, TestClient] = {role: still_shop.someone(role) for role in Role}
    return {**logged_in, "none": still_shop.someone(), "nobody": still_shop.visitor()}


def test_every_view_of_the_menu_is_a_screen_of_ours() -> None:
    assert len(PATHS) > 5
    others = [view for view in ALL if isinstance(view, BaseModelView | CustomView)
              and not isinstance(view, ApiView | Page)]  # fmt: skip
    assert not others


@pytest.mark.parametrize("path", [*PATHS, f"{SCREENS}/"])
def test_a_screen_opens_for_its_roles_only(callers: Mapping[str, TestClient], path: str) -> None:
    html = {"Accept": "text/html"}
    right = PATHS.get(path)
    for role in Role:
        answer = callers[role].get(path, headers=html)
        expected = 200 if right is None or right in RIGHTS[role] else 403
        assert answer.status_code == expected, (role, answer.text[:300])
    nobody = callers["nobody"].get(path, headers=html)
    assert (nobody.status_code, nobody.headers["location"].partition("?")[0]) == (303, "/login")
    assert callers["none"].get(path, headers=html).status_code == 403


@pytest.mark.parametrize("path", [*PATHS, f"{SCREENS}/"])
def test_only_scripts_of_the_answer_may_run(callers: Mapping[str, TestClient], path: str) -> None:
    page = callers[Role.ADMIN].get(path, headers={"Accept": "text/html"})
    policy = page.headers["content-security-policy"]
    [nonce] = set(re.findall(r"'nonce-([^']+)'", policy))
    scripts = re.findall(r"<script\b([^>]*)>", page.text)
    assert scripts
    for attributes in scripts:
        assert f'nonce="{nonce}"' in attributes or 'src="/static/' in attributes
    assert not re.search(r"<[^>]+\son[a-z]+\s*=", page.text)
    assert "script-src 'self' 'nonce-" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.partition("style-src-attr")[0]
    elsewhere = re.findall(r'(?:src|href)="(https?://[^"]+)', page.text)
    assert all(url.startswith("http://127.0.0.1:3000/") for url in elsewhere)
    again = callers[Role.ADMIN].get(path, headers={"Accept": "text/html"})
    assert nonce not in again.headers["content-security-policy"]


@pytest.mark.parametrize("path", [path for path in PATHS if not path.endswith("/list")])
def test_every_form_carries_the_token(callers: Mapping[str, TestClient], path: str) -> None:
    page = callers[Role.ADMIN].get(path, headers={"Accept": "text/html"})
    token = token_on(page)
    for form in Forms(page.text).forms:
        if form["action"] and form["action"] != "/logout":
            assert form["values"].get("csrftoken") == token, form


def test_a_form_without_the_token_of_its_session_changes_nothing(
    shop: House, admin: TestClient
) -> None:
    other = shop.someone(Role.ADMIN, Role.VIEWER)
    foreign = token_on(other.get(f"{SCREENS}/users/create"))
    given = {"name": "eve", "roles": "admin"}
    for token in (None, "", "x", foreign):
        data = given | ({} if token is None else {"csrftoken": token})
        answer = admin.post(f"{SCREENS}/users/create", data=data)
        assert (answer.status_code, answer.json()["code"]) == (403, "old_page")
        answer = admin.post(f"{SCREENS}/_api/users/row-action?pk=1&name=link",
                            headers={"X-CSRFToken": token or ""})  # fmt: skip
        assert answer.status_code == 403
    with shop.database.begin() as conn:
        assert not conn.scalar(sa.text("SELECT count(*) FROM backoffice.users WHERE name = 'eve'"))


def test_screens_are_for_people(shop: House) -> None:
    number = shop.add("root", Role.ADMIN)
    machine = shop.with_key(number, "*:read", "*:administer")
    answer = machine.get(f"{SCREENS}/users/list")
    assert answer.status_code == 403
    assert "programs use the API" in answer.text


def test_a_form_as_large_as_a_film_is_refused(admin: TestClient) -> None:
    answer = admin.post(f"{SCREENS}/users/create", content=b"x" * 34_000_000,
                        headers={"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("query", [
    "page=0", "page=-1", "page_size=1000000", "sort=x__asc", "sort=name__sideways", "q=%00",
    "q=%25_%5C", "page=99999999999",
])  # fmt: skip
def test_odd_queries_of_lists_are_answered(callers: Mapping[str, TestClient], query: str) -> None:
    answer = callers[Role.ADMIN].get(f"{SCREENS}/users/list?{query}")
    assert answer.status_code in (200, 400, 404, 422), answer.text[:500]


def test_a_list_is_searched_sorted_and_cut_into_pages(shop: House, admin: TestClient) -> None:
    for number in range(30):
        shop.add(f"user{number:02}", Role.VIEWER)
    first = admin.get(f"{SCREENS}/users/list").text
    assert "user00" in first
    assert "user29" not in first
    assert "user29" in admin.get(f"{SCREENS}/users/list?page=2").text
    falling = admin.get(f"{SCREENS}/users/list?sort=name__desc").text
    assert falling.index("user29") < falling.index("user28")
    found = admin.get(f"{SCREENS}/users/list?q=user 07").text
    assert "user07" in found
    assert "user08" not in found
    assert "user07" not in admin.get(f"{SCREENS}/users/list?q=user_07").text


def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused(
    shop: House, admin: TestClient
) -> None:
    number = shop.add("vera", Role.VIEWER)
    opened = f"{SCREENS}/users/edit?pk={number}"
    form = next(f for f in Forms(admin.get(opened).text).forms if "seen_etag" in f["values"])
    first = send(admin, opened, {"full_name": "First", "roles": "viewer", "is_active": "on"})
    assert first.status_code == 303
    late = admin.post(opened, data={**form["values"], "full_name": "Late", "roles": "viewer"})
    assert late.status_code == 422
    assert "Somebody changed this since you opened it" in late.text
    assert "First" in admin.get(f"{SCREENS}/users/list").text


@pytest.mark.parametrize(("value", "path"), [
    ("a/b", "/x/a%2Fb"), ("..", "/x/%2E%2E"), (".", "/x/%2E"), ("a.b", "/x/a.b"),
    ("?q=1#f", "/x/%3Fq%3D1%23f"), ("%2e%2e", "/x/%252e%252e"), ("é ", "/x/%C3%A9%20"),
])  # fmt: skip
def test_a_value_stays_one_part_of_a_path(value: str, path: str) -> None:
    assert at("/x/{}", value) == path


def test_dots_lead_nowhere_else(admin: TestClient) -> None:
    for pk in ("..", ".", "../status", "%2e%2e"):
        for key in ("carriers", "products", "users", "tax_channels"):
            answer = admin.get(f"{SCREENS}/{key}/detail", params={"pk": pk})
            assert answer.status_code == 404, (key, pk)
