"""Business rules over the API: what they say, what they would do, and their way to force."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store import trials
from ecom_assets.orders.store import accept_pending
from ecom_assets.ruling import KINDS
from fixtures.api_shop import ask
from fixtures.entrance import House
from gateway.api.rule_models import CASE, SETTINGS

RULES = "/api/v1/rules"
EXAMPLE = {"name": "doubtful", "given": CASE, "expected": {"outcome": "review"}}
DRAFT = {"settings": SETTINGS, "examples": [EXAMPLE], "note": "fewer reviews"}

_REPLAY = sa.text("""
    INSERT INTO decisions.replays (from_at, to_at, rules, policies, state, run_id)
    VALUES ('2024-03-01', '2024-06-01', '{}', '{}', 'finished', 'r') RETURNING replay_id
""")


@pytest.fixture
def approver(shop: House) -> TestClient:
    """An approver who has logged in."""
    return shop.someone(Role.APPROVER)


def post(caller: TestClient, path: str, **given: Any) -> Any:
    return caller.post(f"{RULES}/{path}", json=given)


def backtested(shop: House, label: str, run: str = "r") -> None:
    from datetime import UTC, datetime

    with shop.database.begin() as conn:
        replay = conn.execute(_REPLAY).scalar_one()
        trials.record_replay(conn, label, "backtest", replay, datetime.now(UTC), run)


def proposed(shop: House, operator: TestClient) -> str:
    """A version that waits for an approval; returns its path."""
    made = post(operator, "risk", **DRAFT)
    assert made.status_code == 201, made.text
    path = made.headers["location"].removeprefix("/api/v1/rules/")
    assert post(operator, f"{path}/test").json()["failed"] == []
    backtested(shop, made.json()["label"])
    assert post(operator, f"{path}/propose").json()["state"] == "proposed"
    return str(path)


def test_kinds_say_what_is_in_force(clerk: TestClient) -> None:
    items = clerk.get(f"{RULES}/kinds").json()["items"]
    assert {item["kind"] for item in items} == set(KINDS)
    [risk] = [item for item in items if item["kind"] == "risk"]
    assert (risk["label"], risk["valid_from_at"], risk["begun_by"]) == ("risk/1", None, "platform")
    assert risk["settings"]["reject_from"] == 0.9
    [period] = clerk.get(f"{RULES}/kinds/risk/periods").json()["items"]
    assert (period["label"], period["valid_to_at"]) == ("risk/1", None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_takes_what_is_in_force(clerk: TestClient, kind: str) -> None:
    form = clerk.get(f"{RULES}/kinds/{kind}/form").json()
    jsonschema_rs.validate(form["settings"], form["in_force"])
    jsonschema_rs.meta.validate(form["case"])
    assert form["expected"]


def test_a_rule_goes_from_draft_to_force_and_back(
    shop: House, operator: TestClient, approver: TestClient
) -> None:
    path = proposed(shop, operator)
    assert path == "risk/2"
    refused = post(operator, f"{path}/approve")
    assert refused.status_code == 403
    assert post(operator, f"{path}/promote").json()["code"] == "refused"
    approved = post(approver, f"{path}/approve", comment="good")
    assert (approved.json()["state"], approved.json()["decided_by"]) == ("approved", "approver")
    assert post(operator, f"{path}/shadow").json()["state"] == "shadow"
    early = post(operator, f"{path}/promote", at="2020-01-01T00:00:00Z")
    assert (early.status_code, early.json()["errors"][0]["field"]) == (422, "at")
    assert post(operator, f"{path}/promote").json()["state"] == "in_force"
    labels = [row["label"] for row in operator.get(f"{RULES}?kind=risk").json()["items"]]
    assert labels == ["risk/2", "risk/1"]
    wrong = post(operator, "risk/roll-back", in_force="risk/1")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "changed_meanwhile")
    back = post(operator, "risk/roll-back", in_force="risk/2")
    assert (back.json()["label"], back.json()["state"]) == ("risk/1", "in_force")
    ends = operator.get(f"{RULES}/kinds/risk/periods").json()["items"]
    assert [(row["label"], row["ended_because"]) for row in ends] == [
        ("risk/1", None), ("risk/2", "rolled_back"), ("risk/1", "superseded"),
    ]  # fmt: skip
    by = "SELECT array_agg(DISTINCT actor) FROM backoffice.audit_entries WHERE subject LIKE :rule"
    assert set(ask(shop.database, by, rule="%business_rules/%")) >= {"operator", "approver"}


def test_a_moment_to_come(shop: House, operator: TestClient, approver: TestClient) -> None:
    path = proposed(shop, operator)
    post(approver, f"{path}/approve")
    later = "2099-01-01T00:00:00Z"
    assert post(operator, f"{path}/promote", at=later).status_code == 200
    [now] = [row for row in operator.get(f"{RULES}/kinds").json()["items"] if row["kind"] == "risk"]
    assert now["valid_from_at"] == later


def test_nobody_decides_about_what_they_drafted(shop: House, operator: TestClient) -> None:
    path = proposed(shop, operator)
    with shop.database.begin() as conn:
        conn.execute(sa.text("UPDATE backoffice.users SET roles = '{operator,approver}'"))
    alone = shop.log_in("operator")
    for verb in ("approve", "reject"):
        answer = post(alone, f"{path}/{verb}")
        assert (answer.status_code, answer.json()["code"]) == (403, "four_eyes")
    refusals = "SELECT count(*) FROM backoffice.audit_entries WHERE outcome = 'refused'"
    assert ask(shop.database, refusals) == 2


def test_a_rule_is_in_the_one_list_of_approvals(
    shop: House, operator: TestClient, approver: TestClient
) -> None:
    proposed(shop, operator)
    [item] = approver.get("/api/v1/approvals?kind=business_rule").json()["items"]
    assert (item["subject"], item["requested_by"]) == ("risk/2", "operator")
    detail = item["detail"]
    assert detail["settings"]["review_cost_eur"] == 8.0
    assert (detail["in_force"], detail["settings_in_force"]["review_cost_eur"]) == ("risk/1", 5.0)
    assert detail["backtest"]["orders"] == 0
    place = f"/api/v1/approvals/business_rule/{item['number']}"
    done = approver.post(f"{place}/approve", json={"note": "fine"})
    assert (done.status_code, done.json()["state"]) == (200, "approved"), done.text
    assert approver.get(place).status_code == 404
    shown = operator.get(f"{RULES}/risk/2").json()
    assert (shown["comment"], len(shown["trials"])) == ("fine", 2)


def test_a_drafter_does_not_decide_what_another_proposed(shop: House, operator: TestClient) -> None:
    post(operator, "risk", **DRAFT)
    post(operator, "risk/2/test")
    backtested(shop, "risk/2")
    shop.add("other", Role.OPERATOR)
    post(shop.log_in("other"), "risk/2/propose")
    with shop.database.begin() as conn:
        conn.execute(sa.text("UPDATE backoffice.users SET roles = '{operator,approver}'"))
    alone = shop.log_in("operator")
    [item] = alone.get("/api/v1/approvals?kind=business_rule").json()["items"]
    answer = alone.post(f"/api/v1/approvals/business_rule/{item['number']}/approve", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "four_eyes")


@pytest.mark.parametrize(
    ("settings", "field"),
    [({**SETTINGS, "reject_from": 2}, "settings.reject_from"), ({}, "settings.reject_from"),
     ({**SETTINGS, "other": 1}, "settings.other"), ({**SETTINGS, "review_from": "x"},
      "settings.review_from"), ({**SETTINGS, "review_cost_eur": 10**400}, "settings")],
)  # fmt: skip
def test_settings_that_make_no_policy_name_their_field(
    clerk: TestClient, settings: Any, field: str
) -> None:
    for path, given in (("risk", {}), ("risk/try", {"case": CASE})):
        answer = post(clerk, path, settings=settings, **given)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("examples", [[{"name": "x"}], [EXAMPLE, EXAMPLE],
                                      [{**EXAMPLE, "given": {}}]])  # fmt: skip
def test_examples_that_are_none(clerk: TestClient, examples: Any) -> None:
    answer = post(clerk, "risk", **{**DRAFT, "examples": examples})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("examples")


def test_tests_that_fail_are_told(operator: TestClient) -> None:
    wrong = {**EXAMPLE, "expected": {"outcome": "accepted"}}
    post(operator, "risk", **{**DRAFT, "examples": [wrong]})
    found = post(operator, "risk/2/test").json()
    assert found["failed"] == ["doubtful: outcome is 'review', expected 'accepted'"]
    assert found["rule"]["state"] == "draft"
    assert post(operator, "risk/2/propose").status_code == 409
    assert post(operator, "risk/2/withdraw").json()["state"] == "withdrawn"


def test_a_made_up_case_is_tried_without_a_draft(still_shop: House, clerk: TestClient) -> None:
    given = {**CASE, "total_minor": 7000}
    [tried] = post(clerk, "risk/try", settings=SETTINGS, case=given).json()["items"]
    assert (tried["decided"]["outcome"], tried["would_be"]["outcome"]) == ("review", "accepted")
    assert tried["is_changed"]
    again = post(clerk, "risk/try", version=1, case=CASE).json()["items"]
    assert not again[0]["is_changed"]
    assert ask(still_shop.database, "SELECT count(*) FROM backoffice.rule_trials") == 0


@pytest.mark.parametrize(
    "given",
    [{"settings": SETTINGS}, {"case": CASE}, {"settings": SETTINGS, "version": 1, "case": CASE},
     {"version": 99, "case": CASE}, {"settings": SETTINGS, "case": {"probability": "x"}},
     {"settings": SETTINGS, "case": {**CASE, "other": 1}},
     {"settings": SETTINGS, "case": {**CASE, "total_minor": 10**400}},
     {"settings": SETTINGS, "order_id": 12345}, {"settings": SETTINGS, "case": [1]}],
)  # fmt: skip
def test_what_cannot_be_tried_is_refused(clerk: TestClient, given: Any) -> None:
    answer = post(clerk, "risk/try", **given)
    assert answer.status_code in (404, 409, 422), answer.text


def test_kinds_and_versions_that_are_not_there(clerk: TestClient) -> None:
    for path in ("x/1", "risk/99", "kinds/x/form", "kinds/x/periods"):
        assert clerk.get(f"{RULES}/{path}").status_code == 404, path
    assert post(clerk, "x", **DRAFT).status_code == 404
    assert post(clerk, "risk/99/test").status_code == 404


def test_a_backtest_is_a_run(
    shop: House, operator: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted: list[str] = []
    instance = shop.workspace.instance

    def submit(run_id: str, _: Any) -> Any:
        submitted.append(run_id)
        return instance.get_run_by_id(run_id)

    monkeypatch.setattr(instance, "submit_run", submit)
    post(operator, "risk", **DRAFT)
    begun = post(operator, "risk/2/backtest", days=30)
    assert begun.status_code == 202, begun.text
    [run_id] = submitted
    run = instance.get_run_by_id(run_id)
    assert run is not None
    ops: Any = run.run_config["ops"]
    assert ops["backoffice__rule_trials"]["config"]["days"] == 30
    assert run.tags["ecom/started_by"] == "operator"
    shown = operator.get(begun.headers["location"]).json()
    assert (shown["status"], shown["trial"]) == ("NOT_STARTED", None)
    backtested(shop, "risk/2", run_id)
    assert operator.get(begun.headers["location"]).json()["trial"]["stage"] == "backtest"
    nothing = f"{RULES}/risk/2/backtests/00000000-0000-4000-8000-000000000000"
    assert operator.get(nothing).status_code == 404
    assert post(operator, "reservation/1/backtest").json()["code"] == "not_replayable"


def test_an_order_is_decided_by_settings_that_are_no_draft(
    shop: House, operator: TestClient
) -> None:
    from fixtures.order_documents import build_document

    message = {"channel": "web", "external_id": "1", "payload": build_document(),
               "received_at": "2024-05-01T13:00:00Z"}  # fmt: skip
    operator.post("/api/v1/orders", json=message)
    accept_pending(shop.database.begin, "test")
    order = operator.get("/api/v1/orders").json()["items"][0]["order_id"]
    before = ask(shop.database, "SELECT count(*) FROM decisions.ledger")
    payment = {"per_tender_minor": 100, "least_minor": 100}
    answer = post(operator, "payment_match/try", settings=payment, order_id=order)
    assert answer.status_code in (200, 409), answer.text
    assert ask(shop.database, "SELECT count(*) FROM decisions.ledger") == before
