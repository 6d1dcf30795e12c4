"""How many requests of each key and session are answered, and what they are told of the limit."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.limits import REQUESTS_PER_KEY, REQUESTS_PER_SESSION, Counted, Counter, Limit
from gateway.problems import problem


class Metered:
    """Middleware that counts the requests of each key and session."""

    def __init__(
        self, app: ASGIApp, counter: Counter, per_key: Limit = REQUESTS_PER_KEY,
        per_session: Limit = REQUESTS_PER_SESSION,
    ) -> None:  # fmt: skip
        """Stand before an application."""
        self._app, self._counter = app, counter
        self._per_key, self._per_session = per_key, per_session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it; both are told what is left."""
        principal = scope.get("state", {}).get("principal")
        if scope["type"] != "http" or principal is None:
            await self._app(scope, receive, send)
            return
        limit = self._per_key if principal.via == "api_key" else self._per_session
        counted = await self._counter.count(limit, f"{principal.via}-{principal.proof_id}")
        told = _told(limit, counted)

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        if counted.wait_s:
            said = f"too many requests; come again in {counted.wait_s} s"
            answer = problem(429, "too_many_requests", said,
                             headers={"Retry-After": str(counted.wait_s)})  # fmt: skip
            await answer(scope, receive, add)
        else:
            await self._app(scope, receive, add)


def _told(limit: Limit, counted: Counted) -> Mapping[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers."""
    window_s = limit.item.get_expiry()
    return {
        "RateLimit-Policy": f'"{limit.name}";q={limit.item.amount};w={window_s}',
        "RateLimit": f'"{limit.name}";r={counted.left};t={counted.resets_s}',
    }
