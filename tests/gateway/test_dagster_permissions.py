"""Every mutation and every route of Dagster's UI, for every role and for nobody.

Mutations and routes are listed from the running server, so that none that a release adds can slip
in: one that is not known here is refused, and the compatibility tests say that it came.
"""

from __future__ import annotations

from typing import Any

import pytest
from dagster._core.workspace.permissions import Permissions
from starlette.routing import Mount, Route, WebSocketRoute

from ecom_assets.backoffice.roles import Role
from fixtures.dagster_calls import EVERY_MUTATION, call_of
from fixtures.entrance import House
from gateway.dagster_ui.permissions import MUTATIONS, PERMISSIONS, UserPermissions, may_mutate

OPERATORS = {Role.OPERATOR, Role.ADMIN}
REFUSED = "Your role does not allow this"


def test_every_permission_of_dagster_is_decided_about() -> None:
    assert {permission.value for permission in Permissions} == set(PERMISSIONS)


def test_every_mutation_of_dagster_is_decided_about() -> None:
    assert set(EVERY_MUTATION) == set(MUTATIONS)


def test_a_permission_nobody_knows_is_refused_without_an_error() -> None:
    from ecom_assets.backoffice.roles import Principal

    root = Principal(1, "root", "", frozenset({Role.ADMIN}), "browser", 1)
    assert "brand_new_permission" in UserPermissions(root)
    assert not UserPermissions(root)["brand_new_permission"].enabled
    assert not may_mutate(root, "brandNewMutation")


def is_refused(answer: Any, name: str) -> bool:
    if answer.status_code in (401, 403):
        return True
    body = answer.json()
    found = (body.get("data") or {}).get(name)
    if found is not None:
        return isinstance(found, dict) and found["__typename"] == "UnauthorizedError"
    # Mutations that answer with a mere value can refuse by an error only.
    return any(error["message"] == REFUSED for error in body["errors"])


def may(role: Role | None, name: str) -> bool:
    """What the documentation says of roles."""
    permission = MUTATIONS[name]
    if role is None:
        return False
    if permission is None:
        return True
    if role is Role.OPERATOR:
        return PERMISSIONS[permission] == "operate"
    return role is Role.ADMIN and PERMISSIONS[permission] is not None


@pytest.fixture(scope="module")
def callers(module_database: Any, workspace: Any) -> dict[Role | None, Any]:
    house = House(module_database, workspace)
    return {None: house.visitor(), **{role: house.someone(role) for role in Role}}


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("name", EVERY_MUTATION)
def test_a_mutation_is_open_to_its_roles_only(
    callers: dict[Role | None, Any], role: Role | None, name: str
) -> None:
    answer = callers[role].post("/dagster/graphql", json=call_of(name))
    assert is_refused(answer, name) is not may(role, name), answer.text


@pytest.mark.parametrize("role", [None, Role.VIEWER])
def test_the_ways_around_a_gate_that_reads_bodies_are_closed(
    callers: dict[Role | None, Any], role: Role | None
) -> None:
    caller, call = callers[role], call_of("reloadWorkspace")["query"]
    asked: list[Any] = [
        caller.get("/dagster/graphql", params={"query": call}),
        caller.post("/dagster/graphql", params={"query": call}),
        caller.post("/dagster/graphql", params={"query": call}, data={"a": "b"}),
        caller.post("/dagster/graphql", content=call,
                    headers={"Content-Type": "application/graphql"}),
        caller.post("/dagster/graphql", content=f'{{"query":"{call}"}}',
                    headers={"Content-Type": "text/plain; application/json"}),
        caller.post("/dagster/graphql", params={"query": call}, json={"query": "{ version }"}),
        caller.post("/dagster/graphql", json=[{"query": call}]),
        caller.put("/dagster/graphql", json={"query": call}),
        caller.post("/dagster//graphql", json={"query": call}),
        caller.post("/dagster/graphql/", json={"query": call}),
        caller.post("/dagster/%67raphql", json={"query": call}),
    ]  # fmt: skip
    done = [
        answer for answer in asked
        if (answer.status_code == 200 and "ReloadWorkspace" in answer.text)
        or "WorkspaceConnection" in answer.text
    ]  # fmt: skip
    assert not done


def test_operators_start_runs_that_carry_their_name(house: House) -> None:
    operator = house.someone(Role.OPERATOR)
    selector = {"repositoryName": "__repository__", "repositoryLocationName": "small",
                "pipelineName": "made"}  # fmt: skip
    forged = [{"key": "ecom/started_by", "value": "root"}, {"key": "why", "value": "hunger"}]
    answer = operator.post("/dagster/graphql", json={
        "query": """mutation l($p: ExecutionParams!) { launchRun(executionParams: $p) {
            __typename ... on LaunchRunSuccess { run { id tags { key value } } }
            ... on PythonError { message } } }""",
        "variables": {"p": {"selector": selector, "mode": "default", "runConfigData": {},
                            "executionMetadata": {"tags": forged}}},
    })  # fmt: skip
    run = answer.json()["data"]["launchRun"]["run"]
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert (tags["ecom/started_by"], tags["why"]) == ("operator", "hunger")


def routes_of(house: House) -> list[tuple[str, str]]:
    """Every route of the running server below Dagster's prefix, as method and path."""
    [mount] = [r for r in house.app.routes if isinstance(r, Mount) and r.path == "/dagster"]
    found: list[tuple[str, str]] = []
    for route in mount.routes:
        if isinstance(route, Route):
            filled = "/dagster" + route.path.replace("{path:path}", "x/y.out").replace(
                "{run_id:str}", "none").replace("{asset_key:path}", "cheese")  # fmt: skip
            found += [(method, filled) for method in sorted(route.methods or {"GET"})]
        elif isinstance(route, Mount):
            found.append(("GET", f"/dagster{route.path}/x"))
        else:
            assert isinstance(route, WebSocketRoute)
    return found


def test_no_route_answers_nobody(house: House) -> None:
    visitor = house.visitor()
    visitor.headers["Origin"] = "http://127.0.0.1:3000"
    listed = routes_of(house)
    assert len(listed) > 20
    assert {visitor.request(method, path).status_code for method, path in listed} == {401}


@pytest.mark.parametrize(
    ("method", "path", "roles"),
    [
        ("GET", "/dagster/download_debug/none", OPERATORS),
        ("POST", "/dagster/report_asset_materialization/cheese", {Role.ADMIN}),
        ("POST", "/dagster/report_asset_check/cheese", {Role.ADMIN}),
        ("POST", "/dagster/report_asset_observation/cheese", {Role.ADMIN}),
    ],
)
def test_routes_that_do_more_than_show_need_their_role(
    callers: dict[Role | None, Any], method: str, path: str, roles: set[Role]
) -> None:
    open_to = set()
    for role in Role:
        try:
            status = callers[role].request(method, path, json={}).status_code
        except Exception:
            status = 500
        if status != 403:
            open_to.add(role)
    assert open_to == roles


@pytest.mark.parametrize("path", ["/dagster/notebook?path=/etc/passwd", "/dagster/dagit/notebook"])
def test_notebooks_are_not_served(callers: dict[Role | None, Any], path: str) -> None:
    answer = callers[Role.ADMIN].get(path)
    assert "Notebook support" not in answer.text


def ask(caller: Any, query: str) -> Any:
    return caller.post("/dagster/graphql", json={"query": query}).json()


def test_the_instances_configuration_is_for_admins(callers: dict[Role | None, Any]) -> None:
    shown = {role: ask(callers[role], "{ instance { info } }")["data"]["instance"]["info"]
             for role in Role}  # fmt: skip
    assert {role for role, info in shown.items() if info} == {Role.ADMIN}


@pytest.mark.parametrize("role", Role)
def test_the_ui_is_told_what_a_role_may(callers: dict[Role | None, Any], role: Role) -> None:
    told = ask(callers[role], "{ permissions { permission value disabledReason } }")["data"]
    allowed = {one["permission"] for one in told["permissions"] if one["value"]}
    expected = {
        name for name, right in PERMISSIONS.items()
        if right is not None
        and (role is Role.ADMIN or (role is Role.OPERATOR and right == "operate"))
    }  # fmt: skip
    assert allowed == expected


@pytest.mark.parametrize(
    "query",
    [
        "{ " + " ".join(f"a{i}: version" for i in range(60)) + " }",
        "{ " + "version " * 40 + "}",
        "query { instance { " + "...f " * 1 + "} } fragment f on Instance { id ...f }",
        "{ __schema { types { " + "fields { type { " * 16 + "name" + " } }" * 16 + " } } }",
        " ".join(f"query q{i} {{ version }}" for i in range(30)),
        "{ version " + "@include(if: true) " * 60 + "}",
    ],
)
def test_a_query_that_asks_too_much_is_refused(callers: dict[Role | None, Any], query: str) -> None:
    answer = callers[Role.ADMIN].post("/dagster/graphql", json={"query": query})
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_errors_show_no_trace(callers: dict[Role | None, Any]) -> None:
    answer = callers[Role.VIEWER].post(
        "/dagster/graphql", json={"query": '{ logsForRun(runId: "x", limit: -1) { __typename } }'}
    )
    assert "Traceback" not in answer.text
    assert "site-packages" not in answer.text
    bad = callers[Role.VIEWER].post("/dagster/graphql", json={"query": "{ nothing }"})
    assert bad.status_code == 400
    assert "extensions" not in bad.text
