"""Invoices are gapless, exact and immutable; every parcel has its slip."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from ecom_assets.documents.assets import ASSETS
from ecom_assets.documents.model import Invoice, PackingSlip
from ecom_assets.documents.store import (
    DocumentDamaged,
    UnknownInvoice,
    issue_invoices,
    print_packing_slips,
    reprint,
)
from ecom_assets.documents.tables import INVOICES, PACKING_SLIPS, SERIES
from ecom_assets.orders.tables import ORDER_LINES, ORDERS
from ecom_assets.shared.flow import Stage, claim, drain, waiting
from ecom_assets.shared.journal import TIMELINE
from ecom_assets.transport.store import choose_carriers, ship_parcels
from fixtures.allocated_shop import NOON, Shop, small_card
from resources.database import DatabaseResource


class PrinterOnFire(Exception):
    """What a test's printer raises."""


def plain(documents: Sequence[Invoice | PackingSlip]) -> list[bytes]:
    """A printer that is quick."""
    return [repr(document).encode() for document in documents]


def ship_orders(
    database: DatabaseResource, count: int, at: datetime = NOON, **values: Any
) -> list[int]:
    """Orders with one line of three balls each, shipped and waiting for their documents."""
    with database.begin() as conn:
        shop = Shop(conn)
        shop.take(small_card())
        shop.add_sites("A")
        shop.add_product("ball", name="Red ball", weight_g=100, shipping_weight_g=100)
        orders = [shop.add_order(at=at, **values) for _ in range(count)]
        for order in orders:
            shop.allocate(order, "ball", quantity=3, price=999, available_at=at)
        shop.wait_for(Stage.CARRIER, *orders)
    drain(database.begin, Stage.CARRIER, lambda conn: choose_carriers(conn, "run-1"))
    drain(database.begin, Stage.SHIP, lambda conn: ship_parcels(conn, "run-1"))
    return orders


def numbers(database: DatabaseResource) -> list[int]:
    with database.begin() as conn:
        return list(conn.scalars(sa.select(INVOICES.c.number).order_by(INVOICES.c.number)))


def test_an_invoice_charges_what_was_shipped(database: DatabaseResource) -> None:
    (order,) = ship_orders(
        database, 1, shipping_minor=500, items_minor=6_993, discount_minor=100, tax_minor=701,
        total_minor=7_393, ship_to_name="Zoë",
    )  # fmt: skip
    with database.begin() as conn:
        # Seven were ordered, three are shipped: the shares are 300/7 = 42.9 and 2103/7 = 300.4.
        line = {"quantity": 7, "discount_minor": 100, "tax_minor": 701, "line_total_minor": 6_893}
        conn.execute(sa.update(ORDER_LINES).values(line))
        claim(conn, Stage.INVOICE)
        assert issue_invoices(conn, "run-1", plain)["invoices"] == 1
        row = conn.execute(sa.select(INVOICES)).mappings().one()
    assert (row["order_id"], row["series"], row["number"]) == (order, "INV-2018", 1)
    sums = row["goods_minor"], row["shipping_minor"], row["total_minor"]
    assert sums == (2_997 - 43, 500, 2_954 + 500)
    assert row["content"]["lines"][0] == {
        "line_no": 2, "sku": "ball", "description": "Red ball", "quantity": 3,
        "unit_price_minor": 999, "discount_minor": 43, "tax_minor": 300, "total_minor": 2_954,
    }  # fmt: skip
    assert row["content"]["bill_to"]["name"] == "Zoë"
    assert row["issued_at"] == NOON
    assert row["sha256"] == hashlib.sha256(row["pdf"]).hexdigest()


def test_numbers_follow_the_date_of_issue_and_start_anew_each_year(
    database: DatabaseResource,
) -> None:
    with database.begin() as conn:
        shop = Shop(conn)
        shop.take(small_card())
        shop.add_sites("A")
        days = [5, 0, 400, 1]
        orders = [shop.add_order() for _ in days]
        for order, day in zip(orders, days, strict=True):
            shop.allocate(order, "ball", available_at=NOON + timedelta(days=day))
        shop.wait_for(Stage.CARRIER, *orders)
    drain(database.begin, Stage.CARRIER, lambda conn: choose_carriers(conn, "run-1"))
    drain(database.begin, Stage.SHIP, lambda conn: ship_parcels(conn, "run-1"))
    # One order per transaction: the numbers do not depend on the size of the chunks.
    drain(database.begin, Stage.INVOICE, lambda conn: issue_invoices(conn, "run-1", plain), chunk=1)
    with database.begin() as conn:
        found = conn.execute(sa.select(INVOICES.c.order_id, INVOICES.c.content["number"].astext))
        issued = dict(found.tuples().all())
    assert [issued[order] for order in orders] == [
        "INV-2018-000003", "INV-2018-000001", "INV-2019-000001", "INV-2018-000002",
    ]  # fmt: skip


def test_a_crash_while_printing_leaves_no_gap(database: DatabaseResource) -> None:
    ship_orders(database, 3)

    def burn(documents: Sequence[Invoice]) -> Iterator[bytes]:
        for document, page in zip(documents, plain(documents), strict=True):
            if document.number.endswith("3"):
                raise PrinterOnFire
            yield page

    with pytest.raises(PrinterOnFire):
        drain(database.begin, Stage.INVOICE, lambda conn: issue_invoices(conn, "run-1", burn))
    with database.begin() as conn:
        assert waiting(conn)["invoice"] == 3
        assert conn.scalar(sa.select(sa.func.count()).select_from(SERIES)) == 0
    drain(database.begin, Stage.INVOICE, lambda conn: issue_invoices(conn, "run-2", plain))
    assert numbers(database) == [1, 2, 3]


def test_workers_at_the_same_time_leave_no_gap(database: DatabaseResource) -> None:
    ship_orders(database, 60)

    def work(_: int) -> int:
        def step(conn: sa.Connection) -> dict[str, int]:
            return issue_invoices(conn, "run-1", plain)

        return drain(database.begin, Stage.INVOICE, step, chunk=7)["invoices"]

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 60
    assert numbers(database) == list(range(1, 61))


def test_an_order_has_one_invoice_and_a_parcel_one_slip(database: DatabaseResource) -> None:
    orders = ship_orders(database, 2)
    for _ in range(2):
        with database.begin() as conn:
            Shop(conn).wait_for(Stage.INVOICE, *orders)
            Shop(conn).wait_for(Stage.PACKING_SLIP, *orders)
        drain(database.begin, Stage.INVOICE, lambda conn: issue_invoices(conn, "run-1", plain))
        drain(
            database.begin,
            Stage.PACKING_SLIP,
            lambda conn: print_packing_slips(conn, "run-1", plain),
        )
    with database.begin() as conn:
        slips = conn.execute(sa.select(PACKING_SLIPS)).mappings().all()
        events = list(conn.scalars(sa.select(TIMELINE.c.event)))
    assert numbers(database) == [1, 2]
    assert [(slip["order_id"], slip["units"]) for slip in slips] == [(one, 3) for one in orders]
    assert slips[0]["content"]["carrier"] == "Acme"
    assert events.count("invoice_issued") == events.count("packing_slip_printed") == 2


def test_a_reprint_gives_the_bytes_as_issued_or_an_error(database: DatabaseResource) -> None:
    ship_orders(database, 1)
    drain(database.begin, Stage.INVOICE, lambda conn: issue_invoices(conn, "run-1", plain))
    with database.begin() as conn:
        stored = conn.scalar(sa.select(INVOICES.c.pdf))
        assert reprint(conn, "INV-2018-000001") == stored
        with pytest.raises(UnknownInvoice):
            reprint(conn, "INV-2018-000002")
        conn.execute(sa.update(INVOICES).values(pdf=b"forged"))
        with pytest.raises(DocumentDamaged):
            reprint(conn, "INV-2018-000001")


def test_the_assets_print_real_documents(database: DatabaseResource) -> None:
    ship_orders(database, 2, shipping_minor=500, total_minor=500)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(ASSETS, resources={"database": database}, instance=instance)
    shown = {
        event.materialization.asset_key.path[-1]: event.materialization.metadata
        for event in result.get_asset_materialization_events()
    }
    assert shown["invoices"]["invoiced"].value == "69.94 EUR"
    assert "| INV-2018 | 3 | 2 |" in str(shown["invoices"]["next_numbers"].value)
    assert shown["packing_slips"]["slips"].value == 2
    with database.begin() as conn:
        page = PdfReader(io.BytesIO(reprint(conn, "INV-2018-000002"))).pages[0].extract_text()
        order = conn.scalar(sa.select(sa.func.max(ORDERS.c.external_id)))
    assert "34.97 EUR" in page
    assert f"{order}\nweb, placed 2018-03-01" in page


def test_the_assets_materialise_on_an_empty_shop(database: DatabaseResource) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(ASSETS, resources={"database": database}, instance=instance)
    assert result.success
