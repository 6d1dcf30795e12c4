"""Errors as machines read them: RFC 9457, with the fields that were wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"

TITLES: Mapping[int, str] = {
    400: "Bad request", 401: "Login needed", 403: "Not allowed", 404: "Not found",
    405: "Method not allowed", 409: "Conflict", 412: "Changed meanwhile", 413: "Too large",
    415: "Unsupported media type", 422: "Not valid", 428: "Condition needed",
    429: "Too many requests", 500: "Internal error", 503: "Not available now",
}  # fmt: skip


def problem(
    status: int,
    code: str,
    detail: str,
    fields: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An error.

    Args:
        status: HTTP status.
        code: what is wrong, in a word that programs compare.
        detail: what is wrong, for people.
        fields: `field`, `code` and `message` of each field that is wrong.
        headers: further headers.
    """
    body: dict[str, Any] = {
        "type": f"/api/v1/problems#{code}", "title": TITLES.get(status, "Error"),
        "status": status, "code": code, "detail": detail,
    }  # fmt: skip
    if fields:
        body["errors"] = [dict(field) for field in fields]
    sent = dict(headers or {})
    if status == 401:
        sent.setdefault("WWW-Authenticate", 'Bearer realm="ecom"')
    return JSONResponse(body, status, headers=sent, media_type=MEDIA_TYPE)
