"""The PDFs say what they should, in any script, and always in the same bytes."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from ecom_assets.documents.model import (
    Address,
    Invoice,
    InvoiceLine,
    OrderReference,
    PackingSlip,
    SlipLine,
)
from ecom_assets.documents.pdf import invoice_pdf, packing_slip_pdf
from ecom_assets.documents.pdf.fonts import BOLD, REGULAR, clean, runs, width
from ecom_assets.documents.pdf.layout import BOTTOM, FIRST_TOP, NEXT_TOP, paginate
from ecom_assets.documents.pdf.sheet import wrap

ISSUED = datetime(2018, 3, 1, 12, tzinfo=UTC)
ORDER = OrderReference("web", "A-1001", ISSUED)
HOME = Address("Zoë Ångström", "Straße 5 (rear)", "São Paulo", None, "01310", "BR")


def invoice(*descriptions: str, currency: str = "BRL", address: Address = HOME) -> Invoice:
    lines = tuple(
        InvoiceLine(number, f"sku-{number}", words, 2, 61_725, 450, 1_000)
        for number, words in enumerate(descriptions, 1)
    )
    return Invoice("INV-2018-000042", ISSUED, ORDER, address, currency, lines, 1_999)


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def test_an_invoice_says_who_owes_what() -> None:
    (page,) = pages(invoice_pdf(invoice("Kettle", "Tea pot\\cup (blue)")))
    for words in (
        "INV-2018-000042", "2018-03-01", "A-1001", "Zoë Ångström", "Straße 5 (rear)",
        "01310 São Paulo", "Tea pot\\cup (blue)", "sku-2", "617.25", "-4.50", "1,230.00",
        "2,460.00 BRL", "19.99 BRL", "2,479.99 BRL", "20.00 BRL", "Page 1 of 1",
    ):  # fmt: skip
        assert words in page


def test_money_has_the_places_of_its_currency() -> None:
    (page,) = pages(invoice_pdf(invoice("Kettle", currency="JPY")))
    assert "61,725" in page
    assert "124,999 JPY" in page


def test_a_packing_slip_says_what_to_pack_and_no_price() -> None:
    lines = (SlipLine(1, "sku-1", "Kettle", 3), SlipLine(2, "sku-2", "Cup", 1))
    slip = PackingSlip(ISSUED, ORDER, HOME, "North hub", "Acme", "Express", 2_345, lines)
    (page,) = pages(packing_slip_pdf(slip))
    for words in ("PACKING SLIP", "North hub", "Acme, Express", "Kettle", "4 units", "Zoë"):
        assert words in page
    assert "BRL" not in page


def test_many_lines_fill_several_pages_and_none_is_lost() -> None:
    found = pages(invoice_pdf(invoice(*(f"thing number {n:03d}" for n in range(90)))))
    assert len(found) > 2
    assert all(f"thing number {n:03d}" in "".join(found) for n in range(90))
    assert f"Page {len(found)} of {len(found)}" in found[-1]
    assert "Total" in found[-1]
    assert "Total" not in found[0]


HEIGHTS = st.lists(st.floats(20, 170), max_size=80)


@given(HEIGHTS, st.floats(10, 100))
def test_every_row_is_on_one_page_and_fits(heights: list[float], closing: float) -> None:
    ranges = paginate(heights, closing)
    assert [row for first, last in ranges for row in range(first, last)] == list(
        range(len(heights))
    )
    for number, (first, last) in enumerate(ranges):
        room = (NEXT_TOP if number else FIRST_TOP) - BOTTOM
        needed = sum(heights[first:last]) + (closing if number == len(ranges) - 1 else 0)
        assert needed <= room + 1e-6


@pytest.mark.parametrize(
    "words",
    ["Русская кукла", "Ένα ποτήρι", "日本のお茶", "中国茶", "한국 인삼", "Łódź €9 “tea”"],
)
def test_other_scripts_are_printed_and_can_be_copied(words: str) -> None:
    (page,) = pages(invoice_pdf(invoice(words)))
    assert words in page


def test_what_no_font_has_is_printed_as_its_code() -> None:
    assert "".join(part for _, part in runs(clean("ไ\x07"), REGULAR)) == "[U+0E44][U+0007]"
    (page,) = pages(invoice_pdf(invoice("tea ไ")))
    assert "tea [U+0E44]" in page


def test_right_to_left_text_is_in_visual_order() -> None:
    assert "".join(part for _, part in runs("שלום 500", REGULAR)) == "םולש 500"


def test_decomposed_letters_are_composed_and_line_breaks_are_spaces() -> None:
    assert clean("Sa\u0303o\n Paulo") == "São Paulo"


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_prints_the_same_bytes_each_time(words: str, name: str) -> None:
    given_invoice = invoice(words, address=Address(name, None, None, None, None, "DE"))
    assert invoice_pdf(given_invoice) == invoice_pdf(given_invoice)


@given(st.text(max_size=80), st.floats(30, 300))
def test_wrapped_lines_fit_and_keep_every_sign(words: str, room: float) -> None:
    lines = wrap(words, room, 6)
    assert "".join(lines).replace(" ", "") == clean(words).replace(" ", "")
    assert all(width(line, REGULAR, 6) <= room for line in lines if len(line) > 1)


def test_a_very_long_name_ends_in_an_ellipsis() -> None:
    (page,) = pages(invoice_pdf(invoice("endless " * 300)))
    assert "endless ..." in page


def test_bold_text_in_another_script_is_bold() -> None:
    assert runs("Ж", BOLD) == (("DejaVuSans-Bold", "Ж"),)
