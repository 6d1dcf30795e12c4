"""UCI: invoices become orders, cancellations outcomes, and everything else a parked row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from importers.engine import ImportReport
from importers.uci import COUNTRIES

Take = Callable[[str, Path], ImportReport]
Query = Callable[..., list[Any]]
Parked = Callable[[], list[Any]]
Fields = dict[str, str]


def _payload(query: Query) -> dict[str, Any]:
    [payload] = query("SELECT payload FROM orders.inbox")
    assert isinstance(payload, dict)
    return payload


def test_an_invoice_becomes_the_canonical_document(shop: Any, take: Take, query: Query) -> None:
    take("uci", shop.uci(
        {}, {"StockCode": "10002b ", "Quantity": "1", "UnitPrice": "0.85"},
        {"StockCode": "POST", "Quantity": "2", "UnitPrice": "3.00"},
    ))  # fmt: skip
    assert _payload(query) == {
        "placed_at": "2010-12-01T08:30:00+00:00",
        "currency": "GBP",
        "customer": {"key": "uci:17000"},
        "ship_to": {"country": "GB", "latitude": 52.6, "longitude": -1.5},
        "lines": [{"line_no": 1, "sku": "10001", "quantity": 6, "unit_price_minor": 250},
                  {"line_no": 2, "sku": "10002B", "quantity": 1, "unit_price_minor": 85}],
        "shipping_minor": 600,
        "payments": [{"sequence": 1, "method": "invoice", "amount_minor": 2185,
                      "installments": 1, "authorised_at": "2010-12-01T08:30:00+00:00"}],
    }  # fmt: skip


def test_moments_follow_summer_time_and_the_first_line_places_the_order(
    shop: Any, take: Take, query: Query
) -> None:
    lines = [{"InvoiceDate": f"2011-07-01 09:{minute}:00"} for minute in ("11", "10")]
    take("uci", shop.uci(*lines))
    assert _payload(query)["placed_at"] == "2011-07-01T08:10:00+00:00"


def test_equal_products_and_prices_are_one_line(shop: Any, take: Take, query: Query) -> None:
    take("uci", shop.uci({}, {"Quantity": "4"}, {"UnitPrice": "2.10"}))
    lines = _payload(query)["lines"]
    assert [(line["quantity"], line["unit_price_minor"]) for line in lines] == [(10, 250), (6, 210)]


def test_an_exact_repeat_is_superseded(shop: Any, take: Take, query: Query) -> None:
    report = take("uci", shop.uci({}, {}, {"CustomerID": ""}, {"CustomerID": ""}))
    [account] = report.accounts
    assert (account.rows_accepted, account.rows_superseded) == (2, 2)


def test_an_invoice_without_a_customer_is_a_guest_order(
    shop: Any, take: Take, query: Query
) -> None:
    take("uci", shop.uci({"CustomerID": ""}))
    assert _payload(query)["customer"] == {"key": "guest:500001"}
    assert query("SELECT count(*) FROM customers.customers") == [0]


def test_a_customer_lives_where_the_last_order_went(shop: Any, take: Take, query: Query) -> None:
    take("uci", shop.uci(
        {"CustomerID": "17000.0"},
        {"InvoiceNo": "500002", "InvoiceDate": "2011-01-01 10:00:00", "Country": "EIRE"},
    ))  # fmt: skip
    assert query("SELECT customer_key, country FROM customers.customers") == [("uci:17000", "IE")]


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"InvoiceNo": "A500002", "StockCode": "B"}, "adjustment_invoice", "InvoiceNo: A500002"),
        ({"InvoiceNo": "X1"}, "unknown_kind_of_invoice", "InvoiceNo: X1"),
        ({"StockCode": "BANK CHARGES"}, "not_a_product", "StockCode: BANK CHARGES"),
        ({"StockCode": "AMAZONFEE"}, "not_a_product", "StockCode: AMAZONFEE"),
        ({"StockCode": "m"}, "not_a_product", "StockCode: m"),
        ({"Quantity": "-6"}, "quantity_not_positive", "Quantity: -6"),
        ({"Quantity": "0"}, "quantity_not_positive", "Quantity: 0"),
        ({"UnitPrice": "0"}, "price_not_positive", "UnitPrice: 0"),
        ({"UnitPrice": "-11062.06"}, "price_not_positive", "UnitPrice: -11062.06"),
        ({"UnitPrice": "0.001"}, "price_not_positive", "UnitPrice: 0.001"),
        ({"Country": "Unspecified"}, "country_not_known", "Country: Unspecified"),
        ({"InvoiceNo": "C500002", "StockCode": "POST", "Quantity": "-1"}, "not_a_product",
         "StockCode: POST"),
        ({"InvoiceNo": "C500002"}, "cancellation_not_negative", "Quantity: 6"),
        ({"InvoiceNo": "C500002", "Quantity": "-1", "CustomerID": ""},
         "cancellation_without_customer", "CustomerID: empty"),
        ({"InvoiceNo": "500002", "StockCode": "POST"}, "shipping_without_products",
         "StockCode: POST stands alone"),
        ({"InvoiceNo": "500002", "Quantity": "six"}, "bad_number", "Quantity: six"),
        ({"InvoiceNo": "500002", "InvoiceDate": "1/12/2010 8:26"}, "bad_moment",
         "InvoiceDate: 1/12/2010 8:26"),
        ({"InvoiceNo": "500002", "StockCode": ""}, "field_missing", "StockCode: empty"),
    ],
)  # fmt: skip
def test_lines_that_sell_nothing_are_parked(
    shop: Any, take: Take, query: Query, parked: Parked, changes: Fields, reason: str, detail: str
) -> None:
    report = take("uci", shop.uci({}, changes))
    assert parked() == [(2, reason, detail)]
    assert report.orders_received == 1
    assert _payload(query)["lines"][0]["quantity"] == 6


def test_an_invoice_with_a_malformed_line_is_parked_whole(
    shop: Any, take: Take, parked: Parked
) -> None:
    report = take("uci", shop.uci({}, {"Quantity": "1e3"}))
    assert report.orders_received == 0
    assert [reason for _, reason, _ in parked()] == ["invoice_unusable", "bad_number"]


def _cancel(**changes: str) -> dict[str, str]:
    moment = {"InvoiceNo": "C500009", "InvoiceDate": "2010-12-05 10:00:00", "Quantity": "-6"}
    return {**moment, **changes}


@pytest.mark.parametrize(
    ("cancellation", "kind"),
    [(_cancel(), "cancelled"), (_cancel(Quantity="-2"), "returned")],
)
def test_a_cancellation_is_an_outcome_of_its_order(
    shop: Any, take: Take, query: Query, cancellation: Fields, kind: str
) -> None:
    take("uci", shop.uci({}, cancellation))
    assert query("SELECT external_id, kind, reference, happened_at::text, anomaly"
                 " FROM orders.observed_events") == [
        ("500001", kind, "C500009", "2010-12-05 10:00:00+00", None)
    ]  # fmt: skip
    quantity = -int(cancellation["Quantity"])
    assert query("SELECT detail FROM orders.observed_events") == [
        {"lines": [{"sku": "10001", "quantity": quantity, "unit_price_minor": 250}]}
    ]


def test_a_part_of_an_order_with_more_products_is_returned(
    shop: Any, take: Take, query: Query
) -> None:
    take("uci", shop.uci({}, {"StockCode": "10002"}, _cancel()))
    assert query("SELECT kind FROM orders.observed_events") == ["returned"]


def test_the_latest_earlier_order_with_enough_is_meant(shop: Any, take: Take, query: Query) -> None:
    take("uci", shop.uci(
        {"InvoiceNo": "500001", "Quantity": "9"},
        {"InvoiceNo": "500002", "InvoiceDate": "2010-12-02 09:00:00", "Quantity": "8"},
        {"InvoiceNo": "500003", "InvoiceDate": "2010-12-03 09:00:00", "Quantity": "5"},
        {"InvoiceNo": "500004", "InvoiceDate": "2010-12-06 09:00:00", "Quantity": "9"},
        {"InvoiceNo": "500005", "InvoiceDate": "2010-12-04 09:00:00", "CustomerID": "1"},
        _cancel(),
    ))  # fmt: skip
    assert query("SELECT external_id FROM orders.observed_events") == ["500002"]


def test_more_returned_than_ordered_is_an_anomaly(shop: Any, take: Take, query: Query) -> None:
    take("uci", shop.uci({}, _cancel(Quantity="-4"), _cancel(InvoiceNo="C500010")))
    assert query("SELECT DISTINCT anomaly FROM orders.observed_events") == [
        "returned_more_than_ordered"
    ]


def test_a_cancellation_of_nothing_known_is_parked(shop: Any, take: Take, parked: Parked) -> None:
    take("uci", shop.uci({}, _cancel(Quantity="-7")))
    assert parked() == [(2, "cancellation_unmatched",
        "StockCode: no earlier order of the customer has as much of 10001")]  # fmt: skip


def test_products_and_supply_are_derived(shop: Any, take: Take, query: Query) -> None:
    take("uci", shop.uci(
        {"Quantity": "100"}, {"Quantity": "100", "Description": "red mug", "UnitPrice": "2.00"},
        {"Quantity": "1", "InvoiceNo": "500002", "Description": "RED CUP"},
    ))  # fmt: skip
    assert query("SELECT sku, name, category, weight_g, list_price_minor, currency"
                 " FROM catalog.products") == [
        ("10001", "RED CUP", "uncategorised", None, 250, "GBP")
    ]  # fmt: skip
    assert query("SELECT count(*) FROM warehouse.sites WHERE country = 'GB'") == [3]
    [(units, sites)] = query("SELECT sum(quantity), count(*) FROM inventory.movements")
    assert units in (180, 181)
    assert sites == 2
    assert query("SELECT DISTINCT currency FROM transport.rates") == ["GBP"]


def test_countries_have_a_code_and_a_place() -> None:
    for code, latitude, longitude in COUNTRIES.values():
        assert len(code) == 2
        assert code.isupper()
        assert -60 < latitude < 75
        assert -180 < longitude < 180


def test_parquet_is_taken_as_published(tmp_path: Path, take: Take, query: Query) -> None:
    columns = {
        "InvoiceNo": ["500001", "C500002"], "StockCode": ["10001", "10001"],
        "Description": ["RED CUP", None], "Quantity": pa.array([3, -3]),
        "InvoiceDate": pa.array([1_291_190_760_000_000, 1_291_290_760_000_000],
                                pa.timestamp("us")),
        "UnitPrice": [2.55, 2.55], "CustomerID": [17000.0, 17000.0],
        "Country": ["France", "France"],
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "online_retail.parquet")
    assert take("uci", tmp_path).orders_received == 1
    assert _payload(query)["customer"] == {"key": "uci:17000"}
    assert query("SELECT kind FROM orders.observed_events") == ["cancelled"]
