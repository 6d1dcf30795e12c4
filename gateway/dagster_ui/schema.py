"""Dagster's GraphQL schema with what the entrance adds around single fields.

Only resolvers are wrapped; what they return and how the UI reads it stays Dagster's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from dagster_graphql.schema import create_schema
from graphene import Schema
from graphql import GraphQLError, GraphQLObjectType, GraphQLResolveInfo, default_field_resolver

from ecom_assets.backoffice.roles import Principal, Right
from gateway.dagster_ui.permissions import AREA, REFUSAL, may_mutate

STARTED_BY = "ecom/started_by"
"""Tag of a run or backfill that names who started it."""

Recorder = Callable[[Principal, str, Mapping[str, Any], str, str], None]
"""Told of each mutation: who, its name, its arguments, its outcome and why."""

RECORD = "record"
"""Where a request's state has its recorder."""

_MOST_SAID = 500


class Refused(GraphQLError):
    """A role does not allow a mutation."""


@cache
def guarded_schema() -> Schema:
    """Dagster's schema, its mutations and what not everybody may read wrapped; one per process.

    Raises:
        LookupError: a type or field is missing: a release of Dagster moved it.
    """
    schema = cast(Schema, create_schema())
    types = schema.graphql_schema.type_map
    mutations = schema.graphql_schema.mutation_type
    if mutations is None:
        raise LookupError("Dagster's schema has no mutations")
    for name, field in mutations.fields.items():
        field.resolve = _guarded(name, field.resolve or default_field_resolver)
    _hide(types["Instance"], "info", Right.ADMINISTER, None)
    _hide(types["PythonError"], "stack", Right.OPERATE, [])
    return schema


def _guarded(name: str, resolve: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        principal = _principal(info)
        if principal is None:
            raise Refused(REFUSAL)
        record = _recorder(info)
        if not may_mutate(principal, name):
            record(principal, name, arguments, "refused", REFUSAL)
            raise Refused(REFUSAL)
        signed = _signed(arguments, principal.name)
        try:
            answer = resolve(root, info, **signed)
        except Exception as error:
            record(principal, name, arguments, "failed", type(error).__name__)
            raise
        if hasattr(answer, "__await__"):
            return _awaited(answer, principal, name, arguments, record)
        record(principal, name, arguments, *_outcome(answer))
        return answer

    return guarded


async def _awaited(
    answer: Any, principal: Principal, name: str, arguments: Mapping[str, Any], record: Recorder
) -> Any:
    try:
        found = await answer
    except Exception as error:
        record(principal, name, arguments, "failed", type(error).__name__)
        raise
    record(principal, name, arguments, *_outcome(found))
    return found


def _outcome(answer: Any) -> tuple[str, str]:
    """Dagster answers a refusal or a failure with a value whose type says so."""
    kind = type(answer).__name__.removeprefix("Graphene")
    if kind == "UnauthorizedError":
        return "refused", REFUSAL
    if kind.endswith(("Error", "NotFound", "Invalid", "Conflict")):
        return "failed", f"{kind}: {getattr(answer, 'message', '')}"[:_MOST_SAID]
    return "done", ""


def _signed(arguments: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The arguments of a mutation with the user's name where it starts runs."""
    signed = dict(arguments)
    if "executionParams" in signed:
        signed["executionParams"] = _signed_execution(signed["executionParams"], name)
    if "executionParamsList" in signed:
        given = signed["executionParamsList"]
        signed["executionParamsList"] = [_signed_execution(one, name) for one in given]
    for key, tags in (("backfillParams", "tags"), ("reexecutionParams", "extraTags")):
        if signed.get(key) is not None:
            signed[key] = {**signed[key], tags: _signed_tags(signed[key].get(tags), name)}
    return signed


def _signed_execution(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    metadata = dict(given.get("executionMetadata") or {})
    metadata["tags"] = _signed_tags(metadata.get("tags"), name)
    return {**given, "executionMetadata": metadata}


def _signed_tags(given: Any, name: str) -> list[Any]:
    kept = [tag for tag in given or () if tag["key"] != STARTED_BY]
    return [*kept, {"key": STARTED_BY, "value": name}]


def _hide(kind: Any, field: str, right: Right, instead: Any) -> None:
    if not isinstance(kind, GraphQLObjectType):
        raise LookupError(f"Dagster's schema has no type with the field {field}")
    shown = kind.fields[field]
    resolve = shown.resolve or default_field_resolver

    def hidden(root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        principal = _principal(info)
        if principal is None or not principal.may(right, AREA):
            return instead
        return resolve(root, info, **arguments)

    shown.resolve = hidden


def _principal(info: GraphQLResolveInfo) -> Principal | None:
    found = getattr(info.context, "principal", None)
    return found if isinstance(found, Principal) else None


def _recorder(info: GraphQLResolveInfo) -> Recorder:
    found: Recorder = info.context.source.scope["state"][RECORD]
    return found
