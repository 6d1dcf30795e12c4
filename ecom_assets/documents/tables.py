"""Tables of the documents area."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    PERSONAL,
    area_table,
    currency,
    document,
    identity,
    integer,
    minor,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
)

SERIES = area_table(
    "documents",
    "series",
    "Number series of invoices; the row that is locked to allot numbers without a gap.",
    text("series", "natural key, such as INV-2018", primary_key=True),
    reference("next_number", "number the next invoice gets"),
    sa.CheckConstraint("next_number >= 1", name="next_number_positive"),
)

INVOICES = area_table(
    "documents",
    "invoices",
    "Invoices, one per order with shipped goods; never changed.",
    identity("invoice_id", "surrogate key"),
    text("series", "number series"),
    reference("number", "gapless within the series"),
    reference("order_id", "order", "orders.orders.order_id"),
    moment("issued_at", "business moment of issue"),
    currency(),
    minor("goods_minor", "shipped lines after discount"),
    minor("shipping_minor", "shipping charged"),
    minor("total_minor", "goods + shipping"),
    document("content", "what the invoice says", info=PERSONAL),
    text("template_version", "version of the layout"),
    sa.Column("pdf", sa.LargeBinary, nullable=False, comment="the PDF as issued", info=PERSONAL),
    text("sha256", "SHA-256 of the PDF, hexadecimal"),
    run_id(),
    recorded_at(),
    sa.ForeignKeyConstraint(["series"], ["documents.series.series"]),
    sa.UniqueConstraint("series", "number"),
    sa.UniqueConstraint("order_id"),
    sa.CheckConstraint("total_minor = goods_minor + shipping_minor", name="total_adds_up"),
    sa.CheckConstraint("number >= 1", name="number_positive"),
)

PACKING_SLIPS = area_table(
    "documents",
    "packing_slips",
    "Packing slips, one per parcel.",
    reference("shipment_id", "parcel", "transport.shipments.shipment_id", primary_key=True),
    reference("order_id", "order", "orders.orders.order_id"),
    moment("issued_at", "business moment of issue"),
    integer("units", "units listed"),
    document("content", "what the slip says", info=PERSONAL),
    text("template_version", "version of the layout"),
    sa.Column("pdf", sa.LargeBinary, nullable=False, comment="the PDF as issued", info=PERSONAL),
    text("sha256", "SHA-256 of the PDF, hexadecimal"),
    run_id(),
    recorded_at(),
    sa.Index(None, "order_id"),
)
