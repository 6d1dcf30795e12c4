"""The OpenAPI document: what every operation has in common is written down once, here."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from gateway.api.calls import ANY_AREA, need_of
from gateway.problems import MEDIA_TYPE, TITLES

ABOUT = """\
Operations of the shop for machines. Log in with the browser, or send an API key as
`Authorization: Bearer ecom_...`.

**Collections** come in pages: pass `next` of one page as `cursor` of the next.
**Errors** are `application/problem+json` (RFC 9457) with a `code` for programs and, in `errors`,
each field that is wrong. Members and parameters that are not known are refused.
**Reading again** is cheap: send the `ETag` as `If-None-Match` and get 304 while nothing changed.
**Changing** what somebody else may change needs `If-Match` with the ETag you read.
**Once**: name a POST with `Idempotency-Key` and send it again after any doubt; it happens once.
"""

TAGS = (
    ("orders", "Orders: take in, look at, hold, release, cancel, edit, explain."),
    ("inventory", "Stock: levels, availability, adjustments, counts, holds, transfers, receipts."),
    ("transport", "Carriers, services, zones, rates and price lists; rate shopping; shipments."),
    ("sites", "Sites: capacity and load, working hours and closures."),
    ("approvals", "What waits for a person: prices, purchases, counts, product changes, rules."),
    ("quarantine", "Rows that could not be used: fix, replay, discard."),
    ("rules", "Business rules by version: draft, test, try, backtest, approve, put in force."),
    ("taxes", "Rates, categories, channels, exchange rates, the one-stop shop, VAT ids."),
    ("settings", "What a shop sets for itself; what its server was started with."),
    ("products", "Products: find, read, create, change, archive, many at once."),
    ("catalogue", "Categories, attributes, families, what channels ask for, plans of changes."),
    ("profile", "The caller: who it is, its keys."),
    ("users", "Users and roles."),
    ("audit", "Who did what."),
    ("status", "How the platform is."),
    ("marketplace", "Connections to sales channels, their syncs, and what is live there."),
)

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "An error, see RFC 9457.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "What is wrong, for programs."},
        "detail": {"type": "string", "description": "What is wrong, for people."},
        "errors": {
            "type": "array",
            "description": "Each field that is wrong.",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string", "examples": ["lines.0.quantity"]},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_HEADERS: dict[str, Any] = {
    "RateLimit-Policy": ("The limit: how many, in how many seconds.", '"key";q=1200;w=60'),
    "RateLimit": ("What is left of it, and seconds until it is whole.", '"key";r=1199;t=60'),
    "X-Request-Id": ("Number of the request, as the audit log names it.", None),
}
_ALWAYS = (400, 401, 403, 422, 429, 500, 503)
_SAID: dict[int, str] = {
    304: "Not changed since the ETag that was sent",
    403: "Not allowed: the role or the key lacks the right",
    404: "There is no such thing",
    409: "It contradicts what is on record, or the same request goes on now",
    412: "Changed meanwhile: read it again",
    428: "If-Match is needed",
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document of an application, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, openapi_version="3.1.0", description=ABOUT,
            routes=app.routes, tags=[{"name": name, "description": text} for name, text in TAGS],
            servers=[{"url": app.state.prefix}],
        )  # fmt: skip
        _complete(app, made)
        app.openapi_schema = made
    return app.openapi_schema


def api_routes(app: FastAPI) -> list[Any]:
    """Every operation of an application, with its whole path."""
    return [
        each
        for each in iter_route_contexts(app.routes)
        if isinstance(each.original_route, APIRoute)
    ]


def path_of(route: Any) -> str:
    """The path of a route as the document writes it: without how a parameter is read."""
    return str(route.path).replace(":path}", "}")


def _complete(app: FastAPI, made: dict[str, Any]) -> None:
    parts = made.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = _PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    parts["headers"] = {
        name: {"description": text, "schema": {"type": "string"},
               **({"example": example} if example else {})}
        for name, (text, example) in _HEADERS.items()
    }  # fmt: skip
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
        "session": {"type": "apiKey", "in": "cookie", "name": app.state.cookie,
                    "description": "The login of a browser."},
    }  # fmt: skip
    for route in api_routes(app):
        for method in route.methods or ():
            path = made["paths"][path_of(route)]
            _complete_operation(path[method.lower()], method, need_of(route))


def _complete_operation(operation: dict[str, Any], method: str, need: Any) -> None:
    operation["security"] = [{"key": []}, {"session": []}]
    area = "the area of what it is about" if need.area == ANY_AREA else need.area
    operation["description"] = (
        operation.get("description", "").strip() + f"\n\nNeeds the right `{need.right}` in {area}."
    ).strip()
    operation["x-right"], operation["x-area"] = str(need.right), need.area
    answers: dict[str, Any] = operation["responses"]
    answers.pop("422", None)
    parameters = operation.get("parameters", ())
    names = {parameter["name"] for parameter in parameters}
    statuses = list(_ALWAYS)
    if any(parameter["in"] == "path" for parameter in parameters):
        statuses.append(404)
    if method != "GET":
        statuses += [409, 413, 415]
    if "If-Match" in names:
        statuses += [412, 428]
    for answer in answers.values():
        answer["headers"] = {**answer.get("headers", {}), **_references()}
        if method == "GET":
            answer["headers"]["ETag"] = {"description": "Tells whether it changed.",
                                         "schema": {"type": "string"}}  # fmt: skip
    if method == "GET":
        answers["304"] = {"description": _SAID[304], "headers": _references()}
    for status in sorted(set(statuses)):
        answers.setdefault(str(status), _problem(status))


def _references() -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}


def _problem(status: int) -> dict[str, Any]:
    headers = _references()
    if status in (429, 503):
        headers["Retry-After"] = {"description": "Seconds to wait.", "schema": {"type": "string"}}
    return {
        "description": _SAID.get(status, TITLES.get(status, "Error")),
        "headers": headers,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
