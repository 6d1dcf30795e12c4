"""Olist at its edges: jumping clocks, halves of a centavo, ties, other scripts, absurd figures."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from importers.engine import ImportReport
from importers.marking import MOST_KEY_BYTES

Take = Callable[[str, Path], ImportReport]
Query = Callable[..., list[Any]]
Parked = Callable[[], list[Any]]
Fields = dict[str, str]

_RANDOM = random.Random(1)
ABSURD = "".join(_RANDOM.choice("0123456789abcdef") for _ in range(9_000))
"""A text that does not compress, so that no index can hold it."""


def _payload(query: Query) -> dict[str, Any]:
    [payload] = query("SELECT payload FROM orders.inbox")
    assert isinstance(payload, dict)
    return payload


@pytest.mark.parametrize(
    ("local", "moment"),
    [
        ("2017-12-31 23:59:59", "2018-01-01T01:59:59+00:00"),
        ("2016-02-29 12:00:00", "2016-02-29T15:00:00+00:00"),
        # Summer time begins at midnight: half past twelve never was and counts as winter time.
        ("2017-10-15 00:30:00", "2017-10-15T03:30:00+00:00"),
        # It ends at midnight: half past eleven was twice, and the later one, in winter, is meant.
        ("2018-02-17 23:30:00", "2018-02-18T02:30:00+00:00"),
        ("2018-02-17 22:30:00", "2018-02-18T00:30:00+00:00"),
    ],
)
def test_local_moments_at_the_edges_of_a_calendar(
    shop: Any, take: Take, query: Query, local: str, moment: str
) -> None:
    take("olist", shop.olist(orders=[{"order_purchase_timestamp": local}]))
    assert _payload(query)["placed_at"] == moment


@pytest.mark.parametrize(
    ("estimate", "promise"),
    [
        ("2017-10-14 00:00:00", "2017-10-15T02:59:59+00:00"),
        ("2017-10-15 00:00:00", "2017-10-16T01:59:59+00:00"),
        ("2016-02-29 00:00:00", "2016-03-01T02:59:59+00:00"),
        ("2017-12-31", "2018-01-01T01:59:59+00:00"),
        ("", None),
    ],
)
def test_a_promise_lasts_to_the_end_of_its_day(
    shop: Any, take: Take, query: Query, estimate: str, promise: str | None
) -> None:
    take("olist", shop.olist(orders=[{"order_estimated_delivery_date": estimate}]))
    assert _payload(query).get("promised_at") == promise


@pytest.mark.parametrize(
    ("price", "minor"),
    [("0", 0), ("0.004", 0), ("0.005", 1), ("10.005", 1001), ("10.0049", 1000), ("7", 700),
     ("9999999999.99", 999_999_999_999)],
)  # fmt: skip
def test_amounts_are_rounded_to_whole_centavos(
    shop: Any, take: Take, query: Query, price: str, minor: int
) -> None:
    take("olist", shop.olist(items=[{"price": price, "freight_value": price}],
                             payments=[{"payment_value": price}]))  # fmt: skip
    payload = _payload(query)
    assert payload["lines"][0]["unit_price_minor"] == minor
    assert payload["shipping_minor"] == minor
    assert payload["payments"][0]["amount_minor"] == minor


@pytest.mark.parametrize(
    ("table", "column"),
    [("orders", "order_id"), ("items", "product_id"), ("customers", "customer_unique_id"),
     ("products", "product_id"), ("sellers", "seller_id"), ("reviews", "review_id")],
)  # fmt: skip
def test_an_absurd_key_parks_its_row_and_stops_nothing(
    shop: Any, take: Take, query: Query, table: str, column: str
) -> None:
    good: Fields = {} if table != "items" else {"order_id": "o2"}
    report = take("olist", shop.olist(**{table: [good, {column: ABSURD}]}))
    found = query("SELECT detail FROM flow.quarantine WHERE reason = 'key_too_long'")
    assert found == [f"{column}: {ABSURD[:200]}"]
    assert sum(account.rows_read for account in report.accounts) == 10


@pytest.mark.parametrize(
    ("key", "is_parked"),
    [("k" * MOST_KEY_BYTES, False), ("k" * (MOST_KEY_BYTES + 1), True),
     ("中" * (MOST_KEY_BYTES // 3), False), ("中" * (MOST_KEY_BYTES // 3 + 1), True)],
)  # fmt: skip
def test_keys_are_measured_in_bytes(
    shop: Any, take: Take, query: Query, key: str, is_parked: bool
) -> None:
    take("olist", shop.olist(products=[{"product_id": key}]))
    assert query("SELECT count(*) FROM catalog.products") == [0 if is_parked else 1]


@pytest.mark.parametrize(
    ("changes", "weight", "length"),
    [
        ({"product_weight_g": "0.4"}, None, 300),
        ({"product_weight_g": "0.5"}, 1, 300),
        ({"product_weight_g": "9999999", "product_length_cm": "9999999"}, 9_999_999, 99_999_990),
        ({"product_weight_g": "", "product_length_cm": "0.04"}, None, None),
    ],
)
def test_measures_are_whole_and_positive_or_unknown(
    shop: Any, take: Take, query: Query, changes: Fields, weight: int | None, length: int | None
) -> None:
    take("olist", shop.olist(products=[changes]))
    assert query("SELECT weight_g, length_mm FROM catalog.products") == [(weight, length)]


@pytest.mark.parametrize("column", ["product_weight_g", "product_height_cm"])
def test_a_measure_no_product_has_is_parked(
    shop: Any, take: Take, parked: Parked, column: str
) -> None:
    take("olist", shop.olist(products=[{}, {"product_id": "p2", column: "9999999999"}]))
    assert parked() == [(2, "bad_number", f"{column}: 9999999999")]


def test_the_freight_of_a_monstrous_parcel_can_be_weighed(
    shop: Any, take: Take, query: Query
) -> None:
    sides = {f"product_{side}_cm": "9999999" for side in ("length", "width", "height")}
    near = {"geolocation_zip_code_prefix": "1001", "geolocation_state": "SP"}
    take("olist", shop.olist(products=[sides], places=[{}, near]))
    # It lies above every weight band, so the card is the plain one.
    assert query("SELECT price_minor FROM transport.rates WHERE zone_code = 'Z1' AND from_g = 500"
                 " AND service_code = 'olist_post_standard'") == [1200]  # fmt: skip


def test_of_two_sellers_with_equal_sales_the_first_by_name_supplies(
    shop: Any, take: Take, query: Query
) -> None:
    items = [{"order_item_id": "1", "seller_id": "s2"}, {"order_item_id": "2", "seller_id": "s1"}]
    take("olist", shop.olist(items=items, sellers=[{}, {"seller_id": "s2"}]))
    assert query("SELECT supplier_key FROM catalog.products") == ["s1"]


def test_a_seller_the_source_lacks_supplies_nothing_but_its_line_stays(
    shop: Any, take: Take, query: Query
) -> None:
    take("olist", shop.olist(sellers=[{"seller_id": "other"}]))
    assert query("SELECT supplier_key, list_price_minor FROM catalog.products") == [(None, 5000)]
    assert _payload(query)["lines"][0]["seller"] == "s1"
    assert query("SELECT count(*) FROM inventory.movements") == [0]


def test_the_first_price_is_that_of_the_earliest_order_however_files_are_sorted(
    shop: Any, take: Take, query: Query
) -> None:
    orders = [{"order_id": "late", "order_purchase_timestamp": "2018-01-01 00:00:00"},
              {"order_id": "early", "order_purchase_timestamp": "2017-01-01 00:00:00"}]  # fmt: skip
    items = [{"order_id": "late", "price": "9.00"}, {"order_id": "early", "price": "8.00"}]
    take("olist", shop.olist(orders=orders, items=items))
    assert query("SELECT list_price_minor FROM catalog.products") == [800]


def test_other_scripts_and_line_breaks_arrive_unchanged(
    shop: Any, take: Take, query: Query
) -> None:
    message = (
        'Ótimo!\n"Muito" bom, 非常好 \N{THUMBS UP SIGN} \N{RIGHT-TO-LEFT MARK}شكرا\t' + "x" * 5_000
    )
    city = "São João d'El-Rei"
    take("olist", shop.olist(
        reviews=[{"review_comment_message": message}], customers=[{"customer_city": city}]
    ))  # fmt: skip
    assert query(
        "SELECT detail->>'message' FROM orders.observed_events WHERE kind = 'reviewed'"
    ) == [message]
    assert _payload(query)["ship_to"]["city"] == city


def test_a_review_never_answered_happened_when_it_was_asked_for(
    shop: Any, take: Take, query: Query
) -> None:
    take("olist", shop.olist(reviews=[{"review_answer_timestamp": "", "review_score": ""}]))
    assert query("SELECT happened_at::text, detail ? 'score' FROM orders.observed_events"
                 " WHERE kind = 'reviewed'") == [("2017-05-09 03:00:00+00", False)]  # fmt: skip


def test_a_prefix_of_four_digits_is_the_one_with_a_zero_in_front(
    shop: Any, take: Take, query: Query
) -> None:
    place = {"geolocation_zip_code_prefix": "01001", "geolocation_lat": "-23.5",
             "geolocation_lng": "-46.6", "geolocation_state": "SP"}  # fmt: skip
    take("olist", shop.olist(places=[place], customers=[{"customer_zip_code_prefix": "1001"}]))
    ship_to = _payload(query)["ship_to"]
    assert (ship_to["postal_code"], ship_to["latitude"]) == ("01001", -23.5)


@pytest.mark.parametrize(
    ("latitude", "longitude", "is_kept"),
    [("-34", "-74", True), ("6", "-28", True), ("-34.0001", "-60", False), ("6.1", "-60", False),
     ("-10", "-74.1", False), ("-10", "-27.9", False)],
)  # fmt: skip
def test_the_box_around_the_country_includes_its_edges(
    shop: Any, take: Take, query: Query, latitude: str, longitude: str, is_kept: bool
) -> None:
    take("olist", shop.olist(
        places=[{"geolocation_lat": latitude, "geolocation_lng": longitude}]
    ))  # fmt: skip
    assert ("latitude" in _payload(query)["ship_to"]) is is_kept


def test_tables_without_rows_are_a_shop_without_orders(shop: Any, take: Take, query: Query) -> None:
    names = ("orders", "items", "payments", "reviews", "customers", "products", "sellers",
             "places", "categories")  # fmt: skip
    report = take("olist", shop.olist(**{name: [] for name in names}))
    assert report.orders_received == 0
    assert [account.rows_read for account in report.accounts] == [0] * 9
    # The tariff needs no data; sites and stock do.
    assert query("SELECT count(DISTINCT service_code) FROM transport.rates") == [7]
    assert query("SELECT count(*) FROM warehouse.sites") == [0]
    assert query("SELECT first_at, last_at FROM flow.imports") == [(None, None)]


@pytest.mark.parametrize(
    ("limit", "anomaly"),
    # 180 days of 24 hours after ten in the morning end at eleven on a clock in summer time.
    [("2017-10-29 11:00:00", None), ("2017-10-29 11:00:01", "shipping_limit_absurd"),
     ("2017-05-02 10:00:00", None), ("", None)],
)  # fmt: skip
def test_a_shipping_limit_within_half_a_year_is_believed(
    shop: Any, take: Take, query: Query, limit: str, anomaly: str | None
) -> None:
    take("olist", shop.olist(items=[{"shipping_limit_date": limit}]))
    assert query("SELECT anomaly FROM orders.observed_events WHERE kind = 'source_status'") == [
        anomaly
    ]
