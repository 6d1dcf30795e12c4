"""UCI at its edges: summer time, fractions of a penny, absurd amounts, tangled cancellations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.orders.store.acceptance import accept_claimed
from ecom_assets.orders.store.claims import claim_pending
from importers.engine import ImportReport

Take = Callable[[str, Path], ImportReport]
Query = Callable[..., list[Any]]
Parked = Callable[[], list[Any]]
Fields = dict[str, str]


def _payload(query: Query) -> dict[str, Any]:
    [payload] = query("SELECT payload FROM orders.inbox")
    assert isinstance(payload, dict)
    return payload


@pytest.mark.parametrize(
    ("local", "moment"),
    [
        ("2010-12-31 23:59:00", "2010-12-31T23:59:00+00:00"),
        # Half past one was no time of day on 27 March 2011, and came twice on 31 October 2010.
        ("2011-03-27 01:30:00", "2011-03-27T01:30:00+00:00"),
        ("2011-03-27 02:30:00", "2011-03-27T01:30:00+00:00"),
        ("2010-10-31 01:30:00", "2010-10-31T01:30:00+00:00"),
    ],
)
def test_local_moments_at_the_edges_of_summer_time(
    shop: Any, take: Take, query: Query, local: str, moment: str
) -> None:
    take("uci", shop.uci({"InvoiceDate": local}))
    assert _payload(query)["placed_at"] == moment


def test_prices_are_whole_pennies_and_the_total_is_theirs(
    shop: Any, take: Take, query: Query
) -> None:
    take("uci", shop.uci(
        {"UnitPrice": "0.005", "Quantity": "3"}, {"StockCode": "2", "UnitPrice": "1.014"},
        {"StockCode": "DOT", "UnitPrice": "569.775", "Quantity": "1"},
    ))  # fmt: skip
    payload = _payload(query)
    assert [line["unit_price_minor"] for line in payload["lines"]] == [1, 101]
    assert payload["shipping_minor"] == 56_978
    assert payload["payments"][0]["amount_minor"] == 3 * 1 + 6 * 101 + 56_978


def test_an_amount_beyond_all_numbers_stops_nothing(
    shop: Any, take: Take, query: Query, undone: sa.Connection
) -> None:
    absurd = {"InvoiceNo": "500009", "Quantity": "99999999", "UnitPrice": "9999999999"}
    assert take("uci", shop.uci({}, absurd)).orders_received == 2
    claim_pending(undone, 10)
    counts = accept_claimed(undone, "test")
    assert (counts["accepted"], counts["parked"]) == (1, 1)
    assert query("SELECT subject FROM flow.quarantine WHERE source = 'orders.inbox'") == [
        "uci/500009"
    ]


def test_more_units_than_a_shop_can_have_are_parked_as_stock(
    shop: Any, take: Take, query: Query
) -> None:
    lines = [{"Quantity": "99999999", "InvoiceNo": f"50000{n}"} for n in range(3)]
    assert take("uci", shop.uci(*lines)).orders_received == 3
    assert query("SELECT DISTINCT reason FROM flow.quarantine") == ["quantity_out_of_range"]


@pytest.mark.parametrize(("kind", "is_order"), [("POST", True), ("DOT", True), ("C2", True),
                                                ("post", True), ("POSTER", False)])  # fmt: skip
def test_shipping_is_what_is_called_so(
    shop: Any, take: Take, query: Query, kind: str, is_order: bool
) -> None:
    take("uci", shop.uci({}, {"StockCode": kind, "Quantity": "1", "UnitPrice": "5"}))
    payload = _payload(query)
    assert payload["shipping_minor"] == (500 if is_order else 0)
    assert len(payload["lines"]) == (1 if is_order else 2)


@pytest.mark.parametrize(
    ("code", "reason"),
    [("D", "not_a_product"), ("S", "not_a_product"), ("B", "not_a_product"),
     ("CRUK", "not_a_product"), ("ADJUST2", "not_a_product"), ("TEST001", "not_a_product"),
     (" bank charges ", "not_a_product")],
)  # fmt: skip
def test_codes_of_the_books_are_no_products(
    shop: Any, take: Take, parked: Parked, code: str, reason: str
) -> None:
    take("uci", shop.uci({}, {"StockCode": code}))
    assert parked() == [(2, reason, f"StockCode: {code}")]


def test_a_short_code_of_a_real_product_is_one(shop: Any, take: Take, query: Query) -> None:
    take("uci", shop.uci({"StockCode": "PADS"}, {"StockCode": "MIRRORS"}, {"StockCode": "2"}))
    assert query("SELECT sku FROM catalog.products ORDER BY sku COLLATE \"C\"") == [
        "2", "MIRRORS", "PADS",
    ]  # fmt: skip


def _cancel(number: int, **changes: str) -> Fields:
    moment = {"InvoiceDate": "2010-12-05 10:00:00", "Quantity": "-6"}
    return {"InvoiceNo": f"C50001{number}", **moment, **changes}


def test_a_cancellation_in_the_minute_of_the_order_belongs_to_it(
    shop: Any, take: Take, query: Query
) -> None:
    take("uci", shop.uci({}, _cancel(0, InvoiceDate="2010-12-01 08:30:00")))
    assert query("SELECT external_id, kind FROM orders.observed_events") == [
        ("500001", "cancelled")
    ]


def test_a_cancellation_before_any_order_is_unmatched(
    shop: Any, take: Take, parked: Parked
) -> None:
    take("uci", shop.uci({}, _cancel(0, InvoiceDate="2010-12-01 08:29:00")))
    assert [reason for _, reason, _ in parked()] == ["cancellation_unmatched"]


def test_of_two_orders_of_one_moment_the_later_number_is_meant(
    shop: Any, take: Take, query: Query
) -> None:
    take("uci", shop.uci({}, {"InvoiceNo": "500002"}, _cancel(0)))
    assert query("SELECT external_id FROM orders.observed_events") == ["500002"]


def test_one_cancellation_may_concern_two_orders(shop: Any, take: Take, query: Query) -> None:
    take("uci", shop.uci(
        {}, {"InvoiceNo": "500002", "StockCode": "2"}, _cancel(0), _cancel(0, StockCode="2")
    ))  # fmt: skip
    assert query("SELECT external_id, kind, reference FROM orders.observed_events ORDER BY 1") == [
        ("500001", "cancelled", "C500010"), ("500002", "cancelled", "C500010"),
    ]  # fmt: skip


def test_shipping_does_not_keep_a_cancelled_order_alive(
    shop: Any, take: Take, query: Query
) -> None:
    take("uci", shop.uci({}, {"StockCode": "POST", "Quantity": "1"}, _cancel(0)))
    assert query("SELECT kind FROM orders.observed_events") == ["cancelled"]


def test_what_a_guest_bought_cannot_be_cancelled_by_a_customer(
    shop: Any, take: Take, parked: Parked
) -> None:
    take("uci", shop.uci({"CustomerID": ""}, _cancel(0)))
    assert [reason for _, reason, _ in parked()] == ["cancellation_unmatched"]


def test_a_description_is_the_most_usual_one_and_never_empty(
    shop: Any, take: Take, query: Query
) -> None:
    take("uci", shop.uci(
        {"Description": "wrong"}, {"Description": " RED CUP ", "Quantity": "1"},
        {"Description": "RED CUP", "Quantity": "2"}, {"Description": "", "Quantity": "3"},
        {"StockCode": "2", "Description": ""},
    ))  # fmt: skip
    assert query("SELECT sku, name FROM catalog.products ORDER BY sku") == [
        ("10001", "RED CUP"), ("2", "2"),
    ]  # fmt: skip


def test_every_product_lies_at_home_and_at_one_site_more(
    shop: Any, take: Take, query: Query
) -> None:
    take("uci", shop.uci(*({"StockCode": str(n), "Quantity": "100"} for n in range(40))))
    sites = query("SELECT sku, count(*), bool_or(site_code = 'GB-MID'), sum(quantity)"
                  " FROM inventory.movements GROUP BY sku")  # fmt: skip
    assert len(sites) == 40
    assert {(count, is_home) for _, count, is_home, _ in sites} == {(2, True)}
    assert {int(units) for *_, units in sites} <= {90, 91}
    assert query("SELECT count(DISTINCT site_code) FROM inventory.movements") == [3]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [("Quantity", "1.5", "bad_number"), ("Quantity", "", "field_missing"),
     ("UnitPrice", "£2", "bad_amount"), ("InvoiceDate", "2011-02-29 10:00:00", "bad_moment"),
     ("CustomerID", "9" * 601, "key_too_long"), ("Country", "", "field_missing")],
)  # fmt: skip
def test_a_malformed_field_takes_its_invoice_along(
    shop: Any, take: Take, parked: Parked, column: str, value: str, reason: str
) -> None:
    report = take("uci", shop.uci({}, {"StockCode": "2", column: value}))
    assert report.orders_received == 0
    [first, second] = parked()
    assert first == (1, "invoice_unusable", "InvoiceNo: another line of the invoice is malformed")
    assert second[:2] == (2, reason)
    assert second[2].startswith(f"{column}: ")
