"""Who makes a request, asked once, before anything else sees it.

What is not public needs a login or a key. A browser's cookie counts for requests that change
something, and for websockets, only where they come from the entrance's own pages.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ecom_assets.backoffice.roles import Principal
from ecom_assets.backoffice.store.acting import Actor
from ecom_assets.backoffice.store.audit import REFUSED
from gateway.accounts.entrance import Entrance, Visit, actor_of
from gateway.limits import REFUSED_PER_ADDRESS, Counter
from gateway.problems import problem

LOGIN = "/login"
_SAFE = {"GET", "HEAD", "OPTIONS"}
_NO_LOGIN = 4401


def own_path(given: str | None, default: str = "/") -> str:
    """A path of the entrance itself; the default for whatever would lead elsewhere."""
    # A browser takes \\ for / and drops control characters before it reads an address.
    if not given or not given.startswith("/") or "\\" in given or not given.isprintable():
        return default
    parts = urlsplit(given)
    return default if parts.scheme or parts.netloc or given.startswith("//") else given


class Identify:
    """Middleware that puts the principal and the visit into a request's state."""

    def __init__(
        self, app: ASGIApp, entrance: Entrance, counter: Counter, cookie: str,
        origins: frozenset[str], public: Sequence[str], open_to_all: Sequence[str],
    ) -> None:  # fmt: skip
        """Stand before an application.

        Args:
            app: what is behind.
            entrance: knows sessions and keys.
            counter: counts requests with keys that are not good.
            cookie: name of the session's cookie.
            origins: origins of the entrance's own pages.
            public: paths that need no login; one that ends in / stands for all below it.
            open_to_all: beginnings of paths where it does not matter who asks.
        """
        self._app, self._entrance, self._counter = app, entrance, counter
        self._cookie, self._origins = cookie, origins
        self._public = frozenset(public)
        self._open = tuple(open_to_all)
        self._below = tuple(path for path in public if path.endswith("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith(self._open):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        visit = _visit(connection)
        state = scope.setdefault("state", {})
        state["visit"] = visit
        principal, refusal = await self._ask(connection, visit)
        state["principal"] = principal
        if refusal is None and principal is None and not self._is_public(scope["path"]):
            refusal = _no_login(connection)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _NO_LOGIN})
        else:
            await refusal(scope, receive, send)

    async def _ask(
        self, connection: HTTPConnection, visit: Visit
    ) -> tuple[Principal | None, Response | None]:
        key = _bearer(connection.headers)
        if key is not None:
            found = await to_thread.run_sync(self._entrance.principal_of_key, key)
            return found, None if found else await self._no_key(connection, visit)
        token = connection.cookies.get(self._cookie)
        found = (
            await to_thread.run_sync(self._entrance.principal_of_session, token) if token else None
        )
        if not self._is_foreign(connection):
            return found, None
        if found:
            await to_thread.run_sync(
                self._entrance.record, actor_of(found, visit), "request",
                connection.scope["path"], REFUSED, "another site's page sent it",
            )  # fmt: skip
        return None, problem(403, "foreign_origin", "this request came from another site")

    async def _no_key(self, connection: HTTPConnection, visit: Visit) -> Response:
        wait_s = await self._counter.wait_s(REFUSED_PER_ADDRESS, visit.address)
        if wait_s:
            # Not written down one by one: whoever floods must not fill the log.
            said = f"too many requests with a key that is not good; come again in {wait_s} s"
            return problem(429, "too_many_requests", said, headers={"Retry-After": str(wait_s)})
        nobody = Actor("(nobody)", "api_key", visit.address, visit.request_id)
        await to_thread.run_sync(
            self._entrance.record, nobody, "request", connection.scope["path"], REFUSED,
            "this key is not good",
        )  # fmt: skip
        return problem(401, "unknown_key", "this key is not good")

    def _is_foreign(self, connection: HTTPConnection) -> bool:
        """Whether a page of somebody else may have made a browser send this."""
        headers = connection.headers
        is_socket = connection.scope["type"] == "websocket"
        if not is_socket and connection.scope["method"] in _SAFE:
            return False
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None:
            return origin not in self._origins or site not in (None, "same-origin")
        return is_socket or site != "same-origin"

    def _is_public(self, path: str) -> bool:
        return path in self._public or path.startswith(self._below)


def _visit(connection: HTTPConnection) -> Visit:
    address = connection.client.host if connection.client else ""
    agent = connection.headers.get("user-agent", "")
    return Visit(address, agent, uuid.uuid4().hex)


def _bearer(headers: Headers) -> str | None:
    kind, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else None


def _no_login(connection: HTTPConnection) -> Response:
    headers, scope = connection.headers, connection.scope
    is_page = scope.get("method") == "GET" and "text/html" in headers.get("accept", "")
    if not is_page:
        return problem(401, "no_login", "log in, or send a key as Authorization: Bearer")
    query = f"?{connection.url.query}" if connection.url.query else ""
    target = quote(f"{scope['path']}{query}")
    return RedirectResponse(f"{LOGIN}?next={target}", 303)
