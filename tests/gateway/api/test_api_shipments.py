"""Rate shopping and shipments over the API: every candidate, every reason, and what-if."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from ecom_assets.shared.flow import Stage, claim
from ecom_assets.transport.store import choose_carriers, ship_parcels
from fixtures.allocated_shop import NOON, Shop, small_card
from fixtures.api_shop import ask
from fixtures.entrance import House

API = "/api/v1/transport"
PARCEL = {
    "weight_g": 2_100, "distance_km": 10, "goods_minor": 3_000, "currency": "EUR",
    "ready_at": "2018-03-01T12:00:00Z", "promised_at": "2018-03-03T12:00:00Z",
}  # fmt: skip
HOUSE_SITE = {"latitude": 50.0, "longitude": 8.0}


@pytest.fixture(scope="module")
def shipped(still_shop: House) -> House:
    """A shop with a rate card and three parcels that left, one of them late by its mean."""
    with still_shop.database.begin() as conn:
        shop = Shop(conn)
        shop.take(small_card())
        shop.add_sites("A", "B")
        shop.add_product("ball", weight_g=700, shipping_weight_g=700)
        orders = [
            shop.add_order(promised_at=NOON + timedelta(days=2), ship_to_latitude=50.0,
                           ship_to_longitude=8.5, ship_to_postal_code="60311"),
            shop.add_order(), shop.add_order(promised_at=NOON + timedelta(hours=1)),
        ]  # fmt: skip
        for order, site in zip(orders, ("A", "B", "A"), strict=True):
            shop.allocate(order, "ball", quantity=3, site_code=site)
        shop.wait_for(Stage.CARRIER, *orders)
        claim(conn, Stage.CARRIER)
        choose_carriers(conn, "run-1")
        claim(conn, Stage.SHIP)
        ship_parcels(conn, "run-1")
    return still_shop


@pytest.fixture(scope="module")
def viewer(shipped: House) -> TestClient:
    """Somebody who looks."""
    return shipped.someone(Role.VIEWER)


def shop_for(caller: TestClient, **members: Any) -> Any:
    body = {name: value for name, value in {**PARCEL, **members}.items() if value is not None}
    return caller.post(f"{API}/rate-shopping", json=body)


def test_every_service_is_a_candidate_with_its_reason(viewer: TestClient) -> None:
    told = shop_for(viewer).json()
    assert (told["service_code"], told["version"], told["notes"]) == ("fast", "carrier-1", [])
    fast, slow = told["candidates"]
    assert (fast["is_chosen"], fast["zone_code"], fast["carrier_name"]) == (True, "near", "Acme")
    assert fast["reason"] == "cheapest that keeps the promise, 98 % on time"
    assert fast["eta_at"] == "2018-03-02T12:00:00Z"
    assert slow["reason"] == "7.00 EUR cheaper than chosen, 0 % on time"
    assert slow["score"] == pytest.approx(500 + 1_000 + 0.01 * 3_000, rel=1e-3)
    assert 0 <= slow["on_time_probability"] < 0.01


def test_what_was_decided_is_what_shopping_says(viewer: TestClient) -> None:
    shipment = viewer.get(f"{API}/shipments").json()["items"][-1]
    kept = viewer.get(f"{API}/shipments/{shipment['shipment_id']}/selection").json()
    for offer in kept["candidates"]:
        assert offer.pop("rate_id")
    assert shop_for(viewer).json()["candidates"] == [
        {**offer, "score": pytest.approx(offer["score"])} for offer in kept["candidates"]
    ]


def test_other_settings_are_compared_and_nothing_is_written(
    shipped: House, viewer: TestClient
) -> None:
    other = shop_for(viewer, settings={"late_cost_minor": 0}).json()
    assert (other["service_code"], other["settings"]["late_cost_minor"]) == ("slow", 0)
    assert other["settings"]["default_unit_weight_g"] == 500
    bad = shop_for(viewer, settings={"damage_share": 2})
    assert bad.json()["errors"][0]["field"] == "settings.damage_share"
    assert ask(shipped.database, "SELECT count(*) FROM transport.shipments") == 3


def test_volume_weight_and_what_is_not_known(viewer: TestClient) -> None:
    sides = {"length_mm": 600, "width_mm": 400, "height_mm": 400}
    bulky = shop_for(viewer, dimensions=sides).json()["candidates"]
    by_code = {offer["service_code"]: offer["billable_weight_g"] for offer in bulky}
    assert by_code == {"fast": 19_200, "slow": 2_100}
    assert shop_for(viewer, volume_mm3=96_000_000).json()["candidates"] == bulky
    unsaid = shop_for(viewer, weight_g=None, distance_km=None).json()
    assert (unsaid["weight_g"], unsaid["distance_km"]) == (500, None)
    assert [note.partition(":")[0] for note in unsaid["notes"]] == ["distance", "weight"]
    assert unsaid["candidates"][0]["zone_code"] == "remote"
    heavy = shop_for(viewer, weight_g=90_000).json()
    assert heavy["service_code"] is None
    assert heavy["candidates"][0]["reason"] == "over max weight 30 kg"


def test_the_way_is_told_by_places(viewer: TestClient) -> None:
    there = {"latitude": 50.0, "longitude": 8.5}
    from_site = shop_for(viewer, distance_km=None, site_code="A", destination=there).json()
    assert from_site["distance_km"] == pytest.approx(35.7, abs=0.1)
    free = shop_for(viewer, distance_km=None, origin=HOUSE_SITE, destination=there).json()
    assert free["distance_km"] == from_site["distance_km"]
    code = {"postal_code": "60311", "country": "DE"}
    known = shop_for(viewer, distance_km=None, site_code="A", **code).json()
    assert known["distance_km"] == pytest.approx(from_site["distance_km"])
    assert "1 earlier orders" in known["notes"][0]
    unknown = shop_for(viewer, distance_km=None, site_code="A", **{**code, "postal_code": "1"})
    assert len(unknown.json()["notes"]) == 2


@pytest.mark.parametrize(
    "members",
    [
        {"site_code": "none", "distance_km": None}, {"weight_g": 0}, {"currency": "XXX"},
        {"site_code": "A", "origin": HOUSE_SITE}, {"postal_code": "1"}, {"more": 1},
        {"volume_mm3": 1, "dimensions": {"length_mm": 1, "width_mm": 1, "height_mm": 1}},
        {"ready_at": "yesterday"}, {"settings": {"version": "x"}},
    ],
)  # fmt: skip
def test_a_parcel_that_makes_no_sense_is_refused(
    viewer: TestClient, members: dict[str, Any]
) -> None:
    answer = shop_for(viewer, **members)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]


def test_shipments_are_listed_by_what_is_asked(viewer: TestClient) -> None:
    def asked(**query: Any) -> list[int]:
        answer = viewer.get(f"{API}/shipments", params=query)
        assert answer.status_code == 200, answer.text
        return [row["shipment_id"] for row in answer.json()["items"]]

    everything = asked()
    assert everything == sorted(everything, reverse=True)
    assert len(everything) == 3
    assert len(asked(service_code="fast")) == 1
    assert len(asked(carrier_code="acme", site_code="A")) == 2
    assert asked(carrier_code="other") == []
    assert len(asked(is_expected_late=True)) == 1
    assert len(asked(is_expected_late=False)) == 2
    assert len(asked(shipped_from=NOON.isoformat())) == 3
    assert asked(shipped_before=NOON.isoformat()) == []
    (row,) = viewer.get(f"{API}/shipments", params={"service_code": "fast"}).json()["items"]
    assert asked(order_id=row["order_id"]) == [row["shipment_id"]]
    page = viewer.get(f"{API}/shipments", params={"limit": 2}).json()
    rest = asked(limit=2, cursor=page["next"])
    assert [each["shipment_id"] for each in page["items"]] + rest == everything
    assert viewer.get(f"{API}/shipments/{row['shipment_id']}").json() == row


def test_a_selection_names_what_decided(viewer: TestClient) -> None:
    (row,) = viewer.get(f"{API}/shipments", params={"service_code": "fast"}).json()["items"]
    told = viewer.get(f"{API}/shipments/{row['shipment_id']}/selection").json()
    assert (told["outcome"], told["version"]) == ("fast", "carrier-1")
    assert told["settings"]["late_cost_minor"] == 1_000
    assert told["inputs"]["weight_g"] == 2_100
    assert told["promised_at"] == row["promised_at"]
    assert [offer["is_chosen"] for offer in told["candidates"]] == [True, False]
    assert viewer.get(f"{API}/shipments/999999/selection").status_code == 404


def test_a_shipment_is_chosen_for_again_under_other_settings(viewer: TestClient) -> None:
    (row,) = viewer.get(f"{API}/shipments", params={"service_code": "fast"}).json()["items"]
    path = f"{API}/shipments/{row['shipment_id']}/selection/what-if"
    same = viewer.post(path, json={"settings": {}}).json()
    assert (same["is_changed"], same["difference_minor"]) == (False, 0)
    other = viewer.post(path, json={"settings": {"late_cost_minor": 0}}).json()
    assert (other["service_code"], other["was_service_code"]) == ("slow", "fast")
    assert (other["is_changed"], other["difference_minor"]) == (True, -700)
    assert viewer.post(path, json={}).status_code == 422


def test_tracking_claims_only_what_is_known(viewer: TestClient) -> None:
    shipment = viewer.get(f"{API}/shipments").json()["items"][0]
    told = viewer.get(f"{API}/shipments/{shipment['shipment_id']}/tracking").json()
    assert (told["state"], told["is_carrier_heard"], told["is_overdue"]) == (
        "handed_over", False, True,
    )  # fmt: skip
    assert [(each["event"], each["is_expected"]) for each in told["events"]] == [
        ("handed_over", False), ("delivered", True),
    ]  # fmt: skip


def test_an_archived_service_is_offered_no_more_but_stays_in_what_if(shipped: House) -> None:
    operator = shipped.someone(Role.OPERATOR)
    (row,) = operator.get(f"{API}/shipments", params={"service_code": "fast"}).json()["items"]
    assert operator.post(f"{API}/services/fast/archive").status_code == 200
    offers = shop_for(operator).json()["candidates"]
    assert [offer["service_code"] for offer in offers] == ["slow"]
    kept = operator.get(f"{API}/shipments/{row['shipment_id']}/selection").json()
    assert len(kept["candidates"]) == 2
    path = f"{API}/shipments/{row['shipment_id']}/selection/what-if"
    assert operator.post(path, json={"settings": {}}).json()["is_changed"] is False
    assert operator.post(f"{API}/services/fast/restore").status_code == 200
