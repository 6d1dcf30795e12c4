"""Rates: list, add, end; price lists: upload with a preview, apply, discard."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import sqlalchemy as sa
from anyio import to_thread
from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.transport.model import CardRefused
from ecom_assets.transport.price_file import (
    COLUMNS,
    MOST_ROWS,
    Assumed,
    BadPriceList,
    read_price_list,
)
from ecom_assets.transport.store import rate_lists, rates
from ecom_assets.transport.store.rates import RateFilter
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.before import FILE_KINDS
from gateway.api.calls import Call, IfMatch, OnceKey, needs
from gateway.api.cursors import BY_KEY, BigKey, Cursor, Limit, Page, paging
from gateway.api.faults import missing, unfit
from gateway.api.transport_card import refusal
from gateway.api.transport_models import (
    ApplyGiven,
    Currency,
    ListState,
    RateEndGiven,
    RateGiven,
    RateKey,
    RateListRowTold,
    RateListTold,
    RateTold,
    RowOutcome,
    TextGiven,
)
from gateway.api.values import Name, Wanted, WantedMoment

ROUTER = APIRouter(prefix="/transport", tags=["transport"])

Reader = Annotated[Call, needs(Right.READ, "transport")]
Keeper = Annotated[Call, needs(Right.CONFIGURE, "transport")]

_BY_BAND: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[Name, Name, BigKey, BigKey])
_EXAMPLE = """\
service;zone;from_kg;to_kg;price;currency;transit_days;valid_from
NLN-STD;NEAR;0;5;4,90;EUR;1,5;2027-01-01
NLN-STD;NEAR;5;31,5;7,20;EUR;1,5;2027-01-01
"""
_ALIGNED = """\
service   zone   from_kg   to_kg   price
NLN-STD   NEAR   0         5        4.90
NLN-STD   NEAR   5         31.5     7.20
"""
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file as it is, of at most 5 MB.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            | ({"example": _ALIGNED if kind == "text/plain" else _EXAMPLE}
               if kind in ("text/csv", "text/plain") else {})
            for kind in FILE_KINDS
        } | {"application/json": {
            "schema": {
                "type": "object", "required": ["text"], "additionalProperties": False,
                "properties": {"text": {
                    "type": "string", "minLength": 1, "maxLength": 1_000_000,
                    "description": "The same, as a member of JSON.",
                }},
            },
            "example": {"text": _ALIGNED},
        }},
    }
}  # fmt: skip
_ABOUT = f"""\
Nothing changes yet: the answer counts what applying it would do, and
`GET /transport/rate-lists/{{rate_list_id}}/rows` tells it row by row. A row that cannot be used
names its field; the list is then not applied, so that no weight is left without a price.

The first line names the columns, in any order: {
    ", ".join(f"`{names[-1]}`" for names in COLUMNS.values())
}.
Weights are in `_g` (grams) or `_kg`, prices in `price` (such as 4,90) or `price_minor` (cents); a
band excludes its lighter end and includes the heavier one. Days such as 2027-01-01 begin at
midnight UTC. CSV may be parted by `;`, `,` or tabs; text by tabs or at least two blanks; of a
workbook the first sheet is read. Numbers may have a decimal comma, but 1,234 could be two numbers
and is refused. Transit times that are left out stay as the lane has them. At most {MOST_ROWS:,}
rows.

A new price never overwrites an old one: the rates it replaces end where it begins.
"""


@ROUTER.get("/rates", summary="List rates", response_model=Page[RateTold])
def list_rates(
    call: Reader, service_code: Wanted = None, zone_code: Wanted = None, currency: Wanted = None,
    in_force_at: WantedMoment = None, limit: Limit = 100, cursor: Cursor = None,
) -> Any:  # fmt: skip
    """By service, zone and band; also ended ones and those to come, unless you say a moment."""
    wanted = RateFilter(service_code, zone_code, currency, in_force_at)
    asked = paging(limit, cursor, _BY_BAND, "rates", wanted)
    rows = call.read(lambda conn: rates.listed(conn, wanted, asked.after, limit + 1))
    keys = ("service_code", "zone_code", "from_g", "rate_id")
    return asked.page(rows, lambda row: RateTold(**row), keys)


@ROUTER.post("/rates", summary="Add a rate", status_code=201, response_model=RateTold)
def add_rate(call: Keeper, given: RateGiven, key: OnceKey = None) -> Response:
    """Refused, naming the other rate, where its band and period overlap one.

    To replace prices, upload a price list: it ends what it replaces.
    """

    def work(conn: sa.Connection) -> Answer:
        try:
            row = rates.add(conn, given.model_dump())
        except CardRefused as refused:
            raise refusal(refused) from refused
        location = f"/api/v1/transport/rates/{row['rate_id']}"
        return _answer(row, 201, {"Location": location})

    return call.write_once(key, work)


@ROUTER.get("/rates/{rate_id}", summary="Show a rate", response_model=RateTold)
def show_rate(call: Reader, rate_id: RateKey) -> Response:
    """Its ETag is what ending it needs."""
    row = call.read(lambda conn: rates.find(conn, rate_id))
    if row is None:
        raise missing(f"rate {rate_id}")
    answer = _answer(row)
    return sent(200, answer.headers, answer.body())


@ROUTER.patch("/rates/{rate_id}", summary="End a rate", response_model=RateTold)
def end_rate(
    call: Keeper, rate_id: RateKey, given: RateEndGiven, if_match: IfMatch = None
) -> Response:
    """At a moment after it begins and not after it ends already; nothing else of it changes."""

    def work(conn: sa.Connection) -> Answer:
        row = rates.find(conn, rate_id, is_locked=True)
        if row is None:
            raise missing(f"rate {rate_id}")
        require_match(if_match, _tag(row))
        try:
            return _answer(rates.end(conn, row, given.valid_to_at))
        except CardRefused as refused:
            raise refusal(refused) from refused

    return call.write(work)


def _answer(row: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(RateTold(**row), status, {"ETag": _tag(row), **(headers or {})})


def _tag(row: Any) -> str:
    return tag_of("rate", dict(row))


@ROUTER.post("/rate-lists", summary="Upload a price list for a preview", status_code=201,
             response_model=RateListTold, openapi_extra=_FILE, description=_ABOUT)  # fmt: skip
async def upload_rate_list(
    call: Keeper,
    request: Request,
    file_name: Annotated[
        Name, Query(description="Name of the file, for people.", examples=["nln-2027.csv"])
    ] = "price list",
    valid_from_at: Annotated[
        WantedMoment, Query(description="Where a row has no `valid_from`; else now.")
    ] = None,
    currency: Annotated[
        Currency | None, Query(description="Where a row has no `currency`.")
    ] = None,
    key: OnceKey = None,
) -> Response:
    """Keep what a file would do."""
    content = _file(request.headers.get("content-type", ""), await request.body())
    assumed = Assumed(valid_from_at or call.at, currency)
    take = partial(_preview, call, file_name, content, assumed)
    return await to_thread.run_sync(partial(call.write_once, key, take))


def _file(kind: str, body: bytes) -> bytes:
    if kind.partition(";")[0].strip().lower() != "application/json":
        return body
    try:
        return TextGiven.model_validate_json(body).text.encode("utf-8", "surrogatepass")
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def _preview(
    call: Call, file_name: str, content: bytes, assumed: Assumed, conn: sa.Connection
) -> Answer:
    try:
        rows = read_price_list(content, assumed)
    except BadPriceList as bad:
        raise unfit("body", "bad_price_list", str(bad)) from bad
    made = rate_lists.preview(conn, file_name, content, rows, call.principal.name, call.at)
    location = f"/api/v1/transport/rate-lists/{made['rate_list_id']}"
    return Answer(RateListTold(**made), 201, {"Location": location})


@ROUTER.get("/rate-lists", summary="List price lists", response_model=Page[RateListTold])
def list_rate_lists(
    call: Reader, state: ListState | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Any:
    """The newest first."""
    asked = paging(limit, cursor, BY_KEY, "rate_lists", state)
    before = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: rate_lists.listed(conn, state, before, limit + 1))
    return asked.page(rows, lambda row: RateListTold(**row), ("rate_list_id",))


@ROUTER.get("/rate-lists/{rate_list_id}", summary="Show a price list",
            response_model=RateListTold)  # fmt: skip
def show_rate_list(call: Reader, rate_list_id: RateKey) -> Any:
    """What it does in figures, and what became of it."""
    return RateListTold(**call.read(lambda conn: _found(conn, rate_list_id)))


def _found(conn: sa.Connection, rate_list_id: int) -> Any:
    row = rate_lists.find(conn, rate_list_id)
    if row is None:
        raise missing(f"price list {rate_list_id}")
    return row


@ROUTER.get("/rate-lists/{rate_list_id}/rows", summary="List the rows of a price list",
            response_model=Page[RateListRowTold])  # fmt: skip
def list_rate_list_rows(
    call: Reader, rate_list_id: RateKey, outcome: RowOutcome | None = None,
    limit: Limit = 100, cursor: Cursor = None,
) -> Any:  # fmt: skip
    """In the order of the file: what each adds, changes, leaves, or why it cannot be used."""
    asked = paging(limit, cursor, BY_KEY, "rate_list_rows", rate_list_id, outcome)
    after = asked.after[0] if asked.after else None

    def work(conn: sa.Connection) -> Any:
        _found(conn, rate_list_id)
        return rate_lists.rows_of(conn, rate_list_id, outcome, after, limit + 1)

    return asked.page(call.read(work), lambda row: RateListRowTold(**row), ("row_number",))


@ROUTER.post("/rate-lists/{rate_list_id}/apply", summary="Apply a price list",
             response_model=RateListTold)  # fmt: skip
def apply_rate_list(
    call: Keeper, rate_list_id: RateKey, given: ApplyGiven, key: OnceKey = None
) -> Response:
    """Once, whole, and only if it still does what the preview said.

    Refused (409) when it was applied or discarded, has a bad row, or rates changed meanwhile.
    """

    def work(conn: sa.Connection) -> Answer:
        by = call.principal.name
        try:
            row = rate_lists.apply(conn, rate_list_id, given.plan_hash, by, call.at)
        except LookupError as error:
            raise missing(f"price list {rate_list_id}") from error
        except CardRefused as refused:
            raise refusal(refused) from refused
        return Answer(RateListTold(**row))

    return call.write_once(key, work)


@ROUTER.post("/rate-lists/{rate_list_id}/discard", summary="Discard a price list",
             response_model=RateListTold)  # fmt: skip
def discard_rate_list(call: Keeper, rate_list_id: RateKey, key: OnceKey = None) -> Response:
    """Give a preview up; it stays on record."""

    def work(conn: sa.Connection) -> Answer:
        try:
            row = rate_lists.discard(conn, rate_list_id, call.principal.name, call.at)
        except LookupError as error:
            raise missing(f"price list {rate_list_id}") from error
        except CardRefused as refused:
            raise refusal(refused) from refused
        return Answer(RateListTold(**row))

    return call.write_once(key, work)
