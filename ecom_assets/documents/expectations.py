"""What must hold of the documents area's tables."""

from __future__ import annotations

from ecom_assets.documents.tables import INVOICES, PACKING_SLIPS, SERIES
from ecom_assets.shared.expectations import SHA256, TableExpectations, no_rows, values_match
from ecom_assets.shared.structure import structure

_NEXT_DIFFERS = no_rows(
    "next_number_follows",
    """
    SELECT series.series FROM {batch} AS series
    LEFT JOIN (
        SELECT series, max(number) AS last FROM documents.invoices GROUP BY series
    ) AS invoice USING (series)
    WHERE series.next_number <> coalesce(invoice.last, 0) + 1
    """,
    "The next number of every series follows the last invoice.",
    is_blocking=True,
)
_GAP = no_rows(
    "number_gapless",
    """
    SELECT invoice.invoice_id FROM {batch} AS invoice
    LEFT JOIN documents.invoices AS previous
        ON previous.series = invoice.series AND previous.number = invoice.number - 1
    WHERE invoice.number > 1 AND previous.number IS NULL
    """,
    "No number of a series is missing before an invoice.",
    is_blocking=True,
)
_TOTAL_TOO_LARGE = no_rows(
    "total_within_order",
    """
    SELECT invoice.invoice_id FROM {batch} AS invoice
    JOIN orders.orders AS placed USING (order_id)
    WHERE invoice.total_minor NOT BETWEEN 0 AND placed.total_minor
        OR invoice.currency <> placed.currency
    """,
    "No invoice asks for more than the order's total, or in another currency.",
    is_blocking=True,
)
_NOTHING_SHIPPED = no_rows(
    "goods_shipped",
    """
    SELECT invoice.invoice_id FROM {batch} AS invoice
    LEFT JOIN transport.shipments AS parcel USING (order_id)
    WHERE parcel.order_id IS NULL
    """,
    "No order is invoiced before goods left.",
    is_blocking=True,
)
# The length comes from the row's header; reading every PDF to hash it would read the whole table.
_INVOICE_WITHOUT_PDF = no_rows(
    "pdf_present",
    "SELECT invoice_id FROM {batch} WHERE octet_length(pdf) = 0",
    "Every invoice has its PDF.",
)
_SLIP_WITHOUT_PDF = no_rows(
    "pdf_present",
    "SELECT shipment_id FROM {batch} WHERE octet_length(pdf) = 0",
    "Every packing slip has its PDF.",
)
_PARCEL_DIFFERS = no_rows(
    "units_equal_parcel",
    """
    SELECT slip.shipment_id FROM {batch} AS slip
    JOIN transport.shipments AS parcel USING (shipment_id)
    WHERE (slip.order_id, slip.units) <> (parcel.order_id, parcel.units)
    """,
    "Every packing slip lists what is in its parcel.",
)

EXPECTATIONS = (
    TableExpectations(SERIES, (*structure(SERIES), _NEXT_DIFFERS), asset=("documents", "invoices")),
    TableExpectations(
        INVOICES,
        (
            *structure(INVOICES),
            values_match("sha256", SHA256, "a SHA-256 in hexadecimal"),
            _GAP,
            _TOTAL_TOO_LARGE,
            _NOTHING_SHIPPED,
            _INVOICE_WITHOUT_PDF,
        ),
    ),
    TableExpectations(
        PACKING_SLIPS,
        (
            *structure(PACKING_SLIPS),
            values_match("sha256", SHA256, "a SHA-256 in hexadecimal"),
            _SLIP_WITHOUT_PDF,
            _PARCEL_DIFFERS,
        ),
    ),
)
