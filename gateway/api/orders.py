"""Orders: lists, one order with its story, and what operators do with it."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.decisions.explaining import tell
from ecom_assets.decisions.store import chain_of
from ecom_assets.orders.store import cancel, edit, listing
from ecom_assets.orders.store.changes import UnknownOrder
from ecom_assets.orders.store.listing import OrderFilter, OrderMoved
from ecom_assets.risk.rules import Outcome
from ecom_assets.risk.store import review
from ecom_assets.shared import holds
from gateway.api.answers import Answer
from gateway.api.calls import Call, OnceKey, needs
from gateway.api.cursors import BY_MOMENT, Cursor, Limit, Page, paging
from gateway.api.faults import Fault, missing, unfit
from gateway.api.intake import find_document_fault
from gateway.api.order_models import (
    CancelGiven,
    ChangeAskedTold,
    EditGiven,
    EventTold,
    ExplanationTold,
    FulfilmentState,
    HoldGiven,
    HoldState,
    OrderTold,
    PastOrderTold,
    PaymentState,
    ReleaseGiven,
    RiskState,
    StateTold,
    WholeOrderTold,
)
from gateway.api.values import Key, Wanted, WantedMoment

ROUTER = APIRouter(prefix="/orders", tags=["orders"])

Reader = Annotated[Call, needs(Right.READ, "orders")]
Operator = Annotated[Call, needs(Right.OPERATE, "orders")]


@ROUTER.get("", summary="List orders, the newest first", response_model=Page[OrderTold])
def list_orders(
    call: Reader,
    channel: Wanted = None,
    external_id: Wanted = None,
    customer_key: Wanted = None,
    sku: Wanted = None,
    placed_from: WantedMoment = None,
    placed_before: WantedMoment = None,
    payment_state: PaymentState | None = None,
    risk_state: RiskState | None = None,
    fulfilment_state: FulfilmentState | None = None,
    hold_state: HoldState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:
    """All orders that were accepted; messages that were not are in the quarantine."""
    wanted = OrderFilter(channel, external_id, customer_key, sku, placed_from, placed_before,
                         payment_state, risk_state, fulfilment_state, hold_state)  # fmt: skip
    asked = paging(limit, cursor, BY_MOMENT, "orders", wanted)
    rows = call.read(lambda conn: listing.list_orders(conn, wanted, asked.after, limit + 1))
    return asked.page(rows, lambda row: OrderTold(**row), ("placed_at", "order_id"))


@ROUTER.get("/{order_id}", summary="Show an order", response_model=WholeOrderTold)
def show_order(call: Reader, order_id: Key) -> Any:
    """States, lines, address, holds and changes."""
    return call.read(lambda conn: _found(conn, order_id))


def _found(conn: sa.Connection, order_id: int) -> Any:
    found = listing.read_order(conn, order_id)
    if found is None:
        raise missing(f"order {order_id}")
    return found


@ROUTER.get("/{order_id}/timeline", summary="List what happened to an order",
            response_model=Page[EventTold])  # fmt: skip
def list_events(call: Reader, order_id: Key, limit: Limit = 100, cursor: Cursor = None) -> Any:
    """In the order of time, each with what moved."""
    asked = paging(limit, cursor, BY_MOMENT, "timeline", order_id)

    def work(conn: sa.Connection) -> Any:
        _found(conn, order_id)
        return listing.events_of(conn, order_id, asked.after, limit + 1)

    rows = call.read(work)
    return asked.page(rows, lambda row: EventTold(**row), ("happened_at", "event_id"))


@ROUTER.get("/{order_id}/as-of", summary="Show an order as it was", response_model=PastOrderTold)
def show_past(call: Reader, order_id: Key, at: Annotated[WantedMoment, Query()] = None) -> Any:
    """States, amounts and lines at a moment of business time; now, if none is given."""
    moment = at or call.at
    row = call.read(lambda conn: listing.order_as_of(conn, order_id, moment))
    if row is None:
        raise missing(f"order {order_id} at {moment.isoformat()}")
    return PastOrderTold(as_of=moment, **row)


@ROUTER.get("/{order_id}/explanation", summary="Explain an order",
            response_model=ExplanationTold)  # fmt: skip
def explain_order(call: Reader, order_id: Key) -> Any:
    """Every decision with its inputs, version and reasons; every candidate with its price."""

    def work(conn: sa.Connection) -> Any:
        _found(conn, order_id)
        return chain_of(conn, str(order_id))

    chain = call.read(work)
    return {"text": tell(chain), **chain}


@ROUTER.post("/{order_id}/hold", summary="Hold an order", response_model=StateTold)
def hold_order(call: Operator, order_id: Key, given: HoldGiven, key: OnceKey = None) -> Response:
    """Nobody advances it until it is released; what a worker has begun is finished first."""
    if given.expires_at is not None and given.expires_at <= call.at:
        raise unfit("expires_at", "too_early", "must lie ahead")

    def work(conn: sa.Connection) -> Answer:
        one = _one(conn, order_id)
        by = call.principal.name
        if not holds.hold(conn, one, given.reason, by, call.at, given.expires_at):
            raise Fault(409, "not_holdable", "it is held already, has shipped or is cancelled")
        return _state(conn, order_id)

    return call.write_once(key, work)


@ROUTER.post("/{order_id}/release", summary="Release an order", response_model=StateTold)
def release_order(
    call: Operator, order_id: Key, given: ReleaseGiven, key: OnceKey = None
) -> Response:
    """End its hold; one in review is accepted by that, or rejected where the outcome says so."""

    def work(conn: sa.Connection) -> Answer:
        one, by = _one(conn, order_id), call.principal.name
        is_reviewed = review(conn, one, Outcome(given.outcome), by, call.at)
        if not is_reviewed and given.outcome == "rejected":
            raise Fault(409, "not_in_review", "only an order in review can be rejected")
        if not is_reviewed and not holds.release(conn, one, by, call.at):
            raise Fault(409, "not_held", "it is not held")
        return _state(conn, order_id)

    return call.write_once(key, work)


@ROUTER.post("/{order_id}/cancellations", summary="Cancel an order or parts of it",
             status_code=202, response_model=ChangeAskedTold)  # fmt: skip
def cancel_order(
    call: Operator, order_id: Key, given: CancelGiven, key: OnceKey = None
) -> Response:
    """As far as it has not shipped; stock and money are given back by a running platform."""
    lines = None if given.lines is None else [line.model_dump() for line in given.lines]

    def work(conn: sa.Connection) -> Answer:
        try:
            change = cancel(conn, order_id, lines, call.at, call.principal.name, given.reason)
        except UnknownOrder as error:
            raise missing(f"order {order_id}") from error
        return _asked(change, order_id)

    return call.write_once(key, work)


@ROUTER.post("/{order_id}/edits", summary="Edit an order", status_code=202,
             response_model=ChangeAskedTold)  # fmt: skip
def edit_order(call: Operator, order_id: Key, given: EditGiven, key: OnceKey = None) -> Response:
    """Replace its document; refused where the order has moved on since the revision you name."""

    def work(conn: sa.Connection) -> Answer:
        find_document_fault(conn, given.payload)
        by, reason = call.principal.name, given.reason
        try:
            change = edit(conn, order_id, given.payload, call.at, by, reason)
            listing.require_unmoved(conn, order_id, given.revision, change)
        except UnknownOrder as error:
            raise missing(f"order {order_id}") from error
        except OrderMoved as error:
            raise unfit("revision", "changed_meanwhile", str(error), 409) from error
        return _asked(change, order_id)

    return call.write_once(key, work)


def _asked(change_id: int, order_id: int) -> Answer:
    told = ChangeAskedTold(change_id=change_id, order_id=order_id)
    return Answer(told, 202, {"Location": f"/api/v1/orders/{order_id}"})


def _one(conn: sa.Connection, order_id: int) -> sa.Select[Any]:
    _found(conn, order_id)
    return sa.select(sa.literal(order_id, sa.BigInteger))


def _state(conn: sa.Connection, order_id: int) -> Answer:
    found = _found(conn, order_id)
    names = ("order_id", "risk_state", "hold_state")
    return Answer(StateTold(**{name: found[name] for name in names}))
