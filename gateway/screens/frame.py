"""What stands around the screens: templates whose scripts carry a nonce, tokens, the policy.

The admin library brings scripts in its pages. The policy lets only those run that carry the nonce
of the answer, so that nothing a user typed ever runs.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Any

from jinja2 import BaseLoader, Environment, PackageLoader
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.problems import problem

_SAFE = {"GET", "HEAD", "OPTIONS"}
_FIELD, _HEADER = "csrftoken", "x-csrftoken"
_MOST_BYTES = 33_000_000
_MESSAGES, _OUR_MESSAGES = b"starlette_admin_flash=", b"__Host-ecom-messages="
_TAG = re.compile(r"<(script|style)(?=[\s>])")

_OTHERWISE = {
    # What stands in an attribute cannot carry a nonce; our script listens instead.
    'onchange="window.location = this.value"': "data-goes",
    '{{ _("Admin") }}': "{{ app_title }}",
}

POLICY = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none';"
    " form-action 'self'; img-src 'self' data:; script-src 'self' 'nonce-{nonce}';"
    " style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'"
)
"""As elsewhere, plus the answer's own scripts; widths that scripts set need style attributes."""


class NoncedTemplates(BaseLoader):
    """The library's templates, each script and style of theirs with the answer's nonce."""

    def __init__(self) -> None:
        """Read them from the installed package."""
        self._library = PackageLoader("starlette_admin", "templates")

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """The source of a template."""
        source, name, is_fresh = self._library.get_source(environment, template)
        marked = _TAG.sub(r'<\1 nonce="{{ request.state.nonce }}"', source)
        for theirs, ours in _OTHERWISE.items():
            marked = marked.replace(theirs, ours)
        return marked, name, is_fresh


class Policy:
    """Middleware that gives each answer a nonce and says what may run; keys have no screens."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before the screens."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a nonce."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        principal = scope["state"]["principal"]
        if principal is None or principal.via == "api_key":
            answer = problem(403, "login_needed", "screens are for people; programs use the API")
            await answer(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(18)
        scope["state"]["nonce"] = nonce

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", POLICY.format(nonce=nonce))
            await send(message)

        await self._app(scope, receive, add)


class Messages:
    """Middleware that gives the library's cookie of messages the name and marks ours have.

    Only this host sends and gets it, and by TLS only; the library cannot be told so.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Stand before the screens of an entrance that people reach by TLS."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rename the cookie on its way in and out."""
        given = [(name, value.replace(_OUR_MESSAGES, _MESSAGES) if name == b"cookie" else value)
                 for name, value in scope.get("headers", ())]  # fmt: skip

        async def rename(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [_marked(*each) for each in message["headers"]]}
            await send(message)

        await self._app({**scope, "headers": given}, receive, rename)


def _marked(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name.lower() != b"set-cookie" or not value.startswith(_MESSAGES):
        return name, value
    secure = b"" if b"; secure" in value.lower() else b"; Secure"
    return name, _OUR_MESSAGES + value.removeprefix(_MESSAGES) + secure


class Tokens:
    """Middleware that lets a form change something only with the token of its session.

    The token derives from the session's own secret, so nothing has to be kept and every process of
    the entrance knows it. Requests of other sites do not even come here; this is the second bolt.
    """

    def __init__(self, app: ASGIApp, cookie: str) -> None:
        """Stand before the screens; `cookie` is the session's."""
        self._app, self._cookie = app, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        token = token_of(request.cookies.get(self._cookie, ""))
        scope.setdefault("state", {})["csrf_token"] = token
        if request.method in _SAFE:
            await self._app(scope, receive, send)
            return
        refusal, replay = await self._compared(request, token)
        await (refusal or self._app)(scope, replay, send)

    async def _compared(self, request: Request, token: str) -> tuple[Response | None, Receive]:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                return problem(413, "too_large", "a form is smaller"), request.receive
        given = request.headers.get(_HEADER) or await _typed(request, body)
        if not hmac.compare_digest(given.encode(), token.encode()):
            said = "the page was too old; open it again and repeat what you did"
            return problem(403, "old_page", said), request.receive
        return None, _again(body)


async def _typed(request: Request, body: bytes) -> str:
    """The token that a form carries."""
    async with Request(request.scope, _again(body)).form() as form:
        return str(form.get(_FIELD, ""))


def _again(body: bytes) -> Receive:
    """A body that was read once, to be read again."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    return receive


def token_of(session: str) -> str:
    """The token of a session's forms."""
    return hashlib.sha256(f"forms/{session}".encode()).hexdigest() if session else ""


def moment(value: Any) -> str:
    """A moment as people read it, in UTC."""
    text = str(value or "")
    return text[:16].replace("T", " ") + (" UTC" if len(text) > 10 else "")
