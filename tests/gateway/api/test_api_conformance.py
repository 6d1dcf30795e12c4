"""What the API does is what its document says, for whatever a caller sends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import GenerationMode, checks, openapi
from schemathesis.checks import CheckFunction
from schemathesis.core.transport import Response
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Right, Role
from ecom_assets.orders.store import accept_pending
from fixtures.api_routes import DOCUMENT, PREFIX, ROUTES
from fixtures.api_shop import add_listing, ask
from fixtures.entrance import House
from fixtures.order_documents import build_document

EXAMPLES = 6

CHECKS: list[CheckFunction] = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
SCHEMA = openapi.from_dict(DOCUMENT)
NAMES = [f"{each.method} {each.path}" for each in ROUTES]


@pytest.fixture(scope="module")
def busy_shop(still_shop: House) -> House:
    """A shop with an order, stock, a count that waits and a row in the quarantine."""
    still_shop.add("everything", *Role)
    clerk = still_shop.someone(Role.OPERATOR)
    message = {"channel": "web", "external_id": "1", "payload": build_document()}
    good = {**message, "received_at": "2024-05-01T13:00:00Z"}
    clerk.post(f"{PREFIX}/orders/bulk", json=[good, {"channel": "web"}])
    accept_pending(still_shop.database.begin, "test")
    place = {"sku": "SKU-1", "site_code": "N"}
    moved = {**place, "quantity": 9, "reference": "r", "moved_at": "2026-01-01T00:00:00Z"}
    clerk.post(f"{PREFIX}/inventory/adjustments", json=moved)
    count = {**place, "reference": "c", "counted": 500, "counted_at": "2026-02-01T00:00:00Z"}
    clerk.post(f"{PREFIX}/inventory/counts", json={"rows": [count]})
    with still_shop.database.begin() as conn:
        add_listing(conn)
    return still_shop


@pytest.fixture
def root(busy_shop: House) -> TestClient:
    """A key that may do anything, of each test's own, so that no limit of requests is met."""
    user_id = ask(
        busy_shop.database, "SELECT user_id FROM backoffice.users WHERE roles @> '{admin}'"
    )
    return busy_shop.with_key(user_id, *(f"*:{right}" for right in Right))


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation", ROUTES, ids=NAMES)
def test_answers_are_as_documented(root: TestClient, operation: Any, mode: GenerationMode) -> None:
    described = SCHEMA[operation.path][operation.method]

    @seed(1)
    @settings(max_examples=EXAMPLES, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=described.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        _name_what_is_there(case)
        answer = _sent(root, case)
        assert answer.status_code != 429
        case.validate_response(answer, checks=CHECKS)

    send()


def _name_what_is_there(case: Any) -> None:
    """Half of all keys in paths are those of rows that the shop has."""
    for name, value in (case.path_parameters or {}).items():
        if isinstance(value, int) and value % 2:
            case.path_parameters[name] = 1


def _sent(caller: TestClient, case: Any) -> Response:
    kwargs = case.as_transport_kwargs(base_url=f"http://127.0.0.1:3000{PREFIX}")
    kwargs["headers"].pop("Authorization", None)
    kept = {name: kwargs[name] for name in ("params", "json", "headers") if kwargs.get(name)}
    if isinstance(kwargs.get("data"), bytes | str):
        kept["content"] = kwargs["data"]
    return caller.request(kwargs["method"], kwargs["url"], **kept)  # type: ignore[return-value]
