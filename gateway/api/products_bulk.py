"""Many products at once: a JSON list or lines of JSON, as one plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from anyio import to_thread
from fastapi import APIRouter, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from ecom_assets.catalog.wishes import Wish
from gateway.api.answers import Answer
from gateway.api.calls import OnceKey
from gateway.api.catalogue_changes import MOST_NAMED, changed, told
from gateway.api.faults import Fault, unfit
from gateway.api.product_models import ChangedTold, ProductGiven, RowErrorTold
from gateway.api.products import Author

ROUTER = APIRouter(prefix="/products", tags=["products"])

MOST_ROWS = 20_000
"""Products of a request; more are better brought as a file."""

_PolicyAsked = Annotated[
    Literal["reject_batch", "reject_row"],
    Query(description="What bad rows do: nothing is changed at all, or they are left out."),
]
_EXAMPLE = {"sku": "SKU-1", "name": "A cup", "currency": "EUR", "list_price_minor": 990}
_LINES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-ndjson": {"schema": {
                "type": "string", "description": "One product per line.",
            }, "example": json.dumps(_EXAMPLE) + "\n"},
            "application/json": {"schema": {
                "type": "array", "items": {"$ref": "#/components/schemas/ProductGiven"},
            }, "example": [_EXAMPLE]},
        },
    }
}  # fmt: skip


@ROUTER.post("/bulk", summary="Make and change many products", response_model=ChangedTold,
             openapi_extra=_LINES)  # fmt: skip
async def upsert_products(
    call: Author, request: Request, policy: _PolicyAsked = "reject_batch", key: OnceKey = None
) -> Response:
    """Products that are there are changed, as PATCH does, the others made.

    One plan, which can be reverted by its hash. At most 20,000 rows.
    """
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()

    def work(conn: sa.Connection) -> Answer:
        rows = _lines(body) if kind == "application/x-ndjson" else _list(body)
        wishes, numbers, bad = _read(rows)
        if bad and policy == "reject_batch":
            raise _refused(bad)
        found = changed(conn, call, wishes, is_partial=policy == "reject_row")
        for error in found.errors:
            error["row"] = numbers[error["row"] - 1]
        return Answer(told(found, bad))

    return await to_thread.run_sync(partial(call.write_once, key, work))


def _read(rows: Iterator[tuple[int, Any]]) -> tuple[list[Wish], list[int], list[RowErrorTold]]:
    """Wishes with the numbers of their rows, and what is wrong with the other rows."""
    wishes, numbers, bad = [], [], []
    for number, row in rows:
        try:
            given = ProductGiven.model_validate(row)
            wishes.append(given.wish(given.sku))
            numbers.append(number)
        except ValidationError as error:
            bad += [_bad(number, row, found) for found in error.errors(include_url=False)[:20]]
        except ValueError as error:
            bad.append(_error(number, row, str(error), "needed", "null"))
    return wishes, numbers, bad


def _bad(number: int, row: Any, found: Any) -> RowErrorTold:
    place = ".".join(str(part) for part in found["loc"])
    return _error(number, row, place, found["type"], found["msg"])


def _error(number: int, row: Any, field: str, code: str, value: str) -> RowErrorTold:
    sku: Any = row.get("sku") if isinstance(row, dict) else None
    kept = [text.encode("utf-8", "backslashreplace").decode()[:200] for text in (field, value)]
    return RowErrorTold(row=number, sku=sku[:200] if _is_plain(sku) else None, field=kept[0],
                        code=code, value=kept[1])  # fmt: skip


def _is_plain(sku: Any) -> bool:
    return isinstance(sku, str) and not any("\ud800" <= mark <= "\udfff" for mark in sku)


def _refused(bad: list[RowErrorTold]) -> Fault:
    fields = [
        {"field": f"{error.row}.{error.field}".rstrip("."), "code": error.code,
         "message": error.value or error.code}
        for error in bad[:MOST_NAMED]
    ]  # fmt: skip
    return Fault(422, "not_valid", f"{fields[0]['field']}: {fields[0]['message']}", fields)


def _lines(body: bytes) -> Iterator[tuple[int, Any]]:
    rows = 0
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.strip():
            rows += 1
            _refuse_more(rows)
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, None


def _list(body: bytes) -> Iterator[tuple[int, Any]]:
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise unfit("body", "malformed", "must be a JSON list, or lines of JSON") from error
    if not isinstance(rows, list):
        raise unfit("body", "malformed", "must be a JSON list, or lines of JSON")
    _refuse_more(len(rows))
    yield from enumerate(rows, start=1)


def _refuse_more(rows: int) -> None:
    if rows > MOST_ROWS:
        raise Fault(413, "too_large", f"at most {MOST_ROWS:,} products; bring more as a file")
