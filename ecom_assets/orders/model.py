"""The canonical order document: what every channel, file and REST call is mapped to.

A document is a JSON object with these members; * marks those that must be there. Moments are ISO
8601 with an offset, money is whole minor units of `currency`, countries are ISO 3166-1 alpha-2.

    placed_at*      when the customer ordered
    promised_at     latest delivery promised
    currency*       ISO 4217 code
    customer*       {key*, name, email, phone}
    ship_to*        {name, line1, city, region, postal_code, country*, latitude, longitude}
    context         {ip_address, device_id}
    lines*          [{line_no*, sku*, quantity*, unit_price_minor*, discount_minor, tax_minor,
                      seller}]
    shipping_minor  charged for shipping, 0 if missing
    total_minor     total the source states; checked against the lines where present
    payments        [{sequence*, method*, amount_minor*, installments, authorised_at,
                      provider_reference, card_fingerprint, avs_result, cvv_result, anomaly}]

A payment with `authorised_at` is authorised, one without is pending.

A cancellation is a message of its own kind about the same (channel, external_id), with the payload

    cancel*         {reason, reference, lines: [{line_no*, quantity*}]}

Without `lines` the whole order is cancelled. `reference` tells two otherwise equal partial
cancellations apart; a payload equal to the one before it says nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class MessageKind(StrEnum):
    """What a message says about its order."""

    ORDER = "order"
    CANCELLATION = "cancellation"


@dataclass(frozen=True, slots=True)
class Message:
    """An order message of a caller.

    Attributes:
        channel: sales channel it came through.
        external_id: the channel's own id of the order.
        received_at: business moment of arrival, with an offset.
        payload: the canonical order document, or what is cancelled.
        kind: whether the payload is an order or cancels one.
    """

    channel: str
    external_id: str
    received_at: datetime
    payload: Mapping[str, Any]
    kind: str = MessageKind.ORDER


class InboxState(StrEnum):
    """What became of a message; orders are accepted, cancellations wait for theirs and apply.

    A message about an accepted order is `changing` it until the change was carried out or refused.
    """

    PENDING = "pending"
    WAITING = "waiting"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    PARKED = "parked"
    SUPERSEDED = "superseded"
    CHANGING = "changing"


class Problem(StrEnum):
    """Why a message is parked; the first that applies, in this order, is named."""

    MALFORMED = "malformed_document"
    UNKNOWN_CURRENCY = "unknown_currency"
    MISSING_ADDRESS = "missing_address"
    WITHOUT_LINES = "order_without_lines"
    BAD_LINE = "bad_line"
    UNKNOWN_SKU = "unknown_sku"
    TOTAL_MISMATCH = "total_differs_from_lines"


class ChangeKind(StrEnum):
    """What a change asks for."""

    CANCEL = "cancel"
    EDIT = "edit"


class Refusal(StrEnum):
    """Why a change of an accepted order is refused; the first that applies is named.

    An edit may also be refused for a `Problem` of its document, and a malformed cancellation is
    parked whether its order was accepted or not.
    """

    ALREADY_CANCELLED = "already_cancelled"
    ALREADY_SHIPPED = "already_shipped"
    PARTLY_SHIPPED = "already_shipped_in_part"
    MALFORMED = "malformed_cancellation"
    UNKNOWN_LINE = "unknown_line"
    MORE_THAN_ORDERED = "more_than_ordered"
    CUSTOMER_CHANGED = "customer_changed"
    CURRENCY_CHANGED = "currency_changed"


CANCELLED_BEFORE_ACCEPTANCE = "cancelled_before_acceptance"
"""Reason of an order's messages that a cancellation of the whole order overtook."""

SUPERSEDED_BY_REVISION = "superseded_by_revision"
"""Reason of a message that a later one about the same order replaces."""

CHANGE_VERSION = "order_change/1"
"""Version of the rules that carry out or refuse a change, as the ledger records it."""

ACCEPTANCE_VERSION = "acceptance-1"
"""Version of the rules that accept an order, as the ledger records it."""
