"""What happens to a request of the API before any route: its size and kind.

And after it: what was read may be kept by the caller's own cache, and is told by its ETag.
"""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.problems import problem

MOST_BYTES = 1_000_000
"""Largest body of a request."""

MOST_BULK_BYTES = 32_000_000
"""Largest body of a request that brings many rows at once."""

MOST_FILE_BYTES = 5_000_000
"""Largest file that is uploaded."""

_JSON, _LINES = "application/json", "application/x-ndjson"

FILE_KINDS = (
    "text/csv", "text/tab-separated-values", "text/plain",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)  # fmt: skip
"""Content types of files with rows: CSV, tabs, aligned text, XLSX."""

_UPLOADS = ("/transport/rate-lists",)
"""Ends of paths to which files are uploaded as they are."""

_BODILESS = ("GET", "HEAD", "OPTIONS")


class Bodies:
    """Middleware that refuses bodies that are too large or of another kind, without reading on."""

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES, bulk: int = MOST_BULK_BYTES) -> None:
        """Stand before an application."""
        self._app, self._most, self._bulk = app, most, bulk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, kinds = Headers(scope=scope), _kinds(scope["path"])
        most = {_LINES: self._bulk, _JSON: self._most}.get(kinds[-1], MOST_FILE_BYTES)
        given = headers.get("content-length", "0")
        if not given.isdecimal() or len(given) > 15:
            answer = problem(400, "malformed", "Content-Length must be a number")
        elif int(given) > most:
            answer = problem(413, "too_large", _too_large(most))
        elif _is_of_wrong_kind(scope, headers, kinds):
            answer = problem(415, "unsupported_media_type", f"send {' or '.join(kinds)}")
        else:
            await self._app(scope, _counted(receive, most), send)
            return
        await answer(scope, receive, send)


def _kinds(path: str) -> tuple[str, ...]:
    """Content types that a path takes."""
    if path.endswith("/bulk"):
        return _JSON, _LINES
    return (_JSON, *FILE_KINDS) if path.endswith(_UPLOADS) else (_JSON,)


def _is_of_wrong_kind(scope: Scope, headers: Headers, kinds: tuple[str, ...]) -> bool:
    if scope["method"] in _BODILESS:
        return False
    is_empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    encoded = headers.get("content-encoding", "identity").lower() != "identity"
    return encoded or not (kind in kinds or (is_empty and not kind))


def _counted(receive: Receive, most: int) -> Receive:
    """Receive no more than so many bytes, whatever the header of the request said."""
    had = 0

    async def counted() -> Message:
        nonlocal had
        message = await receive()
        had += len(message.get("body", b""))
        if had > most:
            raise HTTPException(413, _too_large(most))
        return message

    return counted


def _too_large(most: int) -> str:
    return f"a body has at most {most:,} bytes here"


class Kept:
    """Middleware that lets callers keep what they read, and answers 304 while it is the same."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; add to the answer of one that reads."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        answer = _Held(Headers(scope=scope).get("if-none-match", ""), send)
        await self._app(scope, receive, answer.send)


class _Held:
    """An answer that is held back until its ETag is known."""

    def __init__(self, known: str, send: Send) -> None:
        self._known = {part.strip().removeprefix("W/") for part in known.split(",")} - {""}
        self._send, self._body = send, b""
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            kind = Headers(raw=message["headers"]).get("content-type", "")
            if message["status"] == 200 and kind.startswith(_JSON):
                return
            self._start = None
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        headers = MutableHeaders(raw=list(start["headers"]))
        tag = headers.setdefault("ETag", f'W/"{hashlib.sha256(self._body).hexdigest()[:32]}"')
        headers.setdefault("Cache-Control", "private, no-cache")
        headers.add_vary_header("Authorization, Cookie")
        status, body = start["status"], self._body
        if self._known & {tag.removeprefix("W/"), "*"}:
            status, body = 304, b""
            for name in ("content-length", "content-type"):
                del headers[name]
        await self._send({**start, "status": status, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})
