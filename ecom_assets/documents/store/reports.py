"""What the documents assets show operators: selects over the area's tables."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.documents.tables import INVOICES, PACKING_SLIPS, SERIES

_I = INVOICES.c
_K = PACKING_SLIPS.c

INVOICED = sa.select(_I.currency, sa.func.sum(_I.total_minor)).group_by(_I.currency)
"""Invoiced totals per currency."""

NEXT_NUMBERS = sa.select(
    SERIES.c.series,
    SERIES.c.next_number,
    (SERIES.c.next_number - 1).label("issued"),
).order_by(SERIES.c.series)
"""Number the next invoice of each series gets."""

LATEST_INVOICES = (
    sa.select(
        _I.content["number"].astext.label("invoice"),
        _I.content["order"]["channel"].astext.label("channel"),
        _I.content["order"]["external_id"].astext.label("order"),
        _I.issued_at,
        _I.goods_minor,
        _I.shipping_minor,
        _I.total_minor,
        _I.currency,
        _I.sha256,
    )
    .order_by(_I.series.desc(), _I.number.desc())
    .limit(10)
)
"""The invoices issued last; names and addresses stay out of the UI."""

LATEST_SLIPS = (
    sa.select(
        _K.content["order"]["external_id"].astext.label("order"),
        _K.content["site"].astext.label("site"),
        _K.content["service"].astext.label("service"),
        _K.units,
        _K.issued_at,
        _K.sha256,
    )
    .order_by(_K.shipment_id.desc())
    .limit(10)
)
"""The packing slips printed last."""
