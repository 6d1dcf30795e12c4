"""Every route for every role, for nobody, and for keys whose scope is too small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from ecom_assets.areas import AREA_NAMES
from ecom_assets.backoffice.roles import RIGHTS, Right, Role
from fixtures.api_routes import ROUTES, Operation
from fixtures.entrance import ADDRESS, House

Callers = dict[str, TestClient]

NAMES = [f"{each.method} {each.path}" for each in ROUTES]


@pytest.fixture(scope="module")
def callers(still_shop: House) -> Callers:
    """A caller of each role, one without any, nobody, and keys of a user who may do anything."""
    logged_in: Callers = {role: still_shop.someone(role) for role in Role}
    root = still_shop.add("everything", *Role)
    keys: Callers = {"none": still_shop.someone(), "nobody": still_shop.visitor()}
    keys["nobody"].headers["Origin"] = ADDRESS
    for right in Right:
        keys[f"*:{right}"] = still_shop.with_key(root, f"*:{right}")
    for area in (*sorted({each.need.area for each in ROUTES if each.need} & AREA_NAMES), "marts"):
        keys[area] = still_shop.with_key(root, *(f"{area}:{right}" for right in Right))
    return {**logged_in, **keys}


def call(caller: TestClient, operation: Operation) -> Any:
    """Call a route with a body that is good enough to get past the question who asks."""
    body: dict[str, object] | None = None if operation.method in ("GET", "DELETE") else {}
    return caller.request(operation.method, operation.filled, json=body)


def is_let_in(answer: Any) -> bool:
    """Whether a request got past the question who asks; what it was about may be missing."""
    assert answer.status_code < 500, answer.text
    return answer.status_code not in (401, 403) or answer.json()["code"] == "login_needed"


def test_every_route_says_what_it_needs() -> None:
    assert len(ROUTES) > 35
    assert not [each for each in ROUTES if each.need is None]


@pytest.mark.parametrize("operation", ROUTES, ids=NAMES)
def test_a_route_is_open_to_its_roles_only(callers: Callers, operation: Operation) -> None:
    assert operation.need
    open_to = {role for role in Role if is_let_in(call(callers[role], operation))}
    assert open_to == {role for role in Role if operation.need.right in RIGHTS[role]}
    assert call(callers["none"], operation).status_code == 403
    assert call(callers["nobody"], operation).status_code == 401


@pytest.mark.parametrize("operation", ROUTES, ids=NAMES)
def test_a_key_does_no_more_than_its_scopes(callers: Callers, operation: Operation) -> None:
    need = operation.need
    assert need
    rights = {right for right in Right if is_let_in(call(callers[f"*:{right}"], operation))}
    assert rights == {need.right}
    if need.area in AREA_NAMES:
        known = AREA_NAMES & callers.keys()
        areas = {area for area in known if is_let_in(call(callers[area], operation))}
        assert areas == {need.area}


@pytest.mark.parametrize(
    "operation", [each for each in ROUTES if each.method != "GET"],
    ids=[name for name in NAMES if not name.startswith("GET")],
)  # fmt: skip
def test_another_sites_page_changes_nothing(callers: Callers, operation: Operation) -> None:
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = callers[Role.ADMIN].request(
        operation.method, operation.filled, json={}, headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")


@pytest.fixture(scope="module", autouse=True)
def _as_it_was(still_shop: House) -> Iterator[None]:
    yield
    with still_shop.database.begin() as conn:
        counted = conn.exec_driver_sql("SELECT count(*) FROM inventory.movements").scalar()
    assert counted == 0
