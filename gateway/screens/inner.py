"""The REST API as the screens call it: in this process, as the user of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

import httpx2
from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import Match, Mount
from starlette.types import Receive, Scope, Send

from ecom_assets.backoffice.roles import Principal
from gateway.api.app import PREFIX
from gateway.api.calls import need_of
from gateway.api.document import api_routes

_PLAINLY = {
    # A pattern is for programs; the form's own hint says what may be written.
    "string_pattern_mismatch": "has characters that cannot be used here, or is too long",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the API answered.

    Attributes:
        status: HTTP status.
        body: the answer or the problem, as JSON.
        etag: ETag, if there is one.
    """

    status: int
    body: Any
    etag: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it was done."""
        return self.status < 400

    @property
    def detail(self) -> str:
        """What is wrong, in a sentence."""
        said = str(self.body.get("detail", "")) if isinstance(self.body, Mapping) else ""
        return f"{said[:1].upper()}{said[1:]}." if said else f"The answer was {self.status}."

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong with which field; the name's first part is the field."""
        given = self.body.get("errors", ()) if isinstance(self.body, Mapping) else ()
        found: dict[str, str] = {}
        for each in given:
            name, _, rest = str(each["field"]).partition(".")
            message = _PLAINLY.get(each["code"], each["message"])
            said = f"{rest}: {message}" if rest else message
            found[name] = f"{found[name]}; {said}" if name in found else said
        return found


@dataclass(frozen=True, slots=True)
class Inner:
    """Calls of the API.

    Attributes:
        api: the API as the entrance mounts it.
        public_url: address of the entrance.
    """

    api: Mount
    public_url: str
    _routes: list[Any] = field(default_factory=list)

    async def ask(
        self, request: Request, method: str, path: str, *, body: Any = None,
        query: Mapping[str, Any] | None = None, etag: str | None = None,
        content: bytes | None = None, kind: str = "",
    ) -> Reply:  # fmt: skip
        """Call an operation as the user of a request.

        Args:
            request: the request of the page.
            method: HTTP method.
            path: path below the API's prefix; values in it are quoted by `at`.
            body: JSON to send.
            query: parameters of the query; those that are None are left out.
            etag: what the user saw, for `If-Match`.
            content: bytes to send instead of JSON.
            kind: content type of the bytes.
        """
        headers = {} if etag is None else {"If-Match": etag}
        if content is not None:
            headers["Content-Type"] = kind
        asked = {key: value for key, value in (query or {}).items() if value not in (None, "")}
        transport = httpx2.ASGITransport(app=self._as(request))
        async with httpx2.AsyncClient(transport=transport, base_url=self.public_url) as client:
            answer = await client.request(
                method, f"{PREFIX}{path}", json=body, content=content, params=asked, headers=headers
            )
        is_json = "json" in answer.headers.get("content-type", "")
        said = answer.json() if is_json and answer.content else None
        return Reply(answer.status_code, said, answer.headers.get("etag", ""))

    def _as(self, request: Request) -> Any:
        """The API, with the one who asked for the page already known."""
        known = {name: getattr(request.state, name) for name in ("principal", "visit")}

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self.api.app({**scope, "root_path": PREFIX, "state": dict(known)}, receive, send)

        return app

    def may(self, request: Request, method: str, path: str) -> bool:
        """Whether the user of a request may call an operation; False where there is none."""
        principal: Principal = request.state.principal
        scope = {"type": "http", "method": method, "path": path, "root_path": ""}
        for route in self._listed():
            if route.matches(scope)[0] is Match.FULL:
                need = need_of(route)
                return need is not None and need.is_met(principal)
        return False

    def _listed(self) -> list[Any]:
        if not self._routes:
            app = cast(FastAPI, self.api.app)
            self._routes.extend(each.original_route for each in api_routes(app))
        return self._routes


def at(path: str, *values: Any) -> str:
    """A path with values in the place of each `{}`, quoted."""
    return path.format(*(_quoted(str(value)) for value in values))


def _quoted(value: str) -> str:
    # A part of dots alone would lead elsewhere: clients fold it.
    return value.replace(".", "%2E") if value in (".", "..") else quote(value, safe="")
