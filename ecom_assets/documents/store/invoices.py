"""Issuing invoices: read what was shipped, allot numbers, print, insert, all in one transaction.

A worker holds the lock on its series from the allotment to the commit, so that a rolled-back
transaction gives its numbers back and no gap remains. Printing happens under that lock because the
number is on the paper; workers therefore print one after the other, and chunks are small.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from ecom_assets.documents.model import Address, Invoice, OrderReference, Seller
from ecom_assets.documents.rules import number_text, series_of, shipped_line
from ecom_assets.documents.tables import INVOICES
from ecom_assets.shared import shop_settings
from ecom_assets.shared.journal import record_events
from ecom_assets.shared.shop_settings import (
    SELLER_ADDRESS,
    SELLER_NAME,
    SELLER_NOTE,
    SELLER_VAT_ID,
)

CHUNK = 2_000
"""Orders invoiced in one transaction; another worker waits that long for the next numbers."""

TEMPLATE_VERSION, TEMPLATE_OF_SELLER = "invoice-1", "invoice-2"
"""Versions of the layout: without and with who sells."""

Printer = Callable[[Sequence[Invoice]], Iterable[bytes]]
"""Makes the PDF of an invoice."""

# Numbers are given in the order of these rows: by date of issue, then order. Everything is looked
# up per order: joins of sets would be planned on statistics that a fresh import does not have yet.
_SHIPPED = sa.text("""
    SELECT d.issued_at, o.order_id, o.channel, o.external_id, o.placed_at, o.currency,
        o.shipping_minor, o.ship_to_name AS name, o.ship_to_line1 AS line1,
        o.ship_to_city AS city, o.ship_to_region AS region,
        o.ship_to_postal_code AS postal_code, o.ship_to_country AS country, charged.lines
    FROM claimed AS c
    JOIN orders.orders AS o USING (order_id)
    CROSS JOIN LATERAL (
        SELECT max(s.shipped_at) AS issued_at FROM transport.shipments AS s
        WHERE s.order_id = c.order_id
    ) AS d
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object(
            'line_no', l.line_no, 'sku', l.sku, 'description', COALESCE(p.name, l.sku),
            'ordered', l.quantity, 'shipped', shipped.quantity,
            'unit_price_minor', l.unit_price_minor, 'discount_minor', l.discount_minor,
            'tax_minor', l.tax_minor
        ) ORDER BY l.line_no) AS lines
        FROM (
            SELECT a.order_line_id, sum(a.quantity) AS quantity
            FROM warehouse.allocations AS a
            JOIN transport.shipments AS s USING (order_id, site_code)
            WHERE a.order_id = c.order_id
            GROUP BY a.order_line_id
        ) AS shipped
        JOIN orders.order_lines AS l USING (order_line_id)
        LEFT JOIN catalog.products AS p ON p.sku = l.sku
    ) AS charged
    WHERE charged.lines IS NOT NULL
        AND NOT EXISTS (SELECT FROM documents.invoices AS i WHERE i.order_id = c.order_id)
    ORDER BY d.issued_at, o.order_id
""")

# Three statements: a row that is made by another worker meanwhile is seen by the lock only then.
_OPEN_SERIES = sa.text("""
    INSERT INTO documents.series (series, next_number)
    SELECT series, 1 FROM unnest(CAST(:series AS text[])) AS series ORDER BY series
    ON CONFLICT (series) DO NOTHING
""")
_LOCK_SERIES = sa.text("""
    SELECT series, next_number FROM documents.series
    WHERE series = ANY(CAST(:series AS text[])) ORDER BY series FOR UPDATE
""")
_ADVANCE_SERIES = sa.text("""
    UPDATE documents.series AS s SET next_number = s.next_number + used.numbers
    FROM unnest(CAST(:series AS text[]), CAST(:numbers AS bigint[])) AS used (series, numbers)
    WHERE s.series = used.series
""")
_ISSUED = sa.text("""
    SELECT order_id, issued_at AS happened_at, jsonb_build_object(
        'number', content ->> 'number', 'total_minor', total_minor, 'currency', currency
    ) AS detail
    FROM documents.invoices WHERE order_id = ANY(:orders)
    ORDER BY series, number
""").columns(sa.column("order_id"), sa.column("happened_at"), sa.column("detail"))


def issue_invoices(conn: sa.Connection, run: str, printer: Printer) -> dict[str, int]:
    """Invoice the claimed orders that shipped; an order that has its invoice keeps it.

    The invoice charges what was shipped, with the shares of discount and tax that go with it, and
    the order's whole shipping charge.

    Args:
        conn: connection inside the transaction that claimed the orders.
        run: Dagster run id.
        printer: makes the PDF of each.

    Returns:
        `invoices` issued and their `bytes`.
    """
    orders = conn.execute(_SHIPPED).mappings().all()
    # Nothing to number: the series must not be locked, or opened, for nothing.
    if not orders:
        return {"invoices": 0, "bytes": 0}
    numbers = _allot(conn, [series_of(order["issued_at"]) for order in orders])
    named = list(zip(orders, numbers, strict=True))
    seller = _seller(conn)
    drawn = [_invoice(order, number_text(*number), seller) for order, number in named]
    rows = [
        _row(order["order_id"], number, invoice, pdf, run)
        for (order, number), invoice, pdf in zip(named, drawn, printer(drawn), strict=True)
    ]
    conn.execute(sa.insert(INVOICES), rows)
    issued = sa.bindparam("orders", [row["order_id"] for row in rows], ARRAY(sa.BigInteger))
    record_events(conn, "invoice_issued", _ISSUED.bindparams(issued), run)
    return {"invoices": len(rows), "bytes": sum(len(row["pdf"]) for row in rows)}


def _allot(conn: sa.Connection, wanted: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Take the next numbers of each series, one for each entry of `wanted`, in its order."""
    # Sorted, so that two workers at the turn of a year cannot wait for each other's series.
    counts = Counter(wanted)
    series = sorted(counts)
    conn.execute(_OPEN_SERIES, {"series": series})
    following = dict(conn.execute(_LOCK_SERIES, {"series": series}).tuples().all())
    numbers = [counts[name] for name in series]
    conn.execute(_ADVANCE_SERIES, {"series": series, "numbers": numbers})
    for name in wanted:
        yield name, following[name]
        following[name] += 1


def _row(
    order_id: int, number: tuple[str, int], invoice: Invoice, pdf: bytes, run: str
) -> dict[str, Any]:
    return {
        "series": number[0],
        "number": number[1],
        "order_id": order_id,
        "issued_at": invoice.issued_at,
        "currency": invoice.currency,
        "goods_minor": invoice.goods_minor,
        "shipping_minor": invoice.shipping_minor,
        "total_minor": invoice.total_minor,
        "content": invoice.content(),
        "template_version": TEMPLATE_OF_SELLER if invoice.seller else TEMPLATE_VERSION,
        "pdf": pdf,
        "sha256": hashlib.sha256(pdf).hexdigest(),
        "run_id": run,
    }


def _seller(conn: sa.Connection) -> Seller | None:
    """Who sells by now; None where the shop does not say."""
    name, address, vat_id, note = shop_settings.read(
        conn, SELLER_NAME, SELLER_ADDRESS, SELLER_VAT_ID, SELLER_NOTE
    )
    return Seller(name, address, vat_id, note) if name else None


def _invoice(order: sa.RowMapping, number: str, seller: Seller | None) -> Invoice:
    return Invoice(
        number=number,
        issued_at=order["issued_at"],
        order=OrderReference(order["channel"], order["external_id"], order["placed_at"]),
        bill_to=Address(*(order[name] for name in Address.__slots__)),
        currency=order["currency"],
        lines=tuple(shipped_line(**line) for line in order["lines"]),
        shipping_minor=order["shipping_minor"],
        seller=seller,
    )
