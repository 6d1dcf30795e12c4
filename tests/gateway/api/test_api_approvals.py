"""What waits for a person, over the API: seen by its area, decided by somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from fixtures.api_shop import ask
from fixtures.catalogue import planned, product
from fixtures.entrance import House

WAITING = "/api/v1/approvals"

_PRICE_PLAN = sa.text("""
    WITH list AS (
        INSERT INTO pricing.price_lists (channel, currency, customer_group, tax_bps,
            offer_max_age_hours, approve_above_bps, most_moved_bps, is_automatic)
        VALUES ('web', 'EUR', 'all', 0, 1, 0, 0, false) RETURNING price_list_id
    )
    INSERT INTO pricing.price_plans (price_list_id, kind, state, planned_as_of, effective_at,
        requested_by, rules, inputs, lines, moved, held, is_approval_needed, run_id)
    SELECT price_list_id, 'reprice', 'awaiting', '2026-01-01T00:00Z', '2026-01-02T00:00Z', :by,
        '[]', '{}', 1, 1, 0, true, 'run' FROM list
    RETURNING plan_id
""")
_PROPOSAL = sa.text("""
    WITH made AS (
        INSERT INTO inventory.purchase_proposals (supplier_key, site_code, currency,
            proposed_as_of, state, reasons, total_minor, minimum_minor, lead_days, version, run_id)
        VALUES ('acme', 'N', 'EUR', '2026-01-02T00:00Z', 'proposed', '{}', 500, 0, 7, 'v', 'run')
        RETURNING proposal_id
    )
    INSERT INTO inventory.purchase_proposal_lines (proposal_id, sku, available_units,
        on_order_units, reorder_point, order_up_to, protected_units, safety_units, service_level,
        needed_units, pack_units, minimum_units, quantity, unit_cost_minor, line_total_minor,
        segment, method, explanation)
    SELECT proposal_id, 'SKU-1', 0, 0, 5, 5, 5, 0, 0.9, 5, 1, 1, 5, 100, 500, 's', 'm', 'why'
    FROM made RETURNING proposal_id
""")


@pytest.fixture
def approver(shop: House) -> TestClient:
    """An approver who has logged in."""
    return shop.someone(Role.APPROVER)


def price_plan(shop: House, by: str = "ann") -> int:
    with shop.database.begin() as conn:
        return int(conn.execute(_PRICE_PLAN, {"by": by}).scalar_one())


def proposal(shop: House) -> int:
    with shop.database.begin() as conn:
        return int(conn.execute(_PROPOSAL).scalar_one())


def count(caller: TestClient, counted: int = 500) -> None:
    row = {"reference": "c", "site_code": "N", "sku": "SKU-1", "counted": counted,
           "counted_at": "2026-02-01T00:00:00Z"}  # fmt: skip
    answer = caller.post("/api/v1/inventory/counts", json={"rows": [row]})
    assert answer.json()["states"] == {"needs_approval": 1}, answer.text


def say(caller: TestClient, kind: str, number: int, verb: str = "approve", **given: Any) -> Any:
    return caller.post(f"{WAITING}/{kind}/{number}/{verb}", json=given)


def test_everything_that_waits_is_one_list(
    shop: House, operator: TestClient, approver: TestClient, tmp_path: Path
) -> None:
    price_plan(shop)
    proposal(shop)
    count(operator)
    with shop.database.begin() as conn:
        planned(conn, tmp_path, product("new"))
    listed = approver.get(WAITING).json()["items"]
    assert {item["kind"] for item in listed} == {
        "price_plan", "purchase_proposal", "stock_count", "catalogue_plan",
    }  # fmt: skip
    for item in listed:
        shown = approver.get(f"{WAITING}/{item['kind']}/{item['number']}")
        assert shown.json() == item
    pages, cursor = [], None
    while True:
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = approver.get(WAITING, params=query).json()
        pages += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert pages == listed
    only = approver.get(f"{WAITING}?kind=stock_count").json()["items"]
    assert [item["requested_by"] for item in only] == ["operator"]


def test_a_price_plan_is_approved_by_somebody_else(shop: House, approver: TestClient) -> None:
    own, others = price_plan(shop, by="approver"), None
    refused = say(approver, "price_plan", own)
    assert (refused.status_code, refused.json()["code"]) == (403, "four_eyes")
    asked = "SELECT count(*) FROM backoffice.audit_entries WHERE outcome = 'refused'"
    assert ask(shop.database, asked) == 1
    with shop.database.begin() as conn:
        conn.exec_driver_sql("UPDATE pricing.price_plans SET requested_by = 'ann'")
    others = say(approver, "price_plan", own, note="fine")
    assert others.json() == {"kind": "price_plan", "number": own, "decision": "approved",
                             "state": "ready"}  # fmt: skip
    again = say(approver, "price_plan", own)
    assert again.status_code == 404
    told = "SELECT after ->> 'note' FROM backoffice.audit_entries WHERE action = 'approved'"
    assert ask(shop.database, told) == "fine"


@pytest.mark.parametrize(("verb", "state"), [("approve", "accepted"), ("reject", "rejected")])
def test_a_proposal_is_decided(shop: House, approver: TestClient, verb: str, state: str) -> None:
    number = proposal(shop)
    assert (
        say(approver, "purchase_proposal", number, verb, note="as agreed").json()["state"] == state
    )
    kept = (
        "SELECT concat(state, ' ', decided_by, ' ', decision_note)"
        " FROM inventory.purchase_proposals"
    )
    assert ask(shop.database, kept) == f"{state} approver as agreed"


def test_a_rejection_says_why(shop: House, approver: TestClient) -> None:
    answer = say(approver, "purchase_proposal", proposal(shop), "reject")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "note")


@pytest.mark.parametrize(("verb", "state", "left"), [("approve", "posted", 500),
                                                     ("reject", "rejected", None)])  # fmt: skip
def test_a_count_is_decided_by_who_did_not_count(
    shop: House, approver: TestClient, verb: str, state: str, left: int | None
) -> None:
    both = shop.someone(Role.OPERATOR, Role.APPROVER)
    count(both)
    number = ask(shop.database, "SELECT count_id FROM inventory.counts")
    assert say(both, "stock_count", number, verb, note="x").json()["code"] == "four_eyes"
    assert say(approver, "stock_count", number, verb, note="x").json()["state"] == state
    assert ask(shop.database, "SELECT on_hand FROM inventory.balances") == left


@pytest.mark.parametrize(("verb", "state"), [("approve", "applied"), ("reject", "rejected")])
def test_a_plan_of_products_is_decided(
    shop: House, approver: TestClient, tmp_path: Path, verb: str, state: str
) -> None:
    with shop.database.begin() as conn:
        number = planned(conn, tmp_path, product("new")).plan_id
    assert say(approver, "catalogue_plan", number, verb, note="x").json()["state"] == state
    is_there = "SELECT count(*) FROM catalog.products WHERE sku = 'new'"
    assert ask(shop.database, is_there) == (1 if verb == "approve" else 0)
    kept = "SELECT concat(state, ' ', decided_by, ' ', decision_note) FROM catalog.import_plans"
    assert ask(shop.database, kept) == f"{state} approver x"
    assert say(approver, "catalogue_plan", number, verb, note="x").status_code == 404


def test_a_key_sees_and_decides_what_its_areas_are_asked(shop: House) -> None:
    plan, other = price_plan(shop), proposal(shop)
    user_id = shop.add("machine", Role.APPROVER)
    machine = shop.with_key(user_id, "pricing:read", "pricing:approve")
    assert [item["number"] for item in machine.get(WAITING).json()["items"]] == [plan]
    assert machine.get(f"{WAITING}?kind=stock_count").status_code == 403
    assert say(machine, "purchase_proposal", other).status_code == 403
    assert say(machine, "price_plan", plan).status_code == 200


def test_a_decision_is_made_once(shop: House, approver: TestClient) -> None:
    path = f"{WAITING}/purchase_proposal/{proposal(shop)}/approve"
    headers = {"Idempotency-Key": "once"}
    first, second = (approver.post(path, json={}, headers=headers) for _ in range(2))
    assert (first.status_code, second.content) == (200, first.content)
    assert ask(shop.database, "SELECT count(*) FROM inventory.expected_receipts") == 1
