"""Olist: every oddity is parked with its reason or accepted with its anomaly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from importers.engine import ImportReport

Take = Callable[[str, Path], ImportReport]
Query = Callable[..., list[Any]]
Parked = Callable[[], list[Any]]
Fields = dict[str, str]


def _payload(query: Query) -> dict[str, Any]:
    [payload] = query("SELECT payload FROM orders.inbox")
    assert isinstance(payload, dict)
    return payload


def test_an_order_becomes_the_canonical_document(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist())
    assert _payload(query) == {
        "placed_at": "2017-05-02T13:00:00+00:00",
        "promised_at": "2017-05-21T02:59:59+00:00",
        "currency": "BRL",
        "customer": {"key": "person1"},
        "ship_to": {"city": "rio de janeiro", "region": "RJ", "postal_code": "20100",
                    "country": "BR", "latitude": -22.9, "longitude": -43.2},
        "lines": [{"line_no": 1, "sku": "p1", "quantity": 1, "unit_price_minor": 5000,
                   "seller": "s1"}],
        "shipping_minor": 1250,
        "payments": [{"sequence": 1, "method": "card", "amount_minor": 6250, "installments": 2,
                      "authorised_at": "2017-05-02T13:15:00+00:00"}],
    }  # fmt: skip
    assert query("SELECT channel, external_id, received_at::text FROM orders.inbox") == [
        ("olist", "o1", "2017-05-02 13:00:00+00")
    ]


def test_moments_follow_summer_time(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist(orders=[{"order_purchase_timestamp": "2017-12-02 10:00:00"}]))
    assert _payload(query)["placed_at"] == "2017-12-02T12:00:00+00:00"


def test_equal_items_are_one_line_and_freight_adds_up(shop: Any, take: Take, query: Query) -> None:
    items = [
        {"order_item_id": "1"},
        {"order_item_id": "2", "price": "45.00"},
        {"order_item_id": "3"},
        {"order_item_id": "4", "seller_id": "s2"},
    ]
    take("olist", shop.olist(items=items))
    payload = _payload(query)
    lines = [(li["line_no"], li["quantity"], li["unit_price_minor"]) for li in payload["lines"]]
    assert lines == [(1, 2, 5000), (2, 1, 4500), (3, 1, 5000)]
    assert payload["shipping_minor"] == 5000


@pytest.mark.parametrize(
    ("changes", "method", "anomaly"),
    [
        ({"payment_type": "boleto"}, "boleto", None),
        ({"payment_type": "voucher", "payment_value": "0.00"}, "voucher", "zero_amount"),
        ({"payment_type": "debit_card"}, "debit_card", None),
        ({"payment_type": "not_defined"}, "unknown", "method_not_defined"),
        ({"payment_type": "shells"}, "unknown", "method_not_known"),
        ({"payment_installments": "0"}, "card", "zero_instalments"),
    ],
)
def test_payment_methods_and_their_anomalies(
    shop: Any, take: Take, query: Query, changes: Fields, method: str, anomaly: str | None
) -> None:
    take("olist", shop.olist(payments=[changes]))
    [payment] = _payload(query)["payments"]
    assert (payment["method"], payment.get("anomaly")) == (method, anomaly)
    assert payment["installments"] >= 1


def test_a_payment_without_approval_is_pending(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist(orders=[{"order_approved_at": ""}]))
    assert "authorised_at" not in _payload(query)["payments"][0]


def test_a_person_under_two_customer_ids_is_one_customer(
    shop: Any, take: Take, query: Query
) -> None:
    take("olist", shop.olist(
        customers=[{}, {"customer_id": "c2", "customer_zip_code_prefix": "20200"}],
        orders=[{}, {"order_id": "o2", "customer_id": "c2"}],
        items=[{}, {"order_id": "o2"}],
    ))  # fmt: skip
    assert query("SELECT customer_key, country FROM customers.customers") == [("person1", "BR")]
    assert query("SELECT DISTINCT payload->'customer'->>'key' FROM orders.inbox") == ["person1"]


def test_places_are_medians_and_fall_back_to_the_state(
    shop: Any, take: Take, query: Query, parked: Parked
) -> None:
    prefix = {"geolocation_zip_code_prefix": "1001", "geolocation_state": "SP"}
    take("olist", shop.olist(
        places=[
            {**prefix, "geolocation_lat": "-23.5", "geolocation_lng": "-46.6"},
            {**prefix, "geolocation_lat": "-23.5", "geolocation_lng": "-46.6"},
            {**prefix, "geolocation_lat": "-23.7", "geolocation_lng": "-46.8"},
            {**prefix, "geolocation_lat": "45.1", "geolocation_lng": "9.3"},
            {**prefix, "geolocation_lat": "north"},
        ],
        customers=[{"customer_zip_code_prefix": "01002", "customer_state": "SP"}],
    ))  # fmt: skip
    ship_to = _payload(query)["ship_to"]
    # The repeated coordinate counts once, the ones abroad and of no number not at all.
    assert (ship_to["latitude"], ship_to["longitude"]) == pytest.approx((-23.6, -46.7))
    assert parked() == [
        (4, "coordinates_outside_country", "geolocation_lat, geolocation_lng: 45.1, 9.3"),
        (5, "bad_number", "geolocation_lat: north"),
    ]
    assert query(
        "SELECT rows_superseded FROM flow.import_accounts WHERE source LIKE '%geolocation%'"
    ) == [1]


def test_an_address_nobody_can_place_has_no_coordinates(
    shop: Any, take: Take, query: Query
) -> None:
    take("olist", shop.olist(customers=[{"customer_state": "AM"}], places=[{
        "geolocation_zip_code_prefix": "99999"}]))  # fmt: skip
    assert "latitude" not in _payload(query)["ship_to"]


def test_an_order_without_items_is_handed_on_for_the_inbox_to_park(
    shop: Any, take: Take, query: Query
) -> None:
    take("olist", shop.olist(items=[]))
    payload = _payload(query)
    assert (payload["lines"], payload["shipping_minor"]) == ([], 0)
    assert len(payload["payments"]) == 1


@pytest.mark.parametrize(
    ("tables", "reason", "detail"),
    [
        ({"items": [{"price": "1,50"}]}, "item_unusable",
         "order_items row 1: price: 1,50"),
        ({"payments": [{"payment_value": ""}]}, "payment_unusable",
         "order_payments row 1: payment_value: empty"),
        ({"customers": [{"customer_id": "c9"}]}, "customer_missing",
         "customer_id: c1 is no usable customer"),
        ({"orders": [{"order_purchase_timestamp": "2017-02-30 10:00:00"}]}, "bad_moment",
         "order_purchase_timestamp: 2017-02-30 10:00:00"),
        ({"orders": [{"order_status": ""}]}, "field_missing", "order_status: empty"),
    ],
)  # fmt: skip
def test_an_unusable_order_is_parked_whole(
    shop: Any, take: Take, query: Query, tables: dict[str, list[Fields]], reason: str, detail: str
) -> None:
    assert take("olist", shop.olist(**tables)).orders_received == 0
    assert query(
        "SELECT reason, detail FROM flow.quarantine WHERE source = 'olist_orders_dataset.csv'"
    ) == [(reason, detail)]
    followers = query(
        "SELECT source, detail FROM flow.quarantine WHERE reason = 'order_parked' ORDER BY source"
    )
    assert set(followers) <= {
        (f"olist_order_{table}_dataset.csv", "order_id: o1 was parked")
        for table in ("items", "payments", "reviews")
    }
    assert len(followers) == 3 - len({"items", "payments"} & set(tables))


def test_rows_of_an_order_the_source_lacks_are_parked(
    shop: Any, take: Take, parked: Parked
) -> None:
    other = [{}, {"order_id": "gone"}]
    take("olist", shop.olist(items=other, payments=other, reviews=other))
    assert parked() == [(2, "order_missing", "order_id: gone is no order of the source")] * 3


def test_the_last_row_of_a_key_counts(shop: Any, take: Take, query: Query) -> None:
    report = take("olist", shop.olist(
        orders=[{"order_status": "created"}, {}], items=[{"price": "9.99"}, {}]
    ))  # fmt: skip
    assert report.orders_received == 1
    assert _payload(query)["lines"][0]["unit_price_minor"] == 5000
    assert sum(account.rows_superseded for account in report.accounts) == 2


def _events(query: Query) -> dict[str, tuple[str | None, str | None]]:
    rows = query("SELECT kind, happened_at::text, anomaly FROM orders.observed_events")
    return {kind: (at, anomaly) for kind, at, anomaly in rows}


def test_outcomes_stand_beside_the_order(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist())
    assert _events(query) == {
        "source_status": (None, None),
        "handed_over": ("2017-05-03 12:00:00+00", None),
        "delivered": ("2017-05-08 21:30:00+00", None),
        "reviewed": ("2017-05-10 11:00:00+00", None),
    }
    assert query(
        "SELECT detail->>'status' FROM orders.observed_events WHERE detail ? 'status'"
    ) == ["delivered"]


@pytest.mark.parametrize(
    ("changes", "kind", "anomaly"),
    [
        ({"order_delivered_carrier_date": "2017-05-02 10:10:00"}, "handed_over",
         "handed_over_before_approval"),
        ({"order_delivered_carrier_date": "2017-05-01 10:10:00"}, "handed_over",
         "handed_over_before_purchase"),
        ({"order_approved_at": ""}, "handed_over", "handed_over_without_approval"),
        ({"order_delivered_customer_date": ""}, "delivered", "delivered_without_date"),
        ({"order_delivered_carrier_date": ""}, "delivered", "delivered_without_hand_over"),
        ({"order_delivered_customer_date": "2017-05-03 08:00:00"}, "delivered",
         "delivered_before_hand_over"),
        ({"order_status": "canceled"}, "cancelled", "cancelled_but_delivered"),
        ({"order_status": "canceled"}, "delivered", "cancelled_but_delivered"),
        ({"order_status": "canceled", "order_delivered_customer_date": ""}, "cancelled", None),
        ({"order_delivered_customer_date": "2017-06-01 08:00:00"}, "reviewed",
         "review_before_delivery"),
        ({"order_purchase_timestamp": "2017-06-01 08:00:00"}, "reviewed",
         "review_before_purchase"),
    ],
)  # fmt: skip
def test_odd_outcomes_carry_an_anomaly(
    shop: Any, take: Take, query: Query, changes: Fields, kind: str, anomaly: str | None
) -> None:
    take("olist", shop.olist(orders=[changes]))
    assert _events(query)[kind][1] == anomaly


@pytest.mark.parametrize("limit", ["2020-02-05 03:30:51", "2017-05-01 00:00:00"])
def test_an_absurd_shipping_limit_is_an_anomaly(
    shop: Any, take: Take, query: Query, limit: str
) -> None:
    take("olist", shop.olist(items=[{"shipping_limit_date": limit}]))
    assert _events(query)["source_status"][1] == "shipping_limit_absurd"


def test_an_order_may_have_several_reviews(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist(reviews=[{}, {"review_id": "r2", "review_score": "1"}]))
    assert query(
        "SELECT reference, (detail->>'score')::int FROM orders.observed_events"
        " WHERE kind = 'reviewed' ORDER BY reference"
    ) == [("r1", 4), ("r2", 1)]


def test_products_take_what_the_source_knows(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist(products=[
        {},
        {"product_id": "p2", "product_category_name": "", "product_weight_g": "0"},
        {"product_id": "p3", "product_category_name": "pc_gamer", "product_height_cm": ""},
    ]))  # fmt: skip
    assert query(
        "SELECT sku, name, category, weight_g, length_mm, height_mm, list_price_minor, supplier_key"
        " FROM catalog.products ORDER BY sku"
    ) == [
        ("p1", "beauty p1", "beauty", 700, 300, 100, 5000, "s1"),
        ("p2", "uncategorised p2", "uncategorised", None, 300, 100, None, None),
        ("p3", "pc gamer p3", "pc_gamer", 700, 300, None, None, None),
    ]


def test_supply_is_derived_even_from_one_order(shop: Any, take: Take, query: Query) -> None:
    take("olist", shop.olist(sellers=[{"seller_city": "04482255"}]))
    assert query("SELECT site_code, region, city, latitude FROM warehouse.sites") == [
        # No coordinates of São Paulo are known, so the hub stands in the middle of the country.
        ("BR-SP", "SP", None, -15.79)
    ]
    assert query("SELECT sku, site_code, kind, quantity, moved_at::text"
                 " FROM inventory.movements") == [
        ("p1", "BR-SP", "opening", 1, "2017-05-01 13:00:00+00")
    ]  # fmt: skip
    assert query("SELECT supplier_key, name FROM catalog.suppliers") == [("s1", "Seller s1 (SP)")]
    assert query("SELECT count(DISTINCT (service_code, zone_code)) FROM transport.rates") == [35]


def test_a_seller_without_a_hub_supplies_the_nearest_one(
    shop: Any, take: Take, query: Query
) -> None:
    hubs = {"SP": -23.5, "MG": -19.9, "PR": -25.4, "RJ": -22.9, "SC": -27.0, "RS": -30.0,
            "DF": -15.8, "BA": -13.0}  # fmt: skip
    places = [
        {"geolocation_zip_code_prefix": state, "geolocation_state": state,
         "geolocation_lat": str(latitude), "geolocation_lng": "-43.0"}
        for state, latitude in {**hubs, "CE": -3.7}.items()
    ]  # fmt: skip
    sellers = [
        {"seller_id": state, "seller_state": state, "seller_zip_code_prefix": ""}
        for state in [*hubs, "CE"]
    ]
    items = [{"order_item_id": str(n), "seller_id": state} for n, state in enumerate([*hubs] * 2)]
    items.append({"order_item_id": "99", "seller_id": "CE", "product_id": "p2"})
    products = [{}, {"product_id": "p2"}]
    take("olist", shop.olist(places=places, sellers=sellers, items=items, products=products))
    assert set(query("SELECT region FROM warehouse.sites")) == set(hubs)
    assert query("SELECT site_code FROM inventory.movements WHERE sku = 'p2'") == ["BR-BA"]
