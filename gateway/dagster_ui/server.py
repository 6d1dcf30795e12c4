"""Dagster's webserver as a part of the entrance."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from anyio import CancelScope
from dagster_webserver.webserver import DagsterWebserver
from graphene import Schema
from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse, validate
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from ecom_assets.backoffice.roles import Principal, Right
from gateway.dagster_ui.context import UserProcessContext, UserRequestContext
from gateway.dagster_ui.guard import RequestRefused, operation_of, read_request
from gateway.dagster_ui.permissions import AREA
from gateway.dagster_ui.queries import WithinBounds
from gateway.dagster_ui.schema import RECORD, Recorder, guarded_schema

PREFIX = "/dagster"

LOOKED_AT_EVERY_S = 5.0
"""How often an open websocket's login is looked at again."""

LOGIN_ENDED = 4401
"""Close code of a websocket whose login has ended."""

NOT_UNDERSTOOD = 1003
"""Close code of a websocket that said something it may not."""

_OPERATION = ("query", "variables", "operationName")
_CLOSED = {"/notebook", "/dagit/notebook", "/dagit_info"}
"""Routes nobody here needs: the first runs code of notebooks, the last is an old name."""

_RIGHTS: Mapping[str, Right] = {
    "/download_debug/": Right.OPERATE,
    "/report_asset_": Right.ADMINISTER,
}
"""Rights of routes beyond reading, by how their path begins."""

_CSP = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none';"
    " form-action 'self'; script-src 'nonce-{nonce}' 'strict-dynamic';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:;"
    " connect-src 'self' {websocket}; worker-src 'self' blob:"
)

_WAY_BACK = (
    b'<link rel="stylesheet" href="/static/way_back.css">'
    b'<a class="operations-way-back" href="/screens/">Operations</a>'
)

StillIn = Callable[[HTTPConnection], Awaitable[bool]]
"""Whether the login of a connection still holds."""

_LOG = logging.getLogger("gateway.dagster")


class DagsterUI(DagsterWebserver[UserProcessContext, UserRequestContext]):
    """Dagster's webserver with strict requests, users' permissions and errors without traces."""

    def __init__(
        self, context: UserProcessContext, record: Recorder, still_in: StillIn, websocket: str
    ) -> None:
        """Make the application.

        Args:
            context: the workspace.
            record: told of each mutation.
            still_in: asked whether the login of an open websocket still holds.
            websocket: origin of websockets, such as wss://back.example.com.
        """
        self._record, self._still_in, self._websocket = record, still_in, websocket
        super().__init__(context, app_path_prefix=PREFIX, live_data_poll_rate=2000)

    def build_graphql_schema(self) -> Schema:
        """Dagster's schema, guarded."""
        return guarded_schema()

    def build_graphql_validation_rules(self) -> list[Any]:
        """GraphQL's rules and ours; ours first, for some of GraphQL's take long over much."""
        return [WithinBounds, *super().build_graphql_validation_rules()]

    def build_middleware(self) -> list[Middleware]:
        """None: the entrance has its own."""
        return []

    def make_security_headers(self) -> dict[str, str]:
        """None: the entrance adds the same to every answer."""
        return {}

    def make_csp_header(self, nonce: str) -> str:
        """What the UI's page may load: itself only."""
        return _CSP.format(nonce=nonce, websocket=self._websocket)

    def index_html_endpoint(self, request: Request) -> Response:
        """Dagster's page, with the way back to the screens."""
        found = super().index_html_endpoint(request)
        assert isinstance(found, Response)  # noqa: S101 - a release moved the page
        content = bytes(found.body).replace(b"</body>", _WAY_BACK + b"</body>")
        headers = {"Content-Security-Policy": found.headers["Content-Security-Policy"]}
        return HTMLResponse(content, found.status_code, headers)

    def build_routes(self) -> list[BaseRoute]:
        """Dagster's routes without those that are closed, each with the right it needs."""
        [mount, *_] = super().build_routes()  # type: ignore[no-untyped-call]
        assert isinstance(mount, Mount)  # noqa: S101 - a release moved the routes
        return [self._with_right(route) for route in mount.routes if _path(route) not in _CLOSED]

    def _with_right(self, route: BaseRoute) -> BaseRoute:
        if isinstance(route, Route | WebSocketRoute):
            right = next((r for p, r in _RIGHTS.items() if route.path.startswith(p)), Right.READ)
            route.app = _Needing(route.app, right)
        return route

    async def graphql_http_endpoint(self, request: Request) -> Response:
        """Execute what a strictly read request asks for."""
        try:
            asked = await read_request(request)
        except RequestRefused as refused:
            return JSONResponse({"errors": [{"message": str(refused)}]}, refused.status)
        request.scope["state"][RECORD] = self._record
        return await self.execute_graphql_request(
            request, asked.query, asked.variables, asked.operation_name
        )

    async def graphql_ws_endpoint(self, websocket: WebSocket) -> None:
        """Serve subscriptions until the login ends."""
        guarded, ended = _GuardedSocket(websocket, self._check_subscription), asyncio.Event()
        serving = asyncio.create_task(super().graphql_ws_endpoint(guarded))
        watching = asyncio.create_task(self._watch(websocket, ended))
        try:
            await asyncio.wait({serving, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                with contextlib.suppress(RuntimeError):
                    await guarded.close(LOGIN_ENDED, "the login has ended")
        finally:
            # Not cancelled: it may be asking the database in a thread, which would go on alone.
            ended.set()
            serving.cancel()
            with CancelScope(shield=True):
                await asyncio.gather(serving, watching, return_exceptions=True)

    def _check_subscription(self, query: str) -> None:
        """Dagster executes subscriptions without validating them."""
        schema = self._graphene_schema.graphql_schema
        document = parse(query)
        if validate(schema, document, self._graphql_validation_rules) or any(
            part.operation is not OperationType.SUBSCRIPTION
            for part in document.definitions
            if isinstance(part, OperationDefinitionNode)
        ):
            raise RequestRefused(400, "this is no subscription")

    async def _watch(self, connection: HTTPConnection, ended: asyncio.Event) -> None:
        while not ended.is_set() and await self._still_in(connection):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), LOOKED_AT_EVERY_S)

    def handle_graphql_errors(self, errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
        """What went wrong, without traces; what only the log tells has a number to find it by."""
        return [self._told(error) for error in errors]

    def _told(self, error: GraphQLError) -> dict[str, Any]:
        told: dict[str, Any] = dict(error.formatted)
        if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
            number = uuid.uuid4().hex[:12]
            _LOG.error("error %s in a request", number, exc_info=error.original_error)
            told["message"] = f"Something went wrong; the log has it as {number}"
        told.pop("extensions", None)
        return told

    def routes_to_mount(self) -> Mount:
        """The UI under its prefix."""
        return Mount(PREFIX, routes=self.build_routes())


class _GuardedSocket(WebSocket):
    """A websocket whose messages are read as strictly as a request."""

    def __init__(self, socket: WebSocket, check: Callable[[str], None]) -> None:
        super().__init__(socket.scope, socket.receive, socket.send)
        self._check = check

    async def receive_json(self, mode: str = "text") -> Any:
        """The next message; anything that is none closes the socket."""
        try:
            return self._read(await super().receive_json(mode))
        except (ValueError, AttributeError, KeyError, TypeError, RequestRefused, GraphQLError):
            await self.close(NOT_UNDERSTOOD)
            raise WebSocketDisconnect(NOT_UNDERSTOOD) from None

    def _read(self, message: Any) -> Any:
        if message.get("type") == "start":
            given = message["payload"]
            asked = operation_of({key: given.get(key) for key in _OPERATION})
            self._check(asked.query)
            payload = {"query": asked.query, "variables": asked.variables,
                       "operation_name": asked.operation_name}  # fmt: skip
            return {"type": "start", "id": str(message["id"]), "payload": payload}
        return {"type": message.get("type"), "id": message.get("id")}


class _Needing:
    """An application for those who have a right."""

    def __init__(self, app: Any, right: Right) -> None:
        self._app, self._right = app, right

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        principal = scope.get("state", {}).get("principal")
        if isinstance(principal, Principal) and principal.may(self._right, AREA):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": LOGIN_ENDED})
        else:
            answer = JSONResponse({"error": "Your role does not allow this"}, 403)
            await answer(scope, receive, send)


def _path(route: BaseRoute) -> str:
    return str(getattr(route, "path", ""))
