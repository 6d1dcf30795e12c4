"""What reaches Dagster's GraphQL: a POST of JSON from the entrance's own pages or with a key.

Dagster itself takes mutations by GET, and from the address of a POST whose content is not JSON, so
a page of somebody else could make a browser send one. Here a request is read once, strictly, and
what Dagster executes is what was read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from gateway.dagster_ui.queries import MOST_CHARACTERS

MOST_BYTES = 4_000_000
"""Of a request with its variables; a run's configuration is in them."""

_LABEL = {"op"}
"""What Dagster's pages write into the address for people who read logs; nothing reads it here."""

_KNOWN = {"query", "variables", "operationName", "extensions"}


class RequestRefused(Exception):
    """A request is not what it must be; `status` is the answer's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class GraphqlRequest:
    """An operation to execute."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


async def read_request(request: Request) -> GraphqlRequest:
    """Read the operation of a request.

    Raises:
        RequestRefused: it is anything but a POST of one JSON object.
    """
    if request.method != "POST":
        raise RequestRefused(405, "GraphQL takes POST only")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise RequestRefused(415, "GraphQL takes application/json only")
    if not request.query_params.keys() <= _LABEL:
        raise RequestRefused(400, "GraphQL takes nothing from the address")
    try:
        given = json.loads(await _body(request))
    except (ValueError, RecursionError) as error:
        raise RequestRefused(400, "the request is not JSON") from error
    return operation_of(given)


def operation_of(given: Any) -> GraphqlRequest:
    """The operation of a JSON value.

    Raises:
        RequestRefused: it is not one operation.
    """
    if not isinstance(given, dict) or not given.keys() <= _KNOWN:
        raise RequestRefused(400, "one object with query, variables and operationName is needed")
    query, variables, name = (given.get(k) for k in ("query", "variables", "operationName"))
    if not isinstance(query, str):
        raise RequestRefused(400, "query must be a text")
    if len(query) > MOST_CHARACTERS:
        raise RequestRefused(413, f"the query has more than {MOST_CHARACTERS} characters")
    if variables is not None and not isinstance(variables, dict):
        raise RequestRefused(400, "variables must be an object")
    if name is not None and not isinstance(name, str):
        raise RequestRefused(400, "operationName must be a text")
    return GraphqlRequest(query, variables, name)


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise RequestRefused(413, f"a request has at most {MOST_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)
