"""What every route has in common: once, unchanged, not too large, not too often, told well."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from fixtures.api_shop import ask
from fixtures.entrance import House
from gateway.api import before
from gateway.limits import limit
from gateway.metered import Metered

API = "/api/v1"
USERS = f"{API}/users"
ADJUST = f"{API}/inventory/adjustments"
ROW = {"sku": "SKU-1", "site_code": "N", "quantity": 5, "reference": "r",
       "moved_at": "2026-01-01T00:00:00Z"}  # fmt: skip


def once(caller: TestClient, key: str, **members: Any) -> Any:
    return caller.post(ADJUST, json={**ROW, **members}, headers={"Idempotency-Key": key})


def test_a_repeated_request_gets_the_first_answer(shop: House, operator: TestClient) -> None:
    first, second = once(operator, "k1"), once(operator, "k1")
    assert (first.status_code, first.json()["outcome"]) == (200, "posted")
    assert (second.content, second.headers["idempotent-replayed"]) == (first.content, "true")
    other = once(operator, "k1", quantity=6)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert once(shop.someone(Role.ADMIN), "k1").json()["outcome"] == "repeated"


def test_what_failed_may_be_tried_again(operator: TestClient) -> None:
    assert once(operator, "k2", site_code="X").status_code == 422
    assert once(operator, "k2", site_code="N").json()["outcome"] == "posted"


def test_an_old_key_names_another_request(shop: House, operator: TestClient) -> None:
    once(operator, "k3")
    with shop.database.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE backoffice.idempotency_keys SET answered_at = now() - interval '2 days',"
            " expires_at = now() - interval '1 day'"
        )
    assert once(operator, "k3", reference="other").json()["outcome"] == "posted"
    assert ask(shop.database, "SELECT count(*) FROM backoffice.idempotency_keys") == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_a_bad_key_is_refused(clerk: TestClient, key: str) -> None:
    answer = clerk.post(ADJUST, json=ROW, headers={b"Idempotency-Key": key.encode("latin-1")})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_parallel_requests_happen_once(shop: House) -> None:
    wish = {"purpose": "p", "scopes": ["inventory:operate"], "days": 1}
    shop.add("machine", Role.OPERATOR)
    key = shop.log_in("machine").post(f"{API}/profile/keys", json=wish).json()["key"]
    barrier = Barrier(8)

    def send(_: int) -> Any:
        caller = shop.visitor()
        caller.headers["Authorization"] = f"Bearer {key}"
        barrier.wait()
        return once(caller, "same", reference="parallel")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    good = [answer for answer in answers if answer.status_code == 200]
    assert {answer.json()["outcome"] for answer in good} == {"posted"}
    assert sum("idempotent-replayed" not in answer.headers for answer in good) == 1
    busy = [answer for answer in answers if answer.status_code == 409]
    assert all(answer.headers["retry-after"] == "1" for answer in busy)
    assert ask(shop.database, "SELECT sum(quantity) FROM inventory.movements") == 5


def test_a_request_that_goes_on_is_not_waited_for(shop: House, operator: TestClient) -> None:
    user_id = operator.get(f"{API}/profile").json()["user_id"]
    with shop.database.engine.connect() as other, other.begin():
        other.exec_driver_sql(
            f"SELECT pg_advisory_xact_lock(hashtextextended('{user_id}/slow', 16))"
        )
        answer = once(operator, "slow")
    assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")
    assert once(operator, "slow").status_code == 200


def test_what_was_read_may_be_kept_and_is_asked_for_by_its_tag(clerk: TestClient) -> None:
    first = clerk.get(f"{API}/inventory/levels")
    assert first.headers["cache-control"] == "private, no-cache"
    tag = first.headers["etag"]
    again = clerk.get(f"{API}/inventory/levels", headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert clerk.get(f"{API}/inventory/levels", headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/xml"}, b"<a/>", 415),
        ({}, b"{}", 415),
        ({"Content-Type": "application/x-ndjson"}, b"{}", 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"{}", 415),
        ({"Content-Type": "application/json"}, b"{", 422),
        ({"Content-Type": "application/json"}, b"", 422),
        ({"Content-Type": "application/json"}, b"[]", 422),
        ({"Content-Type": "application/json"}, b"\xff", 422),
        ({"Content-Type": "application/json"}, b"[" * 100_000, 422),
        ({"Content-Type": "application/json"}, b'{"quantity": ' + b"9" * 5000 + b"}", 422),
        ({"Content-Type": "application/json"}, b'{"quantity": NaN}', 422),
        ({"Content-Type": "application/json"}, b" " * (before.MOST_BYTES + 1), 413),
    ],
)  # fmt: skip
def test_bodies_that_cannot_be_used(
    clerk: TestClient, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = clerk.post(ADJUST, content=body, headers=headers)
    assert answer.status_code in {status, 400 if status == 422 else status}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_without_its_length_is_cut_off(clerk: TestClient) -> None:
    pieces = (b" " * 100_000 for _ in range(before.MOST_BYTES // 100_000 + 1))
    answer = clerk.post(ADJUST, content=pieces, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_the_rest_of_the_limit_is_told(clerk: TestClient) -> None:
    answer = clerk.get(f"{API}/profile")
    assert answer.headers["ratelimit-policy"] == '"session";q=3000;w=60'
    assert answer.headers["ratelimit"].startswith('"session";r=')


def test_who_asks_too_often_waits(shop: House, monkeypatch: pytest.MonkeyPatch) -> None:
    user_id = shop.add("machine", Role.VIEWER)
    other = shop.with_key(user_id, "*:read")
    few = limit("key", "3 per minute"), limit("session", "3 per minute")
    monkeypatch.setattr(Metered.__init__, "__defaults__", few)
    machine = House(shop.database, shop.workspace)
    caller = machine.with_key(user_id, "*:read")
    answers = [caller.get(f"{API}/profile") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[2].headers["ratelimit"].startswith('"key";r=0;')
    assert int(answers[3].headers["retry-after"]) >= 1
    assert answers[3].json()["code"] == "too_many_requests"
    assert caller.get("/dagster/server_info").status_code == 429
    assert other.get(f"{API}/profile").status_code == 200


@pytest.mark.parametrize("path", ["/screens/", "/dagster/server_info", "/dagster/runs"])
def test_pages_count_as_well(clerk: TestClient, path: str) -> None:
    first, second = clerk.get(path), clerk.get(path)
    left = [int(each.headers["ratelimit"].split("r=")[1].split(";")[0]) for each in (first, second)]
    assert first.status_code == 200
    assert left[1] == left[0] - 1, "a page is one request, whatever it asks of the API"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("DELETE", "/orders", 405), ("PUT", "/orders/1", 405),
     ("GET", "/orders/", 404), ("GET", "/orders/1%00", 422), ("GET", "/orders/x", 422)],
)  # fmt: skip
def test_errors_are_problems(clerk: TestClient, method: str, path: str, status: int) -> None:
    answer = clerk.request(method, f"{API}{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_a_database_that_is_away_is_said_to_be(
    shop: House, operator: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlalchemy as sa

    from ecom_assets.orders.store import listing

    def lost(*_: Any) -> Any:
        raise sa.exc.OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(listing, "list_orders", lost)
    answer = operator.get(f"{API}/orders")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "gone" not in answer.text


def test_the_document_names_every_error_of_every_operation(clerk: TestClient) -> None:
    document = clerk.get(f"{API}/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            named = f"{method} {path}"
            assert operation["summary"], named
            assert operation["description"], named
            assert operation["tags"], named
            assert {"401", "403", "422", "429", "500", "503"} <= set(operation["responses"]), named
            for status, answer in operation["responses"].items():
                assert "RateLimit" in answer["headers"], (named, status)
    assert "HTTPValidationError" not in json.dumps(document)


def test_the_reference_loads_nothing_from_elsewhere(clerk: TestClient) -> None:
    page = clerk.get(f"{API}/docs", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "//" not in page.text.replace("http://www.w3.org", "").split("<body>")[0]
    assert "unsafe" not in page.headers["content-security-policy"]
    for path in ("/api/v1/docs/assets/swagger-ui-bundle.js", "/api/v1/docs/assets/swagger-ui.css",
                 "/static/reference.js", "/static/reference.css"):  # fmt: skip
        assert path in page.text
        assert clerk.get(path).status_code == 200
