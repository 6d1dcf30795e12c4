"""A message as one JSON object, as files of lines and Kafka records carry it.

channel*      sales channel
external_id*  the channel's own id of the order
kind          order (by default) or cancellation
received_at   business moment of arrival, ISO 8601 with an offset; files and topics have a default
payload*      the document, see `model`
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ecom_assets.orders.delivery import Delivery
from ecom_assets.orders.document import MOMENT_PATTERN
from ecom_assets.orders.model import Message, MessageKind
from ecom_assets.orders.storable import Unstorable

MEMBERS = ("channel", "external_id", "kind", "received_at", "payload")

_MOMENT = re.compile(MOMENT_PATTERN)


def read_envelope(text: bytes | None, number: int, received_at: datetime | None) -> Delivery:
    """Read one row of UTF-8; whatever stands in it, the result says what it is.

    Args:
        text: the row, or None where a record has no value.
        number: its number in the source.
        received_at: moment of arrival where the row names none.
    """
    envelope, fault = _decoded(text)
    if envelope is None:
        return Delivery(number, None, fault, text)
    # An unknown member is a misspelt one: read on, and a default would take its place unseen.
    strange = sorted(str(name) for name in envelope.keys() - set(MEMBERS))
    missing = [name for name in ("channel", "external_id", "payload") if name not in envelope]
    if strange or missing:
        named = f"member {strange[0]} is unknown" if strange else f"{missing[0]} must be there"
        return Delivery(number, None, f"{Unstorable.NO_MESSAGE}: {named}", text)
    return Delivery(number, _message(envelope, received_at), row=text)


def _decoded(text: bytes | None) -> tuple[Mapping[str, Any] | None, str]:
    if text is None:
        return None, f"{Unstorable.NO_MESSAGE}: value must be there"
    try:
        # A byte order mark is what some programs put before the first line.
        found = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        return None, f"{Unstorable.NO_MESSAGE}: value must be JSON in UTF-8: {said}"
    if not isinstance(found, dict):
        return None, f"{Unstorable.NO_MESSAGE}: value must be a JSON object"
    return found, ""


def _message(envelope: Mapping[str, Any], received_at: datetime | None) -> Message:
    # Values of a wrong type go on as they are: what the inbox cannot hold is named in one place.
    return Message(
        channel=envelope["channel"],
        external_id=envelope["external_id"],
        received_at=_moment(envelope.get("received_at"), received_at),
        payload=envelope["payload"],
        kind=envelope.get("kind") or MessageKind.ORDER,
    )


def _moment(value: Any, default: datetime | None) -> Any:
    if value is None:
        return default
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return datetime.fromisoformat(value)
    return value
