"""Documents at their edges: parts of orders, years, currencies, crashes, changed bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from ecom_assets.documents.model import Invoice, PackingSlip
from ecom_assets.documents.store import (
    DocumentDamaged,
    UnknownInvoice,
    issue_invoices,
    print_packing_slips,
    reports,
    reprint,
)
from ecom_assets.documents.tables import INVOICES, PACKING_SLIPS, SERIES
from ecom_assets.orders.tables import ORDER_LINES
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from ecom_assets.shared.journal import TIMELINE
from ecom_assets.shared.metadata import money, preview
from ecom_assets.transport.store import choose_carriers, ship_parcels
from fixtures.allocated_shop import NOON, Shop, small_card
from resources.database import DatabaseResource


def plain(documents: Sequence[Invoice | PackingSlip]) -> list[bytes]:
    """A printer that is quick."""
    return [repr(document).encode() for document in documents]


@pytest.fixture
def shop(conn: sa.Connection) -> Shop:
    """A shop with a rate card and two sites."""
    shop = Shop(conn)
    shop.take(small_card())
    shop.add_sites("A", "B")
    return shop


def ship(shop: Shop, *orders: int) -> None:
    """Choose services for the parcels of the orders and hand them over."""
    shop.wait_for(Stage.CARRIER, *orders)
    claim(shop.conn, Stage.CARRIER)
    choose_carriers(shop.conn, "run-1")
    claim(shop.conn, Stage.SHIP)
    ship_parcels(shop.conn, "run-1")


def issue(shop: Shop) -> list[sa.RowMapping]:
    """Invoice all that waits; every invoice by number."""
    while claim(shop.conn, Stage.INVOICE):
        issue_invoices(shop.conn, "run-1", plain)
    query = sa.select(INVOICES).order_by(INVOICES.c.series, INVOICES.c.number)
    return list(shop.conn.execute(query).mappings())


def pack(shop: Shop) -> list[sa.RowMapping]:
    """Print the slips of all that waits; every slip by parcel."""
    while claim(shop.conn, Stage.PACKING_SLIP):
        print_packing_slips(shop.conn, "run-1", plain)
    query = sa.select(PACKING_SLIPS).order_by(PACKING_SLIPS.c.shipment_id)
    return list(shop.conn.execute(query).mappings())


def test_two_parcels_are_one_invoice_and_two_slips(shop: Shop) -> None:
    order = shop.add_order(shipping_minor=300, total_minor=300)
    later = NOON + timedelta(days=2)
    shop.allocate(order, "ball", quantity=2, price=500)
    shop.allocate(order, "doll", price=700, site_code="B", available_at=later)
    ship(shop, order)
    (invoice,) = issue(shop)
    assert (invoice["goods_minor"], invoice["total_minor"]) == (1_700, 2_000)
    assert invoice["issued_at"] == later
    slips = pack(shop)
    assert [(slip["units"], slip["content"]["site"]) for slip in slips] == [(2, "A"), (1, "B")]
    assert [line["sku"] for line in slips[1]["content"]["lines"]] == ["doll"]


def test_a_line_from_two_sites_is_charged_once_and_packed_twice(shop: Shop) -> None:
    order = shop.add_order()
    shop.allocate(order, "ball", quantity=5, price=100)

    shop.conn.execute(
        sa.text("""
            UPDATE warehouse.allocations SET quantity = 3;
            INSERT INTO warehouse.allocations (order_id, order_line_id, sku, site_code, quantity,
                policy, available_at, allocated_as_of, run_id)
            SELECT order_id, order_line_id, sku, 'B', 2, policy, available_at, allocated_as_of,
                run_id FROM warehouse.allocations
        """)
    )
    ship(shop, order)
    (invoice,) = issue(shop)
    assert [one["quantity"] for one in invoice["content"]["lines"]] == [5]
    assert invoice["goods_minor"] == 500
    assert [slip["units"] for slip in pack(shop)] == [3, 2]


def test_units_on_backorder_are_not_charged(shop: Shop) -> None:
    order = shop.add_order(state="partly_allocated", shipping_minor=100, total_minor=100)
    shop.allocate(order, "ball", quantity=1, price=999)
    shop.conn.execute(sa.update(ORDER_LINES).values(quantity=4, line_total_minor=3_996))
    ship(shop, order)
    (invoice,) = issue(shop)
    assert (invoice["goods_minor"], invoice["shipping_minor"]) == (999, 100)


@pytest.mark.parametrize(
    ("left_at", "series"),
    [
        (datetime(2018, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), "INV-2018"),
        (datetime(2019, 1, 1, tzinfo=UTC), "INV-2019"),
        (datetime(2020, 2, 29, 12, tzinfo=UTC), "INV-2020"),
    ],
)
def test_the_year_of_the_series_is_that_of_the_hand_over_in_utc(
    shop: Shop, left_at: datetime, series: str
) -> None:
    order = shop.add_order(at=left_at - timedelta(days=1))
    shop.allocate(order, "ball", available_at=left_at)
    ship(shop, order)
    (invoice,) = issue(shop)
    assert (invoice["series"], invoice["number"]) == (series, 1)
    assert invoice["content"]["issued_at"] == left_at.isoformat()


def test_a_series_goes_on_where_it_stopped(shop: Shop) -> None:
    shop.conn.execute(sa.insert(SERIES).values(series="INV-2018", next_number=999_999))
    orders = [shop.add_order() for _ in range(3)]
    for order in orders:
        shop.allocate(order, "ball")
    ship(shop, *orders)
    printed = [invoice["content"]["number"] for invoice in issue(shop)]
    assert printed == ["INV-2018-999999", "INV-2018-1000000", "INV-2018-1000001"]


def test_orders_that_did_not_ship_get_no_document(shop: Shop) -> None:
    order = shop.add_order()
    shop.allocate(order, "ball")
    shop.wait_for(Stage.INVOICE, order)
    shop.wait_for(Stage.PACKING_SLIP, order)
    assert issue(shop) == pack(shop) == []
    assert waiting(shop.conn) == {}
    assert shop.conn.scalar(sa.select(sa.func.count()).select_from(SERIES)) == 0


def test_nothing_claimed_prints_nothing(shop: Shop) -> None:
    claim(shop.conn, Stage.INVOICE)
    assert issue_invoices(shop.conn, "run-1", plain) == {"invoices": 0, "bytes": 0}
    assert print_packing_slips(shop.conn, "run-1", plain) == {"slips": 0, "bytes": 0}


def test_names_in_any_script_are_kept_as_they_are(shop: Shop) -> None:
    name, street = "Анна 王 שלום", "улица " * 300
    shop.add_product("кукла", name="Кукла 人形 \u202egnp.exe", weight_g=1, shipping_weight_g=1)
    order = shop.add_order(ship_to_name=name, ship_to_line1=street, ship_to_region=None)
    shop.allocate(order, "кукла")
    ship(shop, order)
    content = issue(shop)[0]["content"]
    assert (content["bill_to"]["name"], content["bill_to"]["line1"]) == (name, street)
    assert content["bill_to"]["region"] is None
    assert content["lines"][0]["description"] == "Кукла 人形 \u202egnp.exe"
    assert pack(shop)[0]["content"]["ship_to"] == content["bill_to"]


def test_a_product_without_a_name_goes_by_its_sku(shop: Shop) -> None:
    order = shop.add_order()
    shop.allocate(order, "unlisted")
    ship(shop, order)
    assert issue(shop)[0]["content"]["lines"][0]["description"] == "unlisted"
    assert pack(shop)[0]["content"]["lines"][0]["description"] == "unlisted"


def test_big_amounts_are_exact(shop: Shop) -> None:
    order = shop.add_order(currency="KRW", shipping_minor=9, total_minor=9)
    shop.allocate(order, "ring", quantity=3, price=3_002_399_751_580_331)
    ship(shop, order)
    (invoice,) = issue(shop)
    # One more than a float holds exactly.
    assert invoice["goods_minor"] == 2**53 + 1


def test_totals_are_shown_per_currency(shop: Shop) -> None:
    currencies = ("EUR", "JPY", "KWD", "EUR")
    orders = [shop.add_order(currency=currency) for currency in currencies]
    for order in orders:
        shop.allocate(order, "ball", price=1_500)
    ship(shop, *orders)
    issue(shop)
    shown = str(money(shop.conn, reports.INVOICED).value)
    assert set(shown.split(", ")) == {"30.00 EUR", "1,500 JPY", "1.500 KWD"}
    assert "| INV-2018 | 5 | 4 |" in str(preview(shop.conn, reports.NEXT_NUMBERS).value)


def test_names_and_addresses_stay_out_of_the_ui(shop: Shop) -> None:
    order = shop.add_order(ship_to_name="Zoë Secret", ship_to_line1="Hidden 1")
    shop.allocate(order, "ball")
    ship(shop, order)
    issue(shop)
    pack(shop)
    for rows in (reports.LATEST_INVOICES, reports.LATEST_SLIPS):
        shown = str(preview(shop.conn, rows).value)
        assert "| 1 |" in shown
        assert "Secret" not in shown
        assert "Hidden" not in shown


def test_events_tell_the_number_and_the_site(shop: Shop) -> None:
    order = shop.add_order(shipping_minor=1, total_minor=1)
    shop.allocate(order, "ball", price=9)
    ship(shop, order)
    issue(shop)
    pack(shop)
    events = shop.conn.execute(sa.select(TIMELINE.c.event, TIMELINE.c.detail)).tuples()
    found = dict(events.all())
    assert found["invoice_issued"] == {
        "number": "INV-2018-000001", "total_minor": 10, "currency": "EUR",
    }  # fmt: skip
    assert found["packing_slip_printed"] == {"site": "A", "units": 1}


@pytest.mark.parametrize(
    ("number", "error"),
    [
        ("INV-2018-000002", UnknownInvoice),
        ("INV-2017-000001", UnknownInvoice),
        ("inv-2018-000001", UnknownInvoice),
        ("INV-2018", UnknownInvoice),
        ("2018", ValueError),
        ("INV-2018-1; --", ValueError),
    ],
)
def test_a_number_nobody_has_is_refused(shop: Shop, number: str, error: type[Exception]) -> None:
    order = shop.add_order()
    shop.allocate(order, "ball")
    ship(shop, order)
    issue(shop)
    with pytest.raises(error, match=number[:4]):
        reprint(shop.conn, number)


@pytest.mark.parametrize("damage", [{"pdf": b""}, {"sha256": "0" * 64}, {"sha256": ""}])
def test_any_damage_is_told(shop: Shop, damage: dict[str, Any]) -> None:
    order = shop.add_order()
    shop.allocate(order, "ball")
    ship(shop, order)
    issue(shop)
    shop.conn.execute(sa.update(INVOICES).values(damage))
    with pytest.raises(DocumentDamaged, match="INV-2018-000001"):
        reprint(shop.conn, "INV-2018-000001")


class PowerCut(Exception):
    """Stands for a killed run."""


@pytest.mark.parametrize(
    ("stage", "write", "table"),
    [
        (Stage.INVOICE, issue_invoices, INVOICES),
        (Stage.PACKING_SLIP, print_packing_slips, PACKING_SLIPS),
    ],
)
def test_a_run_that_dies_after_printing_prints_anew(
    database: DatabaseResource, stage: Stage, write: Any, table: sa.Table
) -> None:
    with database.begin() as conn:
        shop = Shop(conn)
        shop.take(small_card())
        shop.add_sites("A")
        orders = [shop.add_order() for _ in range(2)]
        for order in orders:
            shop.allocate(order, "ball")
        ship(shop, *orders)

    def die(conn: sa.Connection) -> dict[str, int]:
        write(conn, "killed", plain)
        raise PowerCut

    with pytest.raises(PowerCut):
        drain(database.begin, stage, die)
    drain(database.begin, stage, partial(write, run="again", printer=plain), chunk=1)
    with database.begin() as conn:
        assert list(conn.scalars(sa.select(table.c.run_id))) == ["again"] * 2
        assert "killed" not in set(conn.scalars(sa.select(TIMELINE.c.run_id)))


def test_a_printer_that_loses_a_page_issues_nothing(shop: Shop) -> None:
    order = shop.add_order()
    shop.allocate(order, "ball")
    ship(shop, order)
    claim(shop.conn, Stage.INVOICE)
    with pytest.raises(ValueError, match="argument"):
        issue_invoices(shop.conn, "run-1", lambda _: [])
