"""The layout of invoices and packing slips on A4, in points from the lower left corner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecom_assets.documents.model import Address, Invoice, OrderReference, PackingSlip, Seller
from ecom_assets.documents.pdf.fonts import BOLD
from ecom_assets.documents.pdf.sheet import LEFT, RIGHT, Sheet, wrap
from ecom_assets.shared.money import to_text

TEXT, SMALL = 9.0, 7.5
ROW, SKU_ROW, GAP = 12.0, 10.0, 6.0
FIRST_TOP, NEXT_TOP, BOTTOM = 600.0, 724.0, 70.0
"""Where the table starts on the first page and on others, and where it ends."""

TOTALS_HEIGHT = 90.0
MOST_LINES = 12
"""Lines of a description; a longer one ends in an ellipsis. The database keeps all of it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its title and its right edge, or left edge for the description."""

    title: str
    x: float
    is_right: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: a description that may take several lines, and the other cells."""

    description: list[str]
    sku: str
    cells: Sequence[str]

    @property
    def height(self) -> float:
        """Height in points."""
        return ROW * len(self.description) + SKU_ROW + GAP


INVOICE_COLUMNS = (
    Column("#", LEFT, is_right=False),
    Column("Qty", 345),
    Column("Unit price", 415),
    Column("Discount", 480),
    Column("Amount", RIGHT),
)
SLIP_COLUMNS = (Column("#", LEFT, is_right=False), Column("Qty", RIGHT))
DESCRIPTION = Column("Description", LEFT + 24, is_right=False)


def invoice_pdf(invoice: Invoice) -> bytes:
    """The invoice as PDF."""
    rows = [
        Row(
            _fit(line.description, 210, TEXT, MOST_LINES),
            _fit(line.sku, 210, SMALL, 1)[0],
            (
                str(line.line_no),
                f"{line.quantity:,}",
                _amount(line.unit_price_minor, invoice.currency),
                _amount(-line.discount_minor, invoice.currency) if line.discount_minor else "",
                _amount(line.total_minor, invoice.currency),
            ),
        )
        for line in invoice.lines
    ]
    pages = paginate([row.height for row in rows], TOTALS_HEIGHT)
    sheet = Sheet(invoice.number)
    facts = [
        ("Invoice", invoice.number),
        ("Issued", invoice.issued_at.date().isoformat()),
        ("Currency", invoice.currency),
    ]
    for number, (first, last) in enumerate(pages, 1):
        top = _head(sheet, "INVOICE", facts, number, len(pages))
        if number == 1:
            _parties(sheet, invoice.order, "Bill to", invoice.bill_to)
        bottom = _table(sheet, top, INVOICE_COLUMNS, rows[first:last])
        if number == len(pages):
            _totals(sheet, bottom, invoice)
        if invoice.seller:
            _seller(sheet, invoice.seller)
        sheet.next_page()
    return sheet.finish()


def packing_slip_pdf(slip: PackingSlip) -> bytes:
    """The packing slip as PDF."""
    rows = [
        Row(
            _fit(line.description, 380, TEXT, MOST_LINES),
            _fit(line.sku, 380, SMALL, 1)[0],
            (str(line.line_no), f"{line.quantity:,}"),
        )
        for line in slip.lines
    ]
    pages = paginate([row.height for row in rows], ROW * 3)
    sheet = Sheet(f"{slip.order.external_id} from {slip.site}")
    facts = [
        ("From", _fit(slip.site, 115, TEXT, 1)[0]),
        ("Ships", slip.issued_at.date().isoformat()),
        ("Units", f"{slip.units:,}"),
    ]
    for number, (first, last) in enumerate(pages, 1):
        top = _head(sheet, "PACKING SLIP", facts, number, len(pages))
        if number == 1:
            _parties(sheet, slip.order, "Ship to", slip.ship_to)
            service = f"{slip.carrier}, {slip.service}, {slip.weight_g / 1000:,.2f} kg"
            for place, line in enumerate(_fit(service, 225, SMALL, 2)):
                sheet.text(320, 670 - place * SKU_ROW, line, SMALL)
        bottom = _table(sheet, top, SLIP_COLUMNS, rows[first:last])
        if number == len(pages):
            sheet.text_right(RIGHT, bottom - ROW * 2, f"{slip.units:,} units", TEXT, BOLD)
        sheet.next_page()
    return sheet.finish()


def paginate(heights: Sequence[float], closing: float) -> list[tuple[int, int]]:
    """Rows per page, as half-open ranges; the last page also has room for what closes the table.

    Args:
        heights: heights of the rows in points, each less than a page.
        closing: height in points of what follows the last row.
    """
    pages: list[tuple[int, int]] = []
    first, room = 0, FIRST_TOP - BOTTOM
    for row, height in enumerate(heights):
        # A row higher than a page goes on a page of its own instead of starting pages for ever.
        if height > room and row > first:
            pages.append((first, row))
            first, room = row, NEXT_TOP - BOTTOM
        room -= height
    pages.append((first, len(heights)))
    # An empty last page carries the totals alone where the rows fill the page before.
    return pages if room >= closing else [*pages, (len(heights), len(heights))]


def _head(
    sheet: Sheet, title: str, facts: Sequence[tuple[str, str]], number: int, pages: int
) -> float:
    sheet.text(LEFT, 780, title, 18, BOLD)
    for place, (name, value) in enumerate(facts):
        y = 796 - place * 12
        sheet.text(400, y, name, SMALL)
        sheet.text_right(RIGHT, y, value, TEXT, BOLD)
    sheet.line(LEFT, 762, RIGHT)
    sheet.text_right(RIGHT, 40, f"Page {number} of {pages}", SMALL)
    return FIRST_TOP if number == 1 else NEXT_TOP


def _parties(sheet: Sheet, order: OrderReference, role: str, address: Address) -> None:
    sheet.text(LEFT, 736, role, SMALL)
    lines = [line for part in address.lines() for line in _fit(part, 230, TEXT, 2)]
    for place, line in enumerate(lines):
        sheet.text(LEFT, 722 - place * ROW, line, TEXT)
    sheet.text(320, 736, "Order", SMALL)
    placed = f"{order.channel}, placed {order.placed_at.date().isoformat()}"
    for place, line in enumerate([*_fit(order.external_id, 225, TEXT, 2), placed]):
        sheet.text(320, 722 - place * ROW, line, TEXT)


def _seller(sheet: Sheet, seller: Seller) -> None:
    """Who sells, below the table of every page and left of the page's number."""
    lines = [line for part in seller.paragraphs() for line in _fit(part, 420, SMALL, 2)]
    for place, line in enumerate(lines):
        sheet.text(LEFT, 56 - place * 9, line, SMALL)


def _table(sheet: Sheet, top: float, columns: Sequence[Column], rows: Sequence[Row]) -> float:
    for column in (*columns, DESCRIPTION):
        put = sheet.text_right if column.is_right else sheet.text
        put(column.x, top + 16, column.title, SMALL)
    sheet.line(LEFT, top + 10, RIGHT)
    y = top - 4
    for row in rows:
        for column, cell in zip(columns, row.cells, strict=True):
            put = sheet.text_right if column.is_right else sheet.text
            put(column.x, y, cell, TEXT)
        for place, line in enumerate(row.description):
            sheet.text(DESCRIPTION.x, y - place * ROW, line, TEXT)
        sheet.text(DESCRIPTION.x, y - len(row.description) * ROW + 1, row.sku, SMALL)
        y -= row.height
    sheet.line(LEFT, y + 4, RIGHT)
    return y


def _totals(sheet: Sheet, bottom: float, invoice: Invoice) -> None:
    sums = [("Goods", invoice.goods_minor), ("Shipping", invoice.shipping_minor)]
    y = bottom - ROW
    for name, amount_minor in sums:
        sheet.text(380, y, name, TEXT)
        sheet.text_right(RIGHT, y, to_text(amount_minor, invoice.currency), TEXT)
        y -= 14
    sheet.line(380, y + 8, RIGHT)
    sheet.text(380, y - 6, "Total", TEXT + 2, BOLD)
    total = to_text(invoice.total_minor, invoice.currency)
    sheet.text_right(RIGHT, y - 6, total, TEXT + 2, BOLD)
    if invoice.tax_minor:
        sheet.text(380, y - 22, "of which tax on goods", SMALL)
        sheet.text_right(RIGHT, y - 22, to_text(invoice.tax_minor, invoice.currency), SMALL)


def _fit(text: str, room: float, size: float, most: int) -> list[str]:
    lines = wrap(text, room, size)
    if len(lines) <= most:
        return lines
    # Wrapped once more with less room, so that the ellipsis itself fits.
    last = wrap(lines[most - 1], room - 2 * size, size)[0]
    return [*lines[: most - 1], f"{last} ..."]


def _amount(amount_minor: int, currency: str) -> str:
    return to_text(amount_minor, currency).rpartition(" ")[0]
