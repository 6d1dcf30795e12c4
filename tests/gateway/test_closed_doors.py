"""Every route of the running entrance, listed from the application itself: nobody gets an answer.

What is public is named here a second time and by itself, so that a path added to the lists of the
application, or a route that slips past them, is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from ecom_assets.backoffice.roles import Role
from fixtures.api_routes import ROUTES
from fixtures.entrance import ADDRESS, House
from gateway.app import OPEN, PUBLIC
from gateway.headers import CSP

ANSWERS_TO_NOBODY = {"/login", "/health", "/static/page.css", "/static/screens.js"}
"""Paths that answer 200 to everybody: the form of the login, the pulse, files of these pages."""

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
_FILES = {"/static": "page.css", "/screens/static": "js/actions.js",
          "/api/v1/docs/assets": "swagger-ui.css"}  # fmt: skip


def walked(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, BaseRoute]]:
    """Every route with its whole path, also those within mounts."""
    for route in routes:
        if isinstance(route, Mount):
            yield prefix + route.path, route
            yield from walked(list(route.routes or ()), prefix + route.path)
        elif isinstance(route, Route | WebSocketRoute):
            yield prefix + route.path, route
        else:
            # FastAPI keeps the routes of a router behind one entry; they are listed by `ROUTES`.
            assert prefix == "/api/v1", route


def filled(path: str) -> str:
    """A path with something in the place of its parameters."""
    return re.sub(r"\{[^}]+\}", "1", path) or "/"


def every_path(house: House) -> list[str]:
    """Every path of the entrance, each file of a folder of files by one that is there."""
    paths = {
        filled(path) for path, route in walked(house.app.routes) if not isinstance(route, Mount)
    }
    for path, route in walked(house.app.routes):
        if isinstance(route, Mount) and not route.routes:
            paths.add(f"{path}/{_FILES.get(path, 'x')}")
    paths |= {operation.filled for operation in ROUTES}
    return sorted(paths)


@pytest.fixture(scope="module")
def still(module_database: Any, workspace: Any) -> House:
    """The entrance that the tests of this module share."""
    return House(module_database, workspace)


@pytest.fixture(scope="module")
def nobody(still: House) -> TestClient:
    visitor = still.visitor()
    visitor.headers["Origin"] = ADDRESS
    return visitor


@pytest.fixture(scope="module")
def admin(still: House) -> TestClient:
    return still.someone(Role.ADMIN)


def test_the_listing_knows_every_part_of_the_entrance(still: House) -> None:
    paths = every_path(still)
    for part in ("/dagster/graphql", "/screens/", "/screens/static/js/actions.js", "/login",
                 "/api/v1/docs/assets/swagger-ui.css", "/api/v1/profile",
                 "/static/page.css"):  # fmt: skip
        assert part in paths, part
    assert len(paths) > 200
    assert {operation.filled for operation in ROUTES} <= set(paths)


def test_what_is_public_is_what_was_decided() -> None:
    assert set(PUBLIC) == {"/login", "/login/", "/welcome/", "/begin/", "/health"}
    assert set(OPEN) == {"/static/"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_nobody_gets_anything_but_the_login(
    still: House, nobody: TestClient, method: str, accept: str
) -> None:
    answered = {
        path: answer.status_code
        for path in every_path(still)
        if (answer := nobody.request(method, path, headers={"Accept": accept})).status_code
        not in (303, 401, 403, 404, 405, 410)
    }
    allowed = ANSWERS_TO_NOBODY if method in ("GET", "HEAD") else {"/health"}
    # A login of nothing is wrong; a link of nothing is gone, or its two empty passwords too short.
    assert set(answered) <= allowed | {"/login"}, answered
    assert all(status == 200 for path, status in answered.items() if path in ANSWERS_TO_NOBODY)


def test_redirects_of_nobody_lead_to_the_login_only(still: House, nobody: TestClient) -> None:
    for path in every_path(still):
        answer = nobody.get(path, headers={"Accept": "text/html"})
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/login?next=/"), path


SPELLINGS = [
    "{0}/", "{0}//", "/{0}", "/.{0}", "/x/..{0}", "/login/..{0}", "/static/..{0}", "{0}/.", "{0};a",
    "{0}%00", "{0}%20", "{0}.css", "{0}?/static/", "{0}#/login", "/static/..%2f{1}",
    "/login%2f..{0}", "/%2e{0}", "/static/%2e%2e{0}", "{2}", "/login//../..{0}", "/health{0}",
    "/static/../..{0}", "/begin/../{1}", "/welcome/%2e%2e/{1}", "{0}%2f", "/login/..;{0}",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_path_opens_it(nobody: TestClient, spelling: str) -> None:
    for path in ("/dagster/graphql", "/screens/users/list", "/api/v1/profile", "/api/v1/docs",
                 "/screens/static/js/actions.js", "/dagster"):  # fmt: skip
        asked = spelling.format(path, path.lstrip("/"), path.upper())
        for method in ("GET", "POST"):
            # The client would tidy a path up; what is sent is what stands here.
            answer = nobody.request(method, f"{ADDRESS}/", extensions={"target": asked.encode()})
            assert answer.status_code in (303, 307, 400, 401, 403, 404, 405, 410), (asked, answer)


def _raw(app: Any, path: str) -> int:
    """The status of a request for a path exactly as it is written, already decoded."""
    import anyio

    told: list[int] = []
    waiting = [{"type": "http.request", "body": b"", "more_body": False}]
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "root_path": "",
        "raw_path": path.encode(), "query_string": b"", "scheme": "http", "state": {},
        "headers": [(b"host", b"127.0.0.1:3000")], "client": ("127.0.0.1", 5),
        "server": ("x", 3000),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    anyio.run(app, scope, receive, send)
    return told[0]


@pytest.mark.parametrize("path", [
    "/static/../app.py", "/static/../../pyproject.toml", "/static//etc/passwd", "/static/",
    "/static/./../templates/login.html", "/static/..\\app.py", "/static",
    "//static/page.css/../../app.py", "/login/../dagster", "//dagster",
    "/static/../dagster/graphql",
    "/welcome/../screens/", "/begin/../api/v1/profile", "/login/oidc/../../dagster",
    "/static/\x00", "/static/" + "a/" * 2_000, "/static/" + "x" * 5_000, "",
])  # fmt: skip
def test_files_outside_of_the_folder_are_not_served(still: House, path: str) -> None:
    assert _raw(still.app, path) in (303, 401, 403, 404, 405, 410), path


@pytest.mark.parametrize("path", [
    "/api/v1/docs/assets/../__init__.py", "/api/v1/docs/assets//etc/passwd",
    "/screens/static/../base.py", "/screens/static/../../../../etc/passwd",
    "/dagster/logs/../../../etc/passwd", "/dagster/logs/x/..%2f..%2f..%2fetc/passwd",
    "/dagster/static/../index.html/../../../webserver.py", "/dagster/logs/%2e%2e/%2e%2e/x/err",
])  # fmt: skip
def test_not_even_an_admin_reads_files_outside_of_a_folder(
    still: House, admin: TestClient, path: str
) -> None:
    cookies = admin.cookies
    admin = TestClient(still.app, base_url=ADDRESS, raise_server_exceptions=False)
    admin.cookies = cookies
    for written in (path, path.replace("..", "%2e%2e"), path.replace("/..", "%2f..")):
        # Dagster refuses by an error of its own, which is told as any other.
        answer = admin.get(written)
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        assert answer.status_code in (400, 404, 500) or is_page, (written, answer.text[:200])
        assert "root:" not in answer.text
        assert "import " not in answer.text[:500]


def test_every_socket_is_closed_to_nobody(still: House, nobody: TestClient) -> None:
    sockets = [
        path for path, route in walked(still.app.routes) if isinstance(route, WebSocketRoute)
    ]
    assert sockets == ["/dagster/graphql"]
    for path in (*sockets, "/static/page.css", "/login", "/screens/"):
        with (
            pytest.raises((WebSocketDisconnect, RuntimeError, AssertionError)),
            nobody.websocket_connect(f"ws://127.0.0.1:3000{path}"),
        ):
            pass


KINDS: Mapping[str, tuple[str, str, int]] = {
    "page": ("GET", "/screens/", 200),
    "Dagster's page": ("GET", "/dagster/runs", 200),
    "Dagster's file": ("GET", "/dagster/favicon.png", 200),
    "Dagster's fault": ("GET", "/dagster/graphql", 405),
    "Dagster's missing log": ("GET", "/dagster/logs/x/y", 404),
    "API": ("GET", "/api/v1/profile", 200),
    "API's fault": ("GET", "/api/v1/nothing", 404),
    "API's wrong method": ("DELETE", "/api/v1/profile", 405),
    "document": ("GET", "/api/v1/openapi.json", 200),
    "reference": ("GET", "/api/v1/docs", 200),
    "redirect": ("GET", "/", 303),
    "file": ("GET", "/static/page.css", 200),
    "missing file": ("GET", "/static/none.css", 404),
    "screens' file": ("GET", "/screens/static/js/actions.js", 200),
    "screens' missing": ("GET", "/screens/users/detail?pk=999999", 404),
    "missing": ("GET", "/nowhere", 404),
    "wrong host": ("HOST", "/login", 400),
    "other site": ("FOREIGN", "/api/v1/profile", 403),
    "login": ("GET", "/login", 303),
}
"""Kinds of answers: how they are asked for, and their status."""


def asked(admin: TestClient, method: str, path: str, accept: str) -> Any:
    headers = {"Accept": accept}
    if method == "HOST":
        return admin.get(path, headers={**headers, "Host": "evil.example"})
    if method == "FOREIGN":
        return admin.post(path, headers={**headers, "Origin": "http://evil.example"})
    return admin.request(method, path, headers=headers)


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_answer_carries_the_headers_of_safety(
    admin: TestClient, kind: str, accept: str
) -> None:
    method, path, status = KINDS[kind]
    answer = asked(admin, method, path, accept)
    assert answer.status_code == status, answer.text[:300]
    headers = answer.headers
    policy = headers["content-security-policy"]
    for part in ("default-src 'self'", "base-uri 'none'", "object-src 'none'",
                 "frame-ancestors 'none'", "form-action 'self'"):  # fmt: skip
        assert part in policy
    script = next((p for p in policy.split(";") if p.strip().startswith("script-src")), "")
    assert "unsafe" not in script
    assert "*" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert not {"server", "x-powered-by", "x-dagster-call-counts"} & set(headers)
    kept = headers["cache-control"]
    assert kept == "no-store" or (kind in ("API", "document") and kept == "private, no-cache"), kept


def test_a_kind_of_content_is_named_with_its_letters(admin: TestClient) -> None:
    for kind, (method, path, _) in KINDS.items():
        answer = asked(admin, method, path, "*/*")
        if answer.content:
            named = answer.headers["content-type"]
            assert not named.startswith("text/") or "charset=utf-8" in named, kind


def test_an_error_of_the_programs_own_carries_them_too(
    still: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The framework answers such errors outside of everything, unless it is kept from it."""
    client = TestClient(still.app, base_url=ADDRESS, raise_server_exceptions=False)

    def broken(*_: Any) -> Any:
        raise RuntimeError("a secret heron")

    from gateway.accounts.entrance import Entrance

    monkeypatch.setattr(Entrance, "principal_of_session", broken)
    client.cookies["ecom"] = "x"
    answer = client.get("/screens/")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "heron" not in answer.text
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_no_other_site_may_read_an_answer(admin: TestClient) -> None:
    for method in ("GET", "OPTIONS"):
        headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST",
                   "Access-Control-Request-Headers": "authorization"}  # fmt: skip
        answer = admin.request(method, "/api/v1/profile", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]
