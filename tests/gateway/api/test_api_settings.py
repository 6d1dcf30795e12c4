"""Settings over the API: found, set within bounds, taken back, and by whom."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema_rs
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ecom.settings import ROOT
from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store import vat_checks
from ecom_assets.shared.shop_settings import SETTINGS
from fixtures.api_shop import ask
from fixtures.entrance import House
from gateway.environment import VARIABLES

PLACE = "/api/v1/settings"
DAYS = "backoffice.vat_answer_days"

_NAMED = re.compile(r"\bECOM_[A-Z_]+[A-Z]\b")
_ANSWERED = sa.text("""
    INSERT INTO backoffice.vat_checks (vat_id, state, asked_as_of, answered_at, run_id)
    VALUES ('FR1', 'valid', :at, :at, 'r')
""")


def put(caller: TestClient, name: str, value: Any, tag: str = "*") -> Any:
    return caller.put(f"{PLACE}/{name}", json={"value": value}, headers={"If-Match": tag})


def test_settings_are_listed_with_what_holds(clerk: TestClient) -> None:
    items = clerk.get(PLACE).json()["items"]
    assert [item["name"] for item in items] == sorted(SETTINGS)
    for item in items:
        jsonschema_rs.meta.validate(item["form"])
        assert (item["value"], item["is_set"]) == (item["default"], False)
        if item["default"]:
            jsonschema_rs.validate(item["form"], item["default"])
    assert len(clerk.get(f"{PLACE}?area=documents").json()["items"]) == 4


def test_a_setting_is_set_and_taken_back(shop: House, operator: TestClient) -> None:
    tag = operator.get(f"{PLACE}/{DAYS}").headers["etag"]
    assert operator.put(f"{PLACE}/{DAYS}", json={"value": 5}).status_code == 428
    done = put(operator, DAYS, 5, tag)
    assert (done.json()["value"], done.json()["set_by"]) == (5, "operator"), done.text
    assert put(operator, DAYS, 6, tag).status_code == 412
    assert operator.get(f"{PLACE}/{DAYS}").headers["etag"] == done.headers["etag"]
    back = operator.delete(f"{PLACE}/{DAYS}", headers={"If-Match": done.headers["etag"]})
    assert (back.json()["value"], back.json()["is_set"]) == (30, False)
    entries = "SELECT array_agg(action ORDER BY audit_entry_id) FROM backoffice.audit_entries"
    assert ask(shop.database, f"{entries} WHERE subject LIKE '%settings/%'") == ["insert", "delete"]


@pytest.mark.parametrize(
    ("name", "value"),
    [(DAYS, 0), (DAYS, 1.5), (DAYS, "5"), (DAYS, True), (DAYS, 10**30), (DAYS, None),
     ("inventory.usual_service_level", 1), ("documents.seller_name", ""),
     ("documents.seller_name", "a\nb"), ("documents.seller_name", " a"),
     ("documents.seller_name", "x" * 121), ("documents.seller_name", "a\x00"),
     ("documents.seller_vat_id", "de1"), ("documents.seller_address", "a\nb\nc\nd\ne")],
)  # fmt: skip
def test_what_a_setting_cannot_have(clerk: TestClient, name: str, value: Any) -> None:
    answer = put(clerk, name, value)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].startswith("value")


def test_some_only_admins_set(shop: House, operator: TestClient) -> None:
    refused = put(operator, "backoffice.history_days", 3)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    admin = shop.someone(Role.ADMIN)
    assert put(admin, "backoffice.history_days", 3).json()["value"] == 3
    assert operator.get(f"{PLACE}/nothing.at_all").status_code == 404


def test_what_is_set_is_effective_at_once(shop: House, operator: TestClient) -> None:
    now = datetime.now(UTC)
    with shop.database.begin() as conn:
        conn.execute(_ANSWERED, {"at": now - timedelta(days=10)})
        assert vat_checks.state_of(conn, "FR1", now) == "valid"
    put(operator, DAYS, 5)
    with shop.database.begin() as conn:
        assert vat_checks.state_of(conn, "FR1", now) == "none"
    count = {"reference": "c", "site_code": "N", "sku": "SKU-1", "counted": 5,
             "counted_at": "2026-02-01T00:00:00Z"}  # fmt: skip
    counts = "/api/v1/inventory/counts"
    first = operator.post(counts, json={"rows": [count]}).json()["states"]
    put(operator, "inventory.count_tolerance_units", 10)
    second = operator.post(counts, json={"rows": [{**count, "reference": "d"}]}).json()["states"]
    assert (first, second) == ({"needs_approval": 1}, {"posted": 1})


def test_the_environment_is_told_without_values(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECOM_SMTP_PASSWORD", "the secret of the cellar")
    answer = shop.someone(Role.ADMIN).get(f"{PLACE}/environment")
    told = {row["name"]: row["is_set"] for row in answer.json()["items"]}
    assert told["ECOM_SMTP_PASSWORD"]
    assert set(told) == set(VARIABLES)
    assert "cellar" not in answer.text


def test_every_variable_is_told() -> None:
    folders = ("ecom", "ecom_assets", "gateway", "resources", "sensors")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    named = {name for file in files for name in _NAMED.findall(file.read_text())}
    assert len(named) > 20
    assert named <= set(VARIABLES)
