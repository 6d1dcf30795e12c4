"""Pages of collections: a cursor names the last row of a page, so no row that comes shifts others.

A cursor is opaque to callers and worthless to forgers: it holds the values a page is ordered by,
which are checked like any value of a request, and what was asked, so that it serves no other list.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import Field, TypeAdapter, ValidationError

from gateway.api.faults import Fault, unfit
from gateway.api.values import MOST_BIGINT, Moment, Name, Told

Limit = Annotated[int, Query(ge=1, le=500, description="Rows of the page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=2000, description="`next` of the page before; the first page without it."),
]

BigKey = Annotated[int, Field(ge=0, le=MOST_BIGINT, strict=True)]
BY_MOMENT: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[Moment, BigKey])
BY_KEY: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[BigKey])
BY_NAME: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[Name])
BY_NAMES: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[Name, Name])
BY_THREE_NAMES: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[Name, Name, Name])

Item = TypeVar("Item", bound=Told)


class Page(Told, Generic[Item]):
    """A page of a collection."""

    items: list[Item] = Field(description="Rows, in their order.")
    next: str | None = Field(description="Cursor of the next page; null on the last one.")


@dataclass(frozen=True, slots=True)
class Paging:
    """What page of a list is asked for.

    Attributes:
        limit: rows.
        after: values of the row before the first one; None at the beginning.
        asked: what else was asked, in short.
    """

    limit: int
    after: tuple[Any, ...] | None
    asked: str

    def page(
        self,
        rows: Sequence[Mapping[Any, Any]],
        item: Callable[[Mapping[Any, Any]], Item],
        keys: Sequence[str],
    ) -> dict[str, Any]:
        """Items and cursor of the next page, of one row more than the page shows."""
        shown = rows[: self.limit]
        last = (
            encode([shown[-1][key] for key in keys], self.asked) if len(rows) > self.limit else None
        )
        return {"items": [item(row) for row in shown], "next": last}


def paging(
    limit: int, cursor: str | None, kind: TypeAdapter[tuple[Any, ...]], *asked: object
) -> Paging:
    """Read the page that is asked for.

    Args:
        limit: rows.
        cursor: as `encode` made it, or whatever a caller sent.
        kind: what its values must be.
        asked: name of the collection and its filters.

    Raises:
        Fault: the cursor is none of this list.
    """
    short = hashlib.sha256(repr(asked).encode("utf-8", "backslashreplace")).hexdigest()[:12]
    return Paging(limit, None if cursor is None else decode(cursor, kind, short), short)


def encode(values: Sequence[Any], asked: str) -> str:
    """A cursor after a row with these values."""
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    text = json.dumps([asked, *plain], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, kind: TypeAdapter[tuple[Any, ...]], asked: str) -> tuple[Any, ...]:
    """The values of a cursor.

    Raises:
        Fault: it was made for another list, or by nobody.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        found = json.loads(text.decode())
    except (ValueError, binascii.Error, RecursionError):
        raise _worthless() from None
    if not isinstance(found, list) or not found or found[0] != asked:
        raise _worthless()
    try:
        return kind.validate_python(tuple(found[1:]))
    except ValidationError:
        raise _worthless() from None


def _worthless() -> Fault:
    return unfit("cursor", "bad_cursor", "is no cursor of this list; begin without one")
