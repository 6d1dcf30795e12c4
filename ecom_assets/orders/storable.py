"""What the inbox can hold at all, and how a row that it cannot hold is shown all the same.

PostgreSQL refuses some texts and JSON some values that a program may hand over. Such a message
would end the whole batch with an error of the driver; here it is found first and named. What a
document says is judged by `rules`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from ecom_assets.orders.model import Message, MessageKind

MOST_ID_CHARACTERS = 200
"""Longest channel or external id: two of four bytes a character still fit one index entry."""

MOST_PAYLOAD_CHARACTERS = 1_000_000
"""Largest payload, about, as JSON text; an order of thousands of lines is far smaller."""

MOST_DEPTH = 50
"""Deepest nesting of a payload."""

MOST_DIGITS = 300
"""Longest whole number of a payload; every double has fewer digits before its point."""

FIRST_YEAR, LAST_YEAR = 1900, 2999
"""Years a message may arrive in: the years a document may name, and room for time zones."""


class Unstorable(StrEnum):
    """Why a row cannot be stored as a message."""

    NO_MESSAGE = "undecodable_row"
    BAD_ID = "unusable_id"
    BAD_KIND = "unknown_kind"
    BAD_MOMENT = "unusable_moment"
    BAD_PAYLOAD = "unstorable_payload"
    TOO_LARGE = "payload_too_large"


class _Found(Exception):
    """A fault found on the way through a payload, as `problem: detail`."""


def find_storage_fault(message: Message) -> str | None:
    """The first reason, as `problem: detail`, why the inbox cannot hold a message; else None.

    Whatever a caller put into the message is named, never raised.
    """
    for name, value in (("channel", message.channel), ("external_id", message.external_id)):
        if found := _id_fault(name, value):
            return found
    if not isinstance(message.kind, str) or message.kind not in set(MessageKind):
        return f"{Unstorable.BAD_KIND}: kind must be order or cancellation"
    return _moment_fault(message.received_at) or _payload_fault(message.payload)


def _id_fault(name: str, value: object) -> str | None:
    if not isinstance(value, str) or not value.strip() or len(value) > MOST_ID_CHARACTERS:
        demand = f"must be a text of 1 to {MOST_ID_CHARACTERS} characters"
        return f"{Unstorable.BAD_ID}: {name} {demand}"
    if not _is_storable(value):
        return f"{Unstorable.BAD_ID}: {name} must not hold NUL or half a surrogate pair"
    return None


def _moment_fault(value: object) -> str | None:
    if (
        isinstance(value, datetime)
        and FIRST_YEAR <= value.year <= LAST_YEAR
        and value.utcoffset() is not None
    ):
        return None
    demand = f"must be a moment with an offset in the years {FIRST_YEAR} to {LAST_YEAR}"
    return f"{Unstorable.BAD_MOMENT}: received_at {demand}"


def _is_storable(text: str) -> bool:
    # Both are legal in a Python text and in JSON escapes, and refused by PostgreSQL.
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _payload_fault(payload: object) -> str | None:
    left = MOST_PAYLOAD_CHARACTERS
    try:
        # Counted on the way: what refers to itself or repeats a part endlessly is too large, too.
        for size in _sizes(payload, "payload", 0):
            left -= size
            if left < 0:
                demand = f"must not exceed {MOST_PAYLOAD_CHARACTERS} characters"
                return f"{Unstorable.TOO_LARGE}: payload {demand}"
    except _Found as found:
        return str(found)
    return None


def _sizes(value: object, path: str, depth: int) -> Iterator[int]:
    """The size of each value in characters of JSON, about; raises `_Found` at the first fault."""
    if depth > MOST_DEPTH:
        raise _fault(path, f"must not be nested deeper than {MOST_DEPTH}")
    if isinstance(value, dict):
        yield 2
        for key, item in value.items():
            if not isinstance(key, str):
                raise _fault(path, "must have texts as names")
            yield _text_size(key, path)
            yield from _sizes(item, f"{path}.{key}" if depth < MOST_DEPTH else path, depth + 1)
    elif isinstance(value, list):
        yield 2
        for position, item in enumerate(value):
            yield from _sizes(item, f"{path}[{position}]", depth + 1)
    else:
        yield _scalar_size(value, path)


def _scalar_size(value: object, path: str) -> int:
    if isinstance(value, str):
        return _text_size(value, path)
    if value is None or isinstance(value, bool):
        return 5
    if isinstance(value, int):
        if abs(value) >= 10**MOST_DIGITS:
            raise _fault(path, f"must have at most {MOST_DIGITS} digits")
        return 1 + value.bit_length() // 3
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _fault(path, "must be a finite number")
        return 24
    raise _fault(path, f"must be a value JSON knows, not {type(value).__name__}")


def _text_size(text: str, path: str) -> int:
    if not _is_storable(text):
        raise _fault(path, "must not hold NUL or half a surrogate pair")
    return len(text) + 3


def _fault(path: str, demand: str) -> _Found:
    return _Found(f"{Unstorable.BAD_PAYLOAD}: {clean(path)[:200]} {demand}")


def clean(text: str) -> str:
    """A text that PostgreSQL can hold: what it cannot is written as an escape."""
    printable = text.replace("\x00", "\\x00")
    return printable.encode("utf-8", "backslashreplace").decode("utf-8")


def rendered(row: object) -> dict[str, object]:
    """A row of any kind as a JSON object that can be stored: texts as they came, else as JSON.

    What exceeds `MOST_PAYLOAD_CHARACTERS` is cut, and the object says so.
    """
    if isinstance(row, bytes):
        text = row[: MOST_PAYLOAD_CHARACTERS + 1].decode("utf-8", "backslashreplace")
    else:
        text = row if isinstance(row, str) else _as_json(row)
    shown: dict[str, object] = {"text": clean(text[:MOST_PAYLOAD_CHARACTERS])}
    return {**shown, "is_cut": True} if len(text) > MOST_PAYLOAD_CHARACTERS else shown


def _as_json(row: object) -> str:
    # In pieces, so that what is endless or breaks off in the middle is kept up to there.
    pieces: list[str] = []
    size = 0
    try:
        for piece in json.JSONEncoder(default=_as_text).iterencode(row):
            pieces.append(piece)
            size += len(piece)
            if size > MOST_PAYLOAD_CHARACTERS:
                break
    except (TypeError, ValueError, RecursionError) as error:
        pieces.append(f" ... {type(error).__name__}")
    return "".join(pieces)


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else ascii(value)
