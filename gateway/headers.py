"""What every answer says to browsers about safety, whoever made it."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.problems import problem

CSP = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none';"
    " form-action 'self'; img-src 'self' data:"
)
"""For pages that bring no policy of their own: nothing but the entrance's own files."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_SAID = "something went wrong; the log of the entrance has more"
_HSTS = "max-age=31536000; includeSubDomains"


class SafeHeaders:
    """Middleware that adds the headers."""

    def __init__(self, app: ASGIApp, is_secure: bool) -> None:
        """Stand before an application; `is_secure` where people come by TLS."""
        self._app = app
        self._always = _HEADERS | ({"Strict-Transport-Security": _HSTS} if is_secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add to its answer."""
        is_begun = False

        async def add(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                headers = MutableHeaders(scope=message)
                for name, value in self._always.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", CSP)
                # What a login shows must not stay in a shared cache or in the browser's.
                headers.setdefault("Cache-Control", "no-store")
                request = scope.get("state", {}).get("visit")
                if request is not None:
                    headers["X-Request-Id"] = request.request_id
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, add)
        except Exception:
            # The framework would answer outside of all middleware, so without any of the headers.
            if not is_begun:
                await problem(500, "internal", _SAID)(scope, receive, add)
            raise
