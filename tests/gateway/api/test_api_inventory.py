"""Stock over the API."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from fixtures.entrance import House

STOCK = "/api/v1/inventory"


def adjustment(quantity: int = 10, **members: Any) -> dict[str, Any]:
    return {"sku": "SKU-1", "site_code": "N", "quantity": quantity, "reference": "found",
            "moved_at": "2026-01-01T00:00:00Z", **members}  # fmt: skip


def ahead(hours: int) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


@pytest.fixture
def stocked(operator: TestClient) -> TestClient:
    """An operator over ten units of SKU-1 at N."""
    assert operator.post(f"{STOCK}/adjustments", json=adjustment()).json()["outcome"] == "posted"
    return operator


def on_hand(caller: TestClient, site: str = "N") -> int:
    items = caller.get(f"{STOCK}/levels?sku=SKU-1&site_code={site}").json()["items"]
    return items[0]["on_hand"] if items else 0


def test_an_adjustment_happens_once(stocked: TestClient) -> None:
    again = stocked.post(f"{STOCK}/adjustments", json=adjustment())
    assert (again.status_code, again.json()["outcome"]) == (200, "repeated")
    other = stocked.post(f"{STOCK}/adjustments", json=adjustment(11))
    assert (other.status_code, other.json()["code"]) == (422, "changed_adjustment")
    assert on_hand(stocked) == 10


@pytest.mark.parametrize(
    ("members", "field", "code"),
    [
        ({"site_code": "X"}, "site_code", "unknown_site"),
        ({"sku": "X"}, "sku", "unknown_sku"),
        ({"quantity": -1, "reference": "lost"}, "quantity", "negative_balance"),
        ({"quantity": 0}, "quantity", "value_error"),
        ({"quantity": 10**9}, "quantity", "less_than_equal"),
        ({"quantity": "1"}, "quantity", "int_type"),
        ({"quantity": 1.0}, "quantity", "int_type"),
        ({"quantity": True}, "quantity", "int_type"),
        ({"sku": "a\x00"}, "sku", "not_storable"),
        ({"sku": "\ud800"}, "sku", "string_unicode"),
        ({"sku": "x" * 201}, "sku", "string_too_long"),
        ({"sku": " "}, "sku", "blank"),
        ({"moved_at": "2026-01-01"}, "moved_at", "moment"),
        ({"moved_at": 5}, "moved_at", "moment"),
        ({"kind": "sale"}, "kind", "extra_forbidden"),
    ],
)
def test_a_bad_adjustment_is_refused_with_its_field(
    clerk: TestClient, members: dict[str, Any], field: str, code: str
) -> None:
    body = json.dumps(adjustment(**members))
    kind = {"Content-Type": "application/json"}
    answer = clerk.post(f"{STOCK}/adjustments", content=body, headers=kind)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"] == [{**answer.json()["errors"][0], "field": field, "code": code}]


def test_many_adjustments_are_told_row_by_row(stocked: TestClient) -> None:
    rows = [adjustment(), adjustment(-3, reference="b"), adjustment(-8, reference="c"),
            adjustment(1, site_code="X"), adjustment(1, sku="X"),
            adjustment(1, reference="d"), adjustment(2, reference="d")]  # fmt: skip
    told = stocked.post(f"{STOCK}/adjustments/bulk", json={"rows": rows}).json()
    assert [row["outcome"] for row in told["rows"]] == [
        "repeated", "posted", "negative_balance", "unknown_site", "unknown_sku",
        "contradicting_rows", "contradicting_rows",
    ]  # fmt: skip
    assert (told["posted"], told["repeated"], told["refused"]) == (1, 1, 5)
    assert on_hand(stocked) == 7


def test_counts_beyond_the_tolerance_wait_for_somebody_else(stocked: TestClient) -> None:
    def count(reference: str, counted: int, sku: str = "SKU-1") -> dict[str, Any]:
        return {"reference": reference, "site_code": "N", "sku": sku, "counted": counted,
                "counted_at": "2026-02-01T00:00:00Z"}  # fmt: skip

    told = stocked.post(f"{STOCK}/counts", json={"rows": [count("a", 10), count("b", 500)]})
    assert told.json()["states"] == {"equal": 1, "needs_approval": 1}, told.text
    [waits] = stocked.get(f"{STOCK}/counts?state=needs_approval").json()["items"]
    assert (waits["reference"], waits["counted_by"], waits["difference"]) == ("b", "operator", 490)
    twice = stocked.post(f"{STOCK}/counts", json={"rows": [count("c", 1), count("c", 2)]})
    assert twice.json()["errors"][0]["field"] == "rows.1"
    strange = {**count("d", 1), "site_code": "X"}
    refused = stocked.post(f"{STOCK}/counts", json={"rows": [strange]})
    assert refused.json()["errors"][0]["field"] == "rows.0.site_code"


def test_stock_is_kept_and_given_back(stocked: TestClient) -> None:
    wish = {"holder": "basket", "expires_at": ahead(1), "items": [{"sku": "SKU-1", "units": 4}]}
    assert stocked.post(f"{STOCK}/holds", json=wish).json()["units"] == 4
    [held] = stocked.get(f"{STOCK}/holds?holder=basket").json()["items"]
    assert (held["sku"], held["units"]) == ("SKU-1", 4)
    [position] = stocked.get(f"{STOCK}/positions?sku=SKU-1").json()["items"]
    assert (position["on_hand"], position["reserved"]) == (10, 4)
    greedy = {**wish, "holder": "other", "items": [{"sku": "SKU-1", "units": 7}]}
    refused = stocked.post(f"{STOCK}/holds", json=greedy)
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (
        409,
        "6 units are free",
    )
    back = stocked.post(f"{STOCK}/holds/release", json={"holder": "basket"})
    assert back.json()["units"] == 4
    late = {**wish, "expires_at": "2001-01-01T00:00:00Z"}
    assert stocked.post(f"{STOCK}/holds", json=late).status_code == 422


def test_units_go_from_site_to_site(stocked: TestClient) -> None:
    way = {"reference": "t1", "sku": "SKU-1", "from_site": "N", "to_site": "S"}
    sent = {**way, "quantity": 4, "sent_at": "2026-01-02T00:00:00Z"}
    assert stocked.post(f"{STOCK}/transfers", json={"rows": [sent]}).json() == {
        "taken": 1, "known": 0, "parked": 0}  # fmt: skip
    assert stocked.post(f"{STOCK}/transfers", json={"rows": [sent]}).json()["known"] == 1
    assert len(stocked.get(f"{STOCK}/transfers?is_in_transit=true").json()["items"]) == 1
    came = {**way, "arrived": 3, "arrived_at": "2026-01-03T00:00:00Z"}
    assert stocked.post(f"{STOCK}/transfers/arrivals", json={"rows": [came]}).json()["taken"] == 1
    assert (on_hand(stocked), on_hand(stocked, "S")) == (6, 3)
    much = {**sent, "reference": "t2", "quantity": 40}
    assert stocked.post(f"{STOCK}/transfers", json={"rows": [much]}).json()["parked"] == 1


def test_what_is_to_come_is_promised_by_date(stocked: TestClient) -> None:
    due = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0).isoformat()
    row = {"reference": "po-1", "sku": "SKU-1", "site_code": "N", "due_at": due, "quantity": 5}
    assert stocked.post(f"{STOCK}/expected-receipts", json={"rows": [row]}).json()["changed"] == 1
    assert stocked.post(f"{STOCK}/expected-receipts", json={"rows": [row]}).json()["changed"] == 0
    [listed] = stocked.get(f"{STOCK}/expected-receipts?sku=SKU-1").json()["items"]
    assert (listed["quantity"], listed["received"]) == (5, 0)
    told = stocked.get(f"{STOCK}/availability?sku=SKU-1&sku=SKU-2&channel=web").json()
    first, second = told["items"]
    assert [step["units"] for step in first["steps"]] == [10, 15]
    assert first["listed"] == {"web": 10}
    assert second["steps"][0]["units"] == 0
    unknown = stocked.get(f"{STOCK}/availability?sku=SKU-9")
    assert unknown.json()["errors"][0]["code"] == "unknown_sku"
    assert stocked.get(f"{STOCK}/availability").status_code == 422


def test_levels_come_in_pages(shop: House, operator: TestClient) -> None:
    rows = [adjustment(sku=sku, site_code=site) for sku in ("SKU-1", "SKU-2") for site in "NS"]
    operator.post(f"{STOCK}/adjustments/bulk", json={"rows": rows})
    first = operator.get(f"{STOCK}/levels?limit=3").json()
    second = operator.get(f"{STOCK}/levels", params={"limit": 3, "cursor": first["next"]}).json()
    seen = [(row["sku"], row["site_code"]) for row in first["items"] + second["items"]]
    assert seen == [("SKU-1", "N"), ("SKU-1", "S"), ("SKU-2", "N"), ("SKU-2", "S")]
    assert second["next"] is None
