"""The entrance as one application: what is before everything, and what is behind the login."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from ecom_assets.backoffice.roles import Principal
from ecom_assets.backoffice.store.acting import Actor
from gateway.accounts.entrance import Entrance
from gateway.accounts.identity import Identify
from gateway.accounts.oidc import OidcPages
from gateway.accounts.pages import LoginPages
from gateway.api.app import build_api
from gateway.dagster_ui.context import UserProcessContext
from gateway.dagster_ui.server import DagsterUI
from gateway.headers import SafeHeaders
from gateway.limits import Counter
from gateway.metered import Metered
from gateway.problems import problem
from gateway.rendering import FOLDER, page
from gateway.screens.admin import add_screens
from gateway.screens.inner import Inner
from gateway.screens.pages.account import Doors
from gateway.settings import GatewaySettings
from resources.database import DatabaseResource

PUBLIC = ("/login", "/login/", "/welcome/", "/begin/", "/health")
"""Paths that need no login; one that ends in / stands for all below it."""

OPEN = ("/static/",)
"""Files that are the same for everybody."""


def build_app(
    settings: GatewaySettings, database: DatabaseResource, workspace: UserProcessContext
) -> Starlette:
    """The entrance over a database and a Dagster workspace."""
    entrance = Entrance(database, settings.lasting)
    counter = Counter(settings.redis_url)
    dagster = _dagster_ui(settings, entrance, workspace)
    pages = LoginPages(entrance, counter, settings)
    api = build_api(settings, database, entrance, counter, workspace.instance, workspace)
    routes: list[BaseRoute] = [
        Route("/", _start),
        Route("/health", _Health(database)),
        *([OidcPages(entrance, pages, settings, settings.oidc).route()] if settings.oidc else []),
        *pages.routes(),
        api,
        Mount("/static", StaticFiles(directory=FOLDER / "static")),
        dagster.routes_to_mount(),
    ]
    identify = Middleware(
        Identify, entrance=entrance, counter=counter, cookie=settings.cookie,
        origins=settings.origins, public=PUBLIC, open_to_all=OPEN,
    )  # fmt: skip
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(SafeHeaders, is_secure=settings.is_secure),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts)),
            identify,
            Middleware(Metered, counter=counter),
        ],
        exception_handlers={HTTPException: _told},
        lifespan=_lifespan,
    )
    inner = Inner(api, settings.public_url)
    add_screens(app, settings, database, inner, Doors(entrance, counter, pages.come_in))
    return app


def _dagster_ui(
    settings: GatewaySettings, entrance: Entrance, workspace: UserProcessContext
) -> DagsterUI:
    def record(
        principal: Principal, name: str, given: Mapping[str, Any], outcome: str, why: str
    ) -> None:
        actor = Actor(principal.name, principal.via)
        entrance.record(actor, name, "dagster", outcome, why, _plain(given))

    async def still_in(connection: HTTPConnection) -> bool:
        token = connection.cookies.get(settings.cookie)
        if token is None:
            return connection.scope["state"]["principal"] is not None
        return await to_thread.run_sync(entrance.principal_of_session, token) is not None

    websocket = settings.public_url.replace("http", "ws", 1)
    return DagsterUI(workspace, record, still_in, websocket)


def _plain(given: Any) -> Any:
    """Arguments of a mutation as JSON keeps them."""
    if isinstance(given, Mapping):
        return {str(key): _plain(value) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [_plain(value) for value in given]
    return given if isinstance(given, str | int | float | bool | None) else str(given)


class _Health:
    """Whether the entrance and its database answer; says nothing else, for it asks for no login."""

    def __init__(self, database: DatabaseResource) -> None:
        self._database = database

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await to_thread.run_sync(self._ask)
        except sa.exc.SQLAlchemyError:
            answer = JSONResponse({"status": "database away"}, 503)
        else:
            answer = JSONResponse({"status": "ok"})
        await answer(scope, receive, send)

    def _ask(self) -> None:
        with self._database.begin() as conn:
            conn.execute(sa.text("SELECT 1"))


async def _start(_: Request) -> Response:
    return RedirectResponse("/screens/", 303)


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if "text/html" in request.headers.get("accept", "") and error.status_code == 404:
        return page(
            request, "message.html", {"title": "Not found", "text": "There is no such page."}, 404
        )
    return problem(error.status_code, "http", error.detail, headers=error.headers)


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    yield
