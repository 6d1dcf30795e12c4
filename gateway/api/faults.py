"""Errors of the API as problem+json: each names the field, none is a trace."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.problems import problem
from resources.retry import is_passing

_LOG = logging.getLogger("gateway.api")

_MOST_NAMED = 100
"""Wrong fields that an answer names."""

_PLACES = ("body", "query", "path", "header", "cookie")


class Fault(Exception):
    """A request that is refused; becomes the answer, and whatever it had changed is undone."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        fields: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.fields, self.headers = fields, headers

    def answer(self) -> Response:
        """The fault as a response."""
        return problem(self.status, self.code, self.detail, self.fields, self.headers)


def unfit(field: str, code: str, message: str, status: int = 422) -> Fault:
    """A fault of one field."""
    named = {"field": field, "code": code, "message": message}
    return Fault(status, code, f"{field}: {message}", [named])


def missing(what: str) -> Fault:
    """There is no such thing."""
    return Fault(404, "not_found", f"there is no {what}")


def install(app: FastAPI) -> None:
    """Let an application answer every error as problem+json."""
    app.add_exception_handler(Fault, _fault)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(sa.exc.SQLAlchemyError, _database)
    app.add_exception_handler(Exception, _broken)


async def _fault(_: Request, error: Exception) -> Response:
    assert isinstance(error, Fault)  # noqa: S101 - registered for it
    return error.answer()


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    fields = [_field(found) for found in error.errors()[:_MOST_NAMED]]
    first = fields[0]
    detail = f"{first['field']}: {first['message']}" if fields else "not valid"
    return problem(422, "invalid", detail, fields)


def _field(found: Mapping[str, Any]) -> dict[str, str]:
    # The first part says where the field stands; a caller knows its body and its query by name.
    place = [str(part) for part in found["loc"]]
    named = place[1:] if place and place[0] in _PLACES and len(place) > 1 else place
    message = _printable(str(found["msg"]))
    return {"field": _printable(".".join(named))[:200], "code": str(found["type"]),
            "message": message[:500]}  # fmt: skip


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 400: "malformed"}
    return problem(
        error.status_code, codes.get(error.status_code, "http"), str(error.detail),
        headers=error.headers,
    )  # fmt: skip


async def _database(_: Request, error: Exception) -> Response:
    """What only the database noticed: the last line behind the checks of fields."""
    assert isinstance(error, sa.exc.SQLAlchemyError)  # noqa: S101 - registered for it
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    if is_passing(error) or isinstance(error, sa.exc.TimeoutError) or state.startswith("53"):
        said = "the database does not answer now; nothing was changed"
        return problem(503, "database_away", said, headers={"Retry-After": "2"})
    _LOG.error("the database refused a request", exc_info=error)
    if state.startswith("22"):
        return problem(422, "not_storable", "a value does not fit what the database can hold")
    if state.startswith("23"):
        return problem(409, "conflict", "the change contradicts what is on record")
    return problem(500, "internal", "something went wrong; the log of the entrance has more")


async def _broken(_: Request, error: Exception) -> Response:
    _LOG.error("a request failed", exc_info=error)
    return problem(500, "internal", "something went wrong; the log of the entrance has more")
