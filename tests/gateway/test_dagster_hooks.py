"""The places where the entrance takes hold of Dagster: a release that moves one is named here.

None of them is promised by Dagster. Each check says what relies on the hook, so that whoever raises
the version knows what to build anew before anything else fails in a stranger way.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster_graphql.schema import create_schema
from dagster_webserver import graphql as webserver_graphql
from dagster_webserver.graphql import GraphQLServer
from dagster_webserver.webserver import DagsterWebserver
from starlette.routing import Mount, Route, WebSocketRoute

from gateway.dagster_ui.context import UserProcessContext, UserRequestContext
from gateway.dagster_ui.schema import guarded_schema
from gateway.dagster_ui.server import PREFIX, DagsterUI

HOOKS: list[tuple[type, str, list[str], str]] = [
    (WorkspaceProcessContext, "create_request_context", ["self", "source"],
     "UserProcessContext gives every request the permissions of its own user"),
    (WorkspaceRequestContext, "permissions_for_location", ["self", "location_name"],
     "UserRequestContext answers what a user may do in a code location"),
    (WorkspaceRequestContext, "permissions_for_owner", ["self", "owner"],
     "UserRequestContext gives owners of a definition nothing beyond their roles"),
    (DagsterWebserver, "build_routes", ["self"],
     "DagsterUI closes routes and gives others a right"),
    (DagsterWebserver, "build_graphql_schema", ["self"], "DagsterUI wraps every mutation"),
    (DagsterWebserver, "build_middleware", ["self"], "DagsterUI takes Dagster's own headers away"),
    (DagsterWebserver, "make_security_headers", ["self"], "DagsterUI leaves them to the entrance"),
    (DagsterWebserver, "make_csp_header", ["self", "nonce"], "DagsterUI sets a policy of its own"),
    (DagsterWebserver, "index_html_endpoint", ["self", "request"],
     "DagsterUI adds the way back to the screens"),
    (GraphQLServer, "build_graphql_validation_rules", ["self"], "DagsterUI bounds queries"),
    (GraphQLServer, "graphql_http_endpoint", ["self", "request"],
     "DagsterUI reads requests strictly: no GET, nothing from the address"),
    (GraphQLServer, "graphql_ws_endpoint", ["self", "websocket"],
     "DagsterUI checks subscriptions and ends them with the login"),
    (GraphQLServer, "execute_graphql_request",
     ["self", "request", "query", "variables", "operation_name"],
     "DagsterUI executes what it has read, and nothing else"),
    (GraphQLServer, "handle_graphql_errors", ["self", "errors"], "DagsterUI shows no traces"),
]  # fmt: skip
"""Hooks: where they are, their parameters, and what relies on them."""


def moved(where: str, why: str) -> str:
    return f"this release of Dagster moved {where}; {why}"


@pytest.mark.parametrize(("kind", "name", "parameters", "why"), HOOKS,
                         ids=[f"{kind.__name__}.{name}" for kind, name, _, _ in HOOKS])  # fmt: skip
def test_a_hook_is_where_it_was(kind: type, name: str, parameters: list[str], why: str) -> None:
    where = f"{kind.__name__}.{name}"
    found = inspect.getattr_static(kind, name, None)
    assert found is not None, moved(where, why)
    assert callable(found), moved(where, why)
    assert list(inspect.signature(found).parameters) == parameters, moved(where, why)


@pytest.mark.parametrize("kind", [DagsterUI, UserRequestContext, UserProcessContext])
def test_everything_we_take_hold_of_is_checked_here(kind: type) -> None:
    """A method of ours that replaces one of Dagster's must be among the hooks."""
    known = {name for _, name, _, _ in HOOKS} | {"permissions"}
    base = kind.__mro__[1]
    replaced = {name for name in vars(kind) if not name.startswith("__") and hasattr(base, name)}
    assert replaced <= known | {"_abc_impl"}, f"no check for {sorted(replaced - known)}"


def test_permissions_are_a_property_that_is_asked_anew() -> None:
    found = inspect.getattr_static(WorkspaceRequestContext, "permissions", None)
    assert isinstance(found, property), moved(
        "WorkspaceRequestContext.permissions", "the rights of a user come from it"
    )


def test_a_request_context_is_made_of_these() -> None:
    wanted = ["self", "instance", "current_workspace", "process_context", "version", "source",
              "read_only", "read_only_locations"]  # fmt: skip
    found = list(inspect.signature(WorkspaceRequestContext.__init__).parameters)
    assert found == wanted, moved("WorkspaceRequestContext()", "UserProcessContext makes them")


@pytest.mark.parametrize("name", ["has_permission", "has_permission_for_location"])
def test_dagster_asks_the_permissions_we_give(name: str) -> None:
    """Were a permission asked for elsewhere, ours would not be looked at."""
    found = getattr(WorkspaceRequestContext, name, None)
    assert found is not None, moved(f"WorkspaceRequestContext.{name}", "mutations ask it")
    assert "permissions" in inspect.getsource(found), moved(name, "it no longer asks permissions")


def _asks(method: Callable[..., Any], what: str) -> bool:
    return what in inspect.getsource(method)


def test_the_webserver_makes_contexts_by_the_hook() -> None:
    assert _asks(DagsterWebserver._make_request_context, "create_request_context"), moved(
        "DagsterWebserver._make_request_context", "requests would run with Dagster's permissions"
    )


def test_the_webserver_executes_by_the_hooks() -> None:
    for caller, called in (
        (GraphQLServer.__init__, "build_graphql_schema"),
        (GraphQLServer.__init__, "build_graphql_validation_rules"),
        (GraphQLServer.graphql_execution_thread, "request_context"),
        (GraphQLServer.gen_graphql_response, "_graphql_validation_rules"),
        (GraphQLServer.gen_graphql_response, "handle_graphql_errors"),
        (DagsterWebserver.index_html_endpoint, "make_csp_header"),
        (DagsterWebserver.index_html_endpoint, "make_security_headers"),
    ):
        assert _asks(caller, called), moved(f"{caller.__qualname__}", f"it asks {called} no longer")


def test_messages_of_a_websocket_are_read_where_ours_are_checked() -> None:
    assert _asks(GraphQLServer.graphql_ws_endpoint, "receive_json"), moved(
        "GraphQLServer.graphql_ws_endpoint", "subscriptions would be executed unchecked"
    )
    assert hasattr(webserver_graphql, "GraphQLWS"), moved("GraphQLWS", "its words are compared")


def test_routes_come_as_one_mount_under_the_prefix(workspace: UserProcessContext) -> None:
    stock: Any = DagsterWebserver(workspace, app_path_prefix=PREFIX)
    [mount, *rest] = stock.build_routes()
    why = "DagsterUI.build_routes takes its routes from the first"
    assert isinstance(mount, Mount), moved("build_routes", why)
    assert mount.path == PREFIX, moved("build_routes", why)
    assert [route.path for route in rest] == ["/"], moved("build_routes", "another route came")
    known = {"/graphql": {Route, WebSocketRoute}, "/{path:path}": {Route}}
    for path, kinds in known.items():
        found = {type(route) for route in mount.routes if getattr(route, "path", "") == path}
        assert found == kinds, moved(f"the route {path}", why)


def test_the_schema_has_what_is_hidden() -> None:
    schema = create_schema().graphql_schema
    assert schema.mutation_type is not None, moved("the mutations", "guarded_schema wraps them")
    for kind, field in (("Instance", "info"), ("PythonError", "stack")):
        found: Any = schema.type_map.get(kind)
        assert found is not None, moved(f"{kind}.{field}", "guarded_schema hides it")
        assert field in found.fields, moved(f"{kind}.{field}", "guarded_schema hides it")


def test_two_schemas_are_two() -> None:
    """Guarding ours must not guard another that Dagster shares."""
    name = "launchRun"
    ours, stock = guarded_schema().graphql_schema, create_schema().graphql_schema
    assert ours.mutation_type.fields[name] is not stock.mutation_type.fields[name]
    assert ours.mutation_type.fields[name].resolve is not stock.mutation_type.fields[name].resolve
