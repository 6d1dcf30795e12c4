"""The REST API as one application, to be mounted behind the login."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import fastapi_offline
from dagster import DagsterInstance
from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from gateway.accounts.entrance import Entrance
from gateway.api import (
    approvals,
    catalogue,
    catalogue_demands,
    catalogue_plans,
    connection_work,
    connections,
    intake,
    inventory,
    listings,
    orders,
    parked,
    products,
    products_bulk,
    profile,
    rule_steps,
    rules,
    sites,
    status,
    stock_moves,
    tax_terms,
    taxes,
    transport_card,
    transport_rates,
    transport_shipments,
    users,
)
from gateway.api import (
    settings as shop_settings,
)
from gateway.api.before import Bodies, Kept
from gateway.api.document import describe
from gateway.api.faults import install
from gateway.dagster_ui.context import UserProcessContext
from gateway.limits import Counter
from gateway.rendering import page
from gateway.settings import GatewaySettings
from resources.database import DatabaseResource

PREFIX = "/api/v1"
VERSION = "1.0.0"

_ASSETS = Path(fastapi_offline.__file__).parent / "static"

ROUTERS: tuple[APIRouter, ...] = (
    intake.ROUTER,
    orders.ROUTER,
    inventory.ROUTER,
    stock_moves.ROUTER,
    approvals.ROUTER,
    parked.ROUTER,
    profile.ROUTER,
    users.ROUTER,
    status.ROUTER,
    rules.ROUTER,
    rule_steps.ROUTER,
    taxes.ROUTER,
    tax_terms.ROUTER,
    shop_settings.ROUTER,
    transport_card.ROUTER,
    transport_rates.ROUTER,
    transport_shipments.ROUTER,
    sites.ROUTER,
    connections.ROUTER,
    connection_work.ROUTER,
    listings.ROUTER,
    products.ROUTER,
    products_bulk.ROUTER,
    catalogue.ROUTER,
    catalogue_demands.ROUTER,
    catalogue_plans.ROUTER,
)
"""Areas, in the order the reference shows them."""


def build_api(
    settings: GatewaySettings,
    database: DatabaseResource,
    entrance: Entrance,
    counter: Counter,
    instance: DagsterInstance,
    workspace: UserProcessContext | None = None,
) -> Mount:
    """The API over a database, to be mounted by the entrance."""
    app = FastAPI(
        title="Operations API", version=VERSION, openapi_url=None, docs_url=None, redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Bodies), Middleware(Kept)],
    )  # fmt: skip
    app.state.database, app.state.entrance, app.state.instance = database, entrance, instance
    app.state.workspace = workspace
    app.state.counter, app.state.prefix, app.state.cookie = counter, PREFIX, settings.cookie
    app.state.public_url = settings.public_url
    install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.router.routes += [
        Route("/openapi.json", partial(_document, app)),
        Route("/docs", _reference),
        Route("/", _to_reference),
        Mount("/docs/assets", StaticFiles(directory=_ASSETS)),
    ]
    return Mount(PREFIX, app)


async def _document(app: FastAPI, _: Request) -> Response:
    return JSONResponse(describe(app))


async def _reference(request: Request) -> Response:
    return page(request, "reference.html", {"prefix": PREFIX})


async def _to_reference(_: Request) -> Response:
    return RedirectResponse(f"{PREFIX}/docs", 303)
