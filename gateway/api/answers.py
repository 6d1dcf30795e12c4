"""Answers: bytes with the headers that let callers keep and compare them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from gateway.api.faults import Fault


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answers.

    Attributes:
        model: the body; none for 204.
        status: HTTP status.
        headers: headers that belong to what was done, such as ETag and Location.
    """

    model: BaseModel | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> str:
        """The body as it is sent."""
        return "" if self.model is None else self.model.model_dump_json()


def sent(status: int, headers: Mapping[str, str], body: str) -> Response:
    """An answer of its parts."""
    kind = "application/json" if body else None
    return Response(body, status, dict(headers), kind)


def tag_of(*parts: Any) -> str:
    """The ETag of a representation: of its version, or of all that it says."""
    text = json.dumps(parts, default=str, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def require_match(given: str | None, tag: str) -> None:
    """Refuse a change of something that the caller has not seen as it is.

    Raises:
        Fault: 428 where the caller does not say what it saw, 412 where that has changed.
    """
    if given is None:
        raise Fault(428, "if_match_needed", "send If-Match with the ETag of what you change")
    # Weak tags never match here: equal enough to show is not equal enough to change.
    tags = [part.strip() for part in given.split(",")]
    if given.strip() != "*" and tag not in tags:
        raise Fault(412, "changed_meanwhile", "it was changed meanwhile; read it again",
                    headers={"ETag": tag})  # fmt: skip
