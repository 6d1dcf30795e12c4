"""Taking order messages in: one, or many as a JSON list or as lines of JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from anyio import to_thread
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.orders.delivery import Delivery, IntakeReport, Policy
from ecom_assets.orders.envelope import read_envelope
from ecom_assets.orders.model import Message, MessageKind
from ecom_assets.orders.storable import MOST_PAYLOAD_CHARACTERS
from ecom_assets.orders.store import take_deliveries
from ecom_assets.orders.store.receiving import find_fault_of
from gateway.api.answers import Answer
from gateway.api.calls import Call, OnceKey, needs
from gateway.api.faults import Fault, unfit
from gateway.api.order_models import EXAMPLE, IntakeTold, MessageGiven, RowTold

ROUTER = APIRouter(prefix="/orders", tags=["orders"])

MOST_ROWS = 50_000
"""Rows of a delivery; more are better brought as a file or by Kafka."""

Operator = Annotated[Call, needs(Right.OPERATE, "orders")]
PolicyAsked = Annotated[
    Literal["park", "reject_row", "reject_batch"],
    Query(description="What happens to bad rows: kept in the quarantine, named and left out, or"
                      " nothing is taken at all."),
]  # fmt: skip

_MOST_LINE = 8 * MOST_PAYLOAD_CHARACTERS
_LINES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-ndjson": {"schema": {
                "type": "string", "description": "One message per line.",
            }},
            "application/json": {"schema": {
                "type": "array", "items": {"$ref": "#/components/schemas/MessageGiven"},
            }, "example": [{"channel": "web", "external_id": "1001", "payload": EXAMPLE}]},
        },
    }
}  # fmt: skip


@ROUTER.post("", summary="Take in a message about an order", status_code=202,
             response_model=RowTold,
             responses={200: {"model": RowTold, "description": "Said nothing new"}})  # fmt: skip
def take_order(call: Operator, given: MessageGiven, key: OnceKey = None) -> Response:
    """An order, a later revision of it, or its cancellation; taking it again adds nothing.

    What can be told to be wrong is refused, naming the field. Send `/orders/bulk?policy=park` to
    keep bad messages in the quarantine instead.
    """
    message = Message(given.channel, given.external_id, given.received_at or call.at,
                      given.payload, MessageKind(given.kind))  # fmt: skip

    def work(conn: sa.Connection) -> Answer:
        rows = [Delivery(1, message)]
        report = take_deliveries(conn, rows, Policy.REJECT_ROW, "api", call.run, is_told=True)
        if report.faults:
            found = report.faults[0]
            raise unfit(found.field or "payload", found.reason, found.detail)
        outcome: Literal["added", "repeated"] = "added" if report.added else "repeated"
        return Answer(RowTold(row=1, outcome=outcome), 202 if report.added else 200)

    return call.write_once(key, work)


@ROUTER.post("/bulk", summary="Take in many messages", response_model=IntakeTold,
             openapi_extra=_LINES)  # fmt: skip
async def take_orders(
    call: Operator, request: Request, policy: PolicyAsked = "park", key: OnceKey = None
) -> Response:
    """One transaction; the answer tells what happened to each row."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    source = f"api/{call.principal.name}"

    def work(conn: sa.Connection) -> Answer:
        rows = _lines(body, call.at) if kind == "application/x-ndjson" else _list(body, call.at)
        numbers: list[int] = []
        noted = _noted(rows, numbers)
        report = take_deliveries(conn, noted, Policy(policy), source, call.run, is_told=True)
        return Answer(_told(report, numbers, Policy(policy)))

    return await to_thread.run_sync(partial(call.write_once, key, work))


def _lines(body: bytes, at: datetime) -> Iterator[Delivery]:
    with io.BytesIO(body) as lines:
        for number, line in enumerate(lines, start=1):
            _refuse_more(number)
            if line.strip():
                yield read_envelope(line.rstrip(b"\r\n"), number, at)


def _list(body: bytes, at: datetime) -> Iterator[Delivery]:
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise unfit("body", "malformed", "must be a JSON list, or lines of JSON") from error
    if not isinstance(rows, list):
        raise unfit("body", "malformed", "must be a JSON list, or lines of JSON")
    _refuse_more(len(rows))
    for number, row in enumerate(rows, start=1):
        yield read_envelope(json.dumps(row).encode(), number, at)


def _noted(rows: Iterator[Delivery], numbers: list[int]) -> Iterator[Delivery]:
    for row in rows:
        numbers.append(row.number)
        yield row


def _refuse_more(rows: int) -> None:
    if rows > MOST_ROWS:
        raise Fault(413, "too_large", f"a delivery has at most {MOST_ROWS:,} rows")


def _told(report: IntakeReport, numbers: list[int], policy: Policy) -> IntakeTold:
    bad = {fault.row: fault for fault in report.faults}
    is_refused = bool(bad) and policy is Policy.REJECT_BATCH
    new = set(report.added_rows)
    names = ("given", "added", "repeated", "rejected", "parked")
    rows = [_row(number, bad, new, is_refused, policy) for number in numbers]
    return IntakeTold(rows=rows, **{name: getattr(report, name) for name in names})


def _row(
    number: int, bad: dict[int, Any], new: set[int], is_refused: bool, policy: Policy
) -> RowTold:
    if number in bad:
        fault = bad[number]
        outcome: Any = "parked" if policy is Policy.PARK else "rejected"
        return RowTold(row=number, outcome=outcome, field=fault.field, code=fault.reason,
                       message=fault.detail)  # fmt: skip
    if is_refused:
        return RowTold(row=number, outcome="rejected", code="batch_refused",
                       message="another row of the batch is bad")  # fmt: skip
    return RowTold(row=number, outcome="added" if number in new else "repeated")


def find_document_fault(conn: sa.Connection, payload: dict[str, Any]) -> None:
    """Refuse an order document that would not be accepted.

    Raises:
        Fault: 422, naming the field.
    """
    found = find_fault_of(conn, payload)
    if found is not None:
        raise unfit(found.field or "payload", found.reason, found.detail)
