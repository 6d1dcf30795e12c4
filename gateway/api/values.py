"""Values of requests and answers: strict, and never beyond what the database can hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from ecom_assets.orders.document import MOMENT_PATTERN

MOST_BIGINT = 2**63 - 1
MOST_INTEGER = 2**31 - 1
MOST_UNITS = 100_000_000
"""Units of one movement, as the inventory takes them."""

_MOMENT = re.compile(MOMENT_PATTERN)


class Given(BaseModel):
    """What a request says; a member that is not known is refused, not passed over."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Told(BaseModel):
    """What an answer says."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _storable(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("not_storable", "must not hold NUL")
    return text


def _named(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return _storable(text)


def _moment(given: Any) -> datetime:
    # The pattern knows which days there are; what it lets through can be read and stored.
    if not isinstance(given, str) or not _MOMENT.fullmatch(given):
        raise PydanticCustomError(
            "moment", "must be a moment with an offset, such as 2026-05-01T12:00:00+02:00"
        )
    return datetime.fromisoformat(given).astimezone(UTC)


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_named)]
"""A name or code."""

Note = Annotated[str, Field(max_length=2000), AfterValidator(_storable)]
"""What a person says."""

Reason = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_named)]
"""Why, which must be said."""

Moment = Annotated[
    datetime,
    BeforeValidator(_moment, json_schema_input_type=str),
    Field(strict=False, json_schema_extra={"pattern": f"^{MOMENT_PATTERN}$"},
          examples=["2026-05-01T12:00:00Z"]),
]  # fmt: skip
"""A moment of business time with an offset."""

Whole = Annotated[int, Field(ge=-MOST_BIGINT, le=MOST_BIGINT)]
Units = Annotated[int, Field(ge=1, le=MOST_UNITS)]
Key = Annotated[int, Path(ge=1, le=MOST_BIGINT)]
"""Surrogate key in a path."""

Named = Annotated[
    str, Path(min_length=1, max_length=200, description="May hold slashes; escape them or not."),
    AfterValidator(_named),
]  # fmt: skip
"""A name or code at the end of a path declared as `{name:path}`."""

Wanted = Annotated[str | None, Query(min_length=1, max_length=200), AfterValidator(
    lambda text: None if text is None else _storable(text))]  # fmt: skip
"""A filter by a name or code."""


def _asked_moment(given: Any) -> Any:
    # A plus sign that a caller did not escape comes as a blank.
    return None if given is None else _moment(str(given).replace(" ", "+"))


WantedMoment = Annotated[
    datetime | None,
    BeforeValidator(_asked_moment, json_schema_input_type=str),
    Query(json_schema_extra={"examples": ["2026-05-01T12:00:00Z"]}),
]
"""A filter by a moment."""
