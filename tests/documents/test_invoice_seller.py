"""Who sells stands on invoices that are issued after the shop said it, and on no older one."""

from __future__ import annotations

import io
from typing import Any

import pytest
import sqlalchemy as sa
from documents.test_documents_store import ship_orders
from pypdf import PdfReader

from ecom_assets.backoffice.store import settings
from ecom_assets.documents.model import Seller
from ecom_assets.documents.pdf.layout import invoice_pdf
from ecom_assets.documents.store import issue_invoices
from ecom_assets.documents.tables import INVOICES
from ecom_assets.shared.flow import Stage, drain
from ecom_assets.shared.shop_settings import SETTINGS, InvalidSetting, read
from fixtures.allocated_shop import NOON
from resources.database import DatabaseResource

SAID = {
    "documents.seller_name": "Shop Ltd",
    "documents.seller_address": "High Street 1\n9000 Ghent",
    "documents.seller_vat_id": "BE0123456789",
}


def say(conn: sa.Connection, said: dict[str, Any]) -> None:
    for name, value in said.items():
        settings.put(conn, SETTINGS[name], value, "ann", NOON)


def issue(database: DatabaseResource) -> Any:
    """The invoice of an order that ships now."""

    def work(conn: sa.Connection) -> Any:
        return issue_invoices(conn, "run-1", lambda drawn: [invoice_pdf(each) for each in drawn])

    ship_orders(database, 1)
    drain(database.begin, Stage.INVOICE, work)
    with database.begin() as conn:
        return conn.execute(sa.select(INVOICES)).one()


def test_invoices_say_who_sells(database: DatabaseResource) -> None:
    with database.begin() as conn:
        say(conn, SAID)
    found = issue(database)
    assert found.template_version == "invoice-2"
    assert found.content["seller"]["vat_id"] == "BE0123456789"
    [page] = PdfReader(io.BytesIO(bytes(found.pdf))).pages
    text = page.extract_text()
    assert "Shop Ltd, High Street 1, 9000 Ghent" in text
    assert "VAT id BE0123456789" in text


def test_invoices_are_as_ever_where_nobody_says_who_sells(database: DatabaseResource) -> None:
    found = issue(database)
    assert found.template_version == "invoice-1"
    assert "seller" not in found.content


@pytest.mark.parametrize(
    ("seller", "said"),
    [(Seller("S", "", "", ""), ["S"]), (Seller("S", "a\nb", "", "n"), ["S, a, b", "n"]),
     (Seller("S", "", "BE1", "n"), ["S", "VAT id BE1, n"])],
)  # fmt: skip
def test_what_is_not_said_is_left_out(seller: Seller, said: list[str]) -> None:
    assert seller.paragraphs() == said


def test_a_value_that_is_none_of_its_setting_is_not_used(conn: sa.Connection) -> None:
    days = SETTINGS["backoffice.vat_answer_days"]
    say(conn, {days.name: 5})
    assert read(conn, days) == [5]
    conn.execute(sa.text("UPDATE backoffice.settings SET value = '900'"))
    with pytest.raises(InvalidSetting, match=r"backoffice\.vat_answer_days must be"):
        read(conn, days)
