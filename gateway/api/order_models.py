"""What the orders part of the API takes and tells."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from gateway.api.values import Given, Moment, Name, Note, Reason, Told

EXAMPLE: dict[str, Any] = {
    "placed_at": "2026-05-01T12:00:00+02:00",
    "currency": "EUR",
    "customer": {"key": "c-1", "name": "C One", "email": "c1@example.com"},
    "ship_to": {"name": "C One", "line1": "High Street 1", "city": "Ghent",
                "postal_code": "9000", "country": "BE"},
    "lines": [{"line_no": 1, "sku": "SKU-1", "quantity": 2, "unit_price_minor": 500}],
    "shipping_minor": 250,
    "total_minor": 1250,
    "payments": [{"sequence": 1, "method": "card", "amount_minor": 1250,
                  "authorised_at": "2026-05-01T12:05:00+02:00"}],
}  # fmt: skip
"""An order document that is good where SKU-1 is known."""

PaymentState = Literal["unchecked", "authorised", "awaiting", "underpaid", "overpaid"]
RiskState = Literal["undecided", "accepted", "review", "rejected", "awaiting_payment"]
FulfilmentState = Literal[
    "new", "reserved", "partly_reserved", "backordered", "allocated", "partly_allocated",
    "shipped", "partly_shipped", "cancelled",
]  # fmt: skip
HoldState = Literal["none", "held"]


class MessageGiven(Given):
    """A message of a channel about an order."""

    channel: Name = Field(description="Sales channel.")
    external_id: Name = Field(description="The channel's own id of the order.")
    kind: Literal["order", "cancellation"] = "order"
    received_at: Moment | None = Field(None, description="Moment of arrival; now, if not given.")
    payload: dict[str, Any] = Field(
        description='The order document, or {"cancel": {"reason": ..., "lines": [...]}}.',
        examples=[EXAMPLE],
    )


class RowTold(Told):
    """What happened to a message."""

    row: int = Field(description="Number of the row, from 1.")
    outcome: Literal["added", "repeated", "rejected", "parked"]
    field: str | None = Field(default=None, description="What is wrong in it.")
    code: str | None = None
    message: str | None = None


class IntakeTold(Told):
    """What happened to a delivery; every row is in exactly one of the last four counts."""

    given: int
    added: int = Field(description="New; a running platform decides them within a second.")
    repeated: int = Field(description="Said nothing new.")
    rejected: int
    parked: int = Field(description="Kept in the quarantine.")
    rows: list[RowTold]


class OrderTold(Told):
    """An order as lists show it."""

    order_id: int
    channel: str
    external_id: str
    revision: int = Field(description="Counts what was said of the order; an edit names it.")
    customer_key: str
    placed_at: datetime
    decided_as_of: datetime
    promised_at: datetime | None
    currency: str
    items_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int
    total_minor: int
    ship_to_country: str
    payment_state: PaymentState
    risk_state: RiskState
    fulfilment_state: FulfilmentState
    hold_state: HoldState


class LineTold(Told):
    """A line of an order."""

    line_no: int
    sku: str
    quantity: int
    unit_price_minor: int
    discount_minor: int
    tax_minor: int
    line_total_minor: int
    seller: str | None


class HoldTold(Told):
    """A hold of an order; open while `released_at` is empty."""

    hold_id: int
    reason: str
    placed_by: str
    placed_at: datetime
    expires_at: datetime | None
    released_at: datetime | None
    released_by: str | None


class ChangeTold(Told):
    """A cancellation or edit of an order."""

    change_id: int
    kind: Literal["cancel", "edit"]
    document: Any
    requested_at: datetime
    requested_by: str
    reason: str
    state: Literal["pending", "started", "applied", "refused"]
    refusal: str | None
    refusal_detail: str | None
    effective_as_of: datetime | None


class WholeOrderTold(OrderTold):
    """An order with all that belongs to it."""

    customer_name: str | None
    email: str | None
    phone: str | None
    ship_to_name: str | None
    ship_to_line1: str | None
    ship_to_city: str | None
    ship_to_region: str | None
    ship_to_postal_code: str | None
    lines: list[LineTold]
    holds: list[HoldTold]
    changes: list[ChangeTold]


class EventTold(Told):
    """Something that happened to an order."""

    event_id: int
    event: str
    happened_at: datetime
    detail: Any
    run_id: str


class PastOrderTold(Told):
    """An order as it was at a moment."""

    order_id: int
    as_of: datetime
    revision: int | None
    payment_state: str
    risk_state: str
    fulfilment_state: str
    hold_state: str
    changed_at: datetime | None
    currency: str | None
    items_minor: int | None
    discount_minor: int | None
    shipping_minor: int | None
    tax_minor: int | None
    total_minor: int | None
    lines: Any


class ExplanationTold(Told):
    """Everything that was decided about an order, from the message to the documents."""

    text: list[str] = Field(description="The same in plain sentences.")
    order: Any
    messages: list[Any]
    decisions: list[Any]
    services: list[Any]
    documents: list[Any]


class HoldGiven(Given):
    """A hold."""

    reason: Reason = Field("by_operator", description="Why, in a word or a code.")
    expires_at: Moment | None = Field(None, description="When it ends by itself.")


class ReleaseGiven(Given):
    """The end of a hold; an order in review is thereby accepted or rejected."""

    outcome: Literal["accepted", "rejected"] = "accepted"


class CancelledLineGiven(Given):
    """Units of a line to cancel."""

    line_no: int = Field(ge=1, le=1_000_000)
    quantity: int = Field(ge=1, le=1_000_000)


class CancelGiven(Given):
    """A cancellation."""

    reason: Reason = "by_operator"
    lines: list[CancelledLineGiven] | None = Field(
        None, min_length=1, max_length=10_000, description="Whole order, if not given."
    )


class EditGiven(Given):
    """An order's new document."""

    revision: int = Field(ge=1, le=2**31 - 1, description="Revision the edit was made of.")
    reason: Note = "by_operator"
    payload: dict[str, Any] = Field(description="The whole order document.", examples=[EXAMPLE])


class ChangeAskedTold(Told):
    """A change that waits; a running platform carries it out within seconds."""

    change_id: int
    order_id: int


class StateTold(Told):
    """How an order stands now."""

    order_id: int
    risk_state: RiskState
    hold_state: HoldState
