"""Sites over the API: kept, archived, their working calendar and load."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ecom_assets.shared.flow import Stage
from fixtures.allocated_shop import NOON, Shop
from fixtures.api_shop import ask
from fixtures.entrance import House

API = "/api/v1/sites"
SITE = {
    "site_code": "BER-1", "name": "Berlin", "country": "DE", "region": None, "city": "Berlin",
    "postal_code": "10115", "latitude": 52.5, "longitude": 13.4, "daily_capacity": 4,
    "handling_minor": 120, "currency": "EUR", "time_zone": "Europe/Berlin",
}  # fmt: skip
WEEK = [{"weekday": day, "opens": "08:00", "cut_off": "16:30"} for day in range(1, 6)]


@pytest.fixture
def keeper(operator: TestClient) -> TestClient:
    """An operator of a shop with a site that has a capacity."""
    assert operator.post(API, json=SITE).status_code == 201
    return operator


def change(caller: TestClient, method: str, path: str, body: Any = None) -> Any:
    seen = caller.get(f"{API}/{path}").headers["etag"]
    return caller.request(method, f"{API}/{path}", json=body, headers={"If-Match": seen})


def test_a_site_is_kept(shop: House, keeper: TestClient) -> None:
    assert keeper.get(f"{API}/BER-1").json() == {**SITE, "archived_at": None}
    codes = [row["site_code"] for row in keeper.get(API).json()["items"]]
    assert codes == ["BER-1", "N", "S"]
    changed = change(keeper, "PATCH", "BER-1", {"daily_capacity": None, "city": "Mitte"}).json()
    assert (changed["daily_capacity"], changed["city"]) == (None, "Mitte")
    assert (changed["name"], changed["postal_code"]) == ("Berlin", "10115")
    taken = keeper.post(API, json=SITE)
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "site_code")
    assert keeper.patch(f"{API}/BER-1", json={"name": "x"}).status_code == 428
    assert keeper.get(f"{API}/none").status_code == 404
    actions = "SELECT count(*) FROM backoffice.audit_entries WHERE subject = :subject"
    assert ask(shop.database, actions, subject="warehouse.sites/BER-1") == 2


@pytest.mark.parametrize(
    ("member", "value"),
    [("time_zone", "Mars/Base"), ("country", "de"), ("latitude", 91), ("daily_capacity", 0),
     ("handling_minor", -1), ("currency", "XXX"), ("name", " "), ("archived_at", None),
     ("site_code", "a/b")],
)  # fmt: skip
def test_a_site_that_makes_no_sense_is_refused(clerk: TestClient, member: str, value: Any) -> None:
    answer = clerk.post(API, json={**SITE, member: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == member


def test_an_archived_site_stays_and_comes_back(keeper: TestClient) -> None:
    archived = keeper.post(f"{API}/BER-1/archive").json()["archived_at"]
    assert archived
    assert keeper.post(f"{API}/BER-1/archive").json()["archived_at"] == archived
    used = keeper.get(API, params={"is_archived": False}).json()["items"]
    assert [row["site_code"] for row in used] == ["N", "S"]
    assert keeper.post(f"{API}/BER-1/restore").json()["archived_at"] is None


def test_a_week_is_set_whole(keeper: TestClient) -> None:
    empty = keeper.get(f"{API}/BER-1/hours").json()
    assert empty == {"site_code": "BER-1", "time_zone": "Europe/Berlin", "days": []}
    put = change(keeper, "PUT", "BER-1/hours", {"days": WEEK})
    assert [day["cut_off"] for day in put.json()["days"]] == ["16:30:00"] * 5
    assert change(keeper, "PUT", "BER-1/hours", {"days": WEEK[:2]}).json()["days"][-1] == {
        "weekday": 2, "opens": "08:00:00", "cut_off": "16:30:00",
    }  # fmt: skip
    assert keeper.put(f"{API}/BER-1/hours", json={"days": []}).status_code == 428
    for days in (WEEK + WEEK[:1], [{**WEEK[0], "opens": "17:00"}], [{**WEEK[0], "weekday": 8}],
                 [{**WEEK[0], "cut_off": "24:00"}]):  # fmt: skip
        assert change(keeper, "PUT", "BER-1/hours", {"days": days}).status_code == 422
    assert change(keeper, "PUT", "BER-1/hours", {"days": []}).json()["days"] == []


def test_a_site_is_closed_on_days_and_opened_again(keeper: TestClient) -> None:
    path = f"{API}/BER-1/closures"
    for day in ("2026-12-26", "2026-12-25"):
        made = keeper.post(path, json={"closed_date": day, "reason": "Christmas"})
        assert made.status_code == 201, made.text
    assert keeper.post(path, json={"closed_date": day, "reason": "again"}).status_code == 409
    first = keeper.get(path, params={"limit": 1}).json()
    rest = keeper.get(path, params={"limit": 1, "cursor": first["next"]}).json()
    days = [row["closed_date"] for row in first["items"] + rest["items"]]
    assert days == ["2026-12-25", "2026-12-26"]
    assert keeper.delete(f"{path}/2026-12-25").status_code == 428
    assert change(keeper, "DELETE", "BER-1/closures/2026-12-25").status_code == 204
    assert keeper.get(f"{path}/2026-12-25").status_code == 404
    later = keeper.get(path, params={"from_date": "2026-12-27"}).json()
    assert later["items"] == []
    assert keeper.post(path, json={"closed_date": "2026-13-01", "reason": "x"}).status_code == 422


def test_a_departure_waits_for_work(keeper: TestClient) -> None:
    change(keeper, "PUT", "BER-1/hours", {"days": WEEK})
    keeper.post(f"{API}/BER-1/closures", json={"closed_date": "2026-12-25", "reason": "x"})
    asked = {"ready_at": "2026-12-24T16:00:00Z"}
    told = keeper.get(f"{API}/BER-1/departure", params=asked).json()
    # Thursday after the cut-off, Friday closed, then the weekend: Monday 8:00 in Berlin.
    assert told["leaves_at"] == "2026-12-28T07:00:00Z"
    assert told["is_calendar_enforced"] is False
    assert keeper.get(f"{API}/none/departure").status_code == 404


def test_the_load_is_told_per_day(shop: House, keeper: TestClient) -> None:
    with shop.database.begin() as conn:
        made = Shop(conn)
        orders = [made.add_order(), made.add_order()]
        for order in orders:
            made.allocate(order, "ball", quantity=2, site_code="BER-1",
                          available_at=NOON + timedelta(hours=11))  # fmt: skip
        made.wait_for(Stage.SHIP, *orders)
        conn.execute(sa.text("INSERT INTO transport.carriers VALUES ('c', 'c')"))
        conn.execute(sa.text("INSERT INTO transport.services VALUES ('s', 'c', 's', 9, 0, 1)"))
        gone = made.add_order(state="shipped")
        made.allocate(gone, "ball", site_code="BER-1")
        conn.execute(sa.text("""
            INSERT INTO transport.shipments (order_id, site_code, service_code, units, weight_g,
                is_weight_estimated, cost_minor, currency, shipped_at, eta_at, run_id)
            VALUES (:order, 'BER-1', 's', 3, 9, false, 1, 'EUR', :at, :at, 'r')
        """), {"order": gone, "at": NOON})  # fmt: skip
    keeper.post(f"{API}/BER-1/closures", json={"closed_date": "2018-03-02", "reason": "Moving"})
    change(keeper, "PUT", "BER-1/hours", {"days": WEEK})
    asked = {"from_date": "2018-03-01", "to_date": "2018-03-03"}
    told = keeper.get(f"{API}/BER-1/load", params=asked).json()
    first, second, third = told["days"]
    assert (first["shipped_parcels"], first["shipped_units"], first["load"]) == (1, 3, 0.25)
    # 23:00 UTC is the next day in Berlin.
    assert (second["promised_parcels"], second["promised_units"], second["load"]) == (2, 4, 0.5)
    assert (second["is_working_day"], second["closed_because"]) == (False, "Moving")
    assert (third["is_working_day"], third["load"]) == (False, 0)
    assert told["is_capacity_enforced"] is False
    assert len(keeper.get(f"{API}/BER-1/load").json()["days"]) == 15
    for bad in ({"from_date": "2018-03-04", "to_date": "2018-03-03"},
                {"from_date": "2010-01-01", "to_date": "2018-03-03"}):  # fmt: skip
        assert keeper.get(f"{API}/BER-1/load", params=bad).status_code == 422
