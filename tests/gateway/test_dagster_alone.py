"""Dagster's own layer by itself: its stock schema and stock request handling, our permissions.

The guard around the schema refuses every mutation a role may not do before Dagster sees it. Here
that guard is left away, as if it had a hole, and Dagster has to refuse by itself. What it does not
refuse is named, and rests on the guard alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from dagster_webserver.webserver import DagsterWebserver
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from ecom_assets.backoffice.roles import Principal, Role
from fixtures.dagster_calls import EVERY_MUTATION, call_of
from gateway.dagster_ui.context import UserProcessContext
from gateway.dagster_ui.permissions import MUTATIONS, REFUSAL

MAY_NOT = [None, Role.VIEWER, Role.ANALYST, Role.APPROVER]
"""Those who may change nothing of Dagster."""

GUARD_ALONE: Mapping[str, str] = {
    "logTelemetry": "asks for no permission; with telemetry off it stores nothing",
    "setNuxSeen": "asks for no permission; it hides a hint of the UI",
}
"""Mutations that Dagster itself lets everybody call, and why that does no harm."""

FOUND_FIRST = (
    "cancelPartitionBackfill", "launchPipelineReexecution", "launchRunReexecution",
    "reexecutePartitionBackfill", "resumePartitionBackfill", "scheduleDryRun", "sensorDryRun",
    "stopRunningSchedule", "stopSensor",
)  # fmt: skip
"""Mutations that ask once they have found what a call names, which here is not there.

This shows no more of them than that they do nothing.
"""

ONE_BY_ONE = {
    "launchMultipleRuns": "launchMultipleRunsResult",
    "terminateRuns": "terminateRunResults",
}
"""Mutations that refuse each of the things they are about by itself: where their answers are."""

_REFUSAL = "UnauthorizedError"


class _As:
    """Dagster's webserver as it is made, for a user who is known already."""

    def __init__(self, workspace: UserProcessContext, principal: Principal | None) -> None:
        stock: Any = DagsterWebserver(workspace)
        self._app, self._principal = stock.create_asgi_app(), principal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["principal"] = self._principal
        await self._app(scope, receive, send)


def principal_of(role: Role | None) -> Principal | None:
    if role is None:
        return None
    return Principal(1, role.value, "", frozenset({role}), "browser", 1)


@pytest.fixture(scope="module")
def callers(workspace: UserProcessContext) -> dict[Role | None, TestClient]:
    return {role: TestClient(_As(workspace, principal_of(role))) for role in (None, *Role)}


def stock_call_of(name: str) -> dict[str, Any]:
    """The call, which asks for the answers to the single things too."""
    call, part = call_of(name), ONE_BY_ONE.get(name)
    if part is None:
        return call
    inner = f"... on {part[0].upper()}{part[1:]} {{ {part} {{ __typename }} }}"
    inner = inner.replace("TerminateRunResults", "TerminateRunsResult")
    return call | {"query": call["query"].replace("{ __typename }", f"{{ __typename {inner} }}")}


def outcome(answer: Any, name: str) -> str:
    """What became of a mutation: the types of its answers, or its first error."""
    body = answer.json()
    found = (body.get("data") or {}).get(name)
    if isinstance(found, dict):
        parts = found.get(ONE_BY_ONE.get(name, ""), [found])
        return " ".join(sorted({str(part["__typename"]) for part in parts}))
    return "done" if found is not None else str(body["errors"][0]["message"])


def is_refused(said: str) -> bool:
    # Mutations whose answer is a mere yes or no cannot say so: Dagster fails over its own refusal.
    return said == _REFUSAL or REFUSAL in said or f"<Graphene{_REFUSAL} instance>" in said


@pytest.mark.parametrize("role", MAY_NOT)
@pytest.mark.parametrize("name", EVERY_MUTATION)
def test_dagster_itself_refuses_what_a_role_may_not(
    callers: Mapping[Role | None, TestClient], role: Role | None, name: str
) -> None:
    said = outcome(callers[role].post("/graphql", json=stock_call_of(name)), name)
    if name in FOUND_FIRST:
        assert said == "PythonError" or is_refused(said), said
    else:
        assert is_refused(said) is (name not in GUARD_ALONE), said


@pytest.mark.parametrize("name", ["launchRun", "reloadWorkspace", "wipeAssets", "startSensor"])
def test_it_does_so_however_the_mutation_comes(
    callers: Mapping[Role | None, TestClient], name: str
) -> None:
    """The stock webserver takes mutations by GET and from the address; they are refused as well."""
    import json

    call, viewer = call_of(name), callers[Role.VIEWER]
    given = {"query": call["query"], "variables": json.dumps(call["variables"])}
    for answer in (viewer.get("/graphql", params=given), viewer.post("/graphql", params=given)):
        assert is_refused(outcome(answer, name)), answer.text


def test_what_rests_on_the_guard_alone_is_what_asks_for_no_permission() -> None:
    assert set(GUARD_ALONE) == {name for name, asked in MUTATIONS.items() if asked is None}


def test_here_the_guard_is_really_left_away(callers: Mapping[Role | None, TestClient]) -> None:
    """Nobody may hide a hint by the entrance; by Dagster alone everybody may."""
    assert not is_refused(outcome(callers[None].post("/graphql", json=call_of("setNuxSeen")),
                                  "setNuxSeen"))  # fmt: skip
