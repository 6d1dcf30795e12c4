"""What a replay is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self


class BadRequest(ValueError):
    """A replay that cannot be made as it was asked for; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """A range of orders to decide anew, and by what.

    Attributes:
        from_at: first moment of deciding, included.
        to_at: last moment of deciding, excluded.
        rules: settings that differ from those in force, by section and name; see `rules`.
        model_version: fraud model to score with; None keeps the recorded scores.
    """

    from_at: datetime
    to_at: datetime
    rules: Mapping[str, Any] = field(default_factory=dict)
    model_version: str | None = None

    @classmethod
    def of_texts(
        cls, first: str, last: str, rules: Mapping[str, Any], model_version: str | None
    ) -> Self:
        """The request of ISO 8601 dates or moments; one without a zone is in UTC.

        Raises:
            BadRequest: a text is no date, or the range is empty.
        """
        from_at, to_at = _moment("from", first), _moment("to", last)
        if from_at >= to_at:
            raise BadRequest(f"the range is empty: {first} is not before {last}")
        return cls(from_at, to_at, rules, model_version or None)


def _moment(name: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"{name}: {text!r} is not a date such as 2026-01-31") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
