"""Printing packing slips, one per parcel."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from ecom_assets.documents.model import Address, OrderReference, PackingSlip, SlipLine
from ecom_assets.documents.tables import PACKING_SLIPS
from ecom_assets.shared.journal import record_events

TEMPLATE_VERSION = "packing-slip-1"

Printer = Callable[[Sequence[PackingSlip]], Iterable[bytes]]
"""Makes the PDF of a packing slip."""

# The lines are looked up per parcel, as those of an invoice are.
_PARCELS = sa.text("""
    SELECT u.shipment_id, u.order_id, u.shipped_at, u.weight_g, o.channel, o.external_id,
        o.placed_at, o.ship_to_name AS name, o.ship_to_line1 AS line1, o.ship_to_city AS city,
        o.ship_to_region AS region, o.ship_to_postal_code AS postal_code,
        o.ship_to_country AS country, w.name AS site, r.name AS carrier, v.name AS service,
        packed.lines
    FROM claimed AS c
    JOIN transport.shipments AS u USING (order_id)
    JOIN orders.orders AS o USING (order_id)
    JOIN warehouse.sites AS w USING (site_code)
    JOIN transport.services AS v USING (service_code)
    JOIN transport.carriers AS r USING (carrier_code)
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object(
            'line_no', l.line_no, 'sku', l.sku, 'description', COALESCE(p.name, l.sku),
            'quantity', a.quantity
        ) ORDER BY l.line_no) AS lines
        FROM warehouse.allocations AS a
        JOIN orders.order_lines AS l USING (order_line_id)
        LEFT JOIN catalog.products AS p ON p.sku = l.sku
        WHERE a.order_id = u.order_id AND a.site_code = u.site_code
    ) AS packed
    WHERE packed.lines IS NOT NULL AND NOT EXISTS (
        SELECT FROM documents.packing_slips AS k WHERE k.shipment_id = u.shipment_id
    )
    ORDER BY u.shipped_at, u.order_id, u.site_code
""")

_PRINTED = sa.text("""
    SELECT order_id, issued_at AS happened_at,
        jsonb_build_object('site', content ->> 'site', 'units', units) AS detail
    FROM documents.packing_slips WHERE shipment_id = ANY(:shipments)
    ORDER BY issued_at, order_id, shipment_id
""").columns(sa.column("order_id"), sa.column("happened_at"), sa.column("detail"))


def print_packing_slips(conn: sa.Connection, run: str, printer: Printer) -> dict[str, int]:
    """Print a slip for every parcel of the claimed orders that has none.

    Args:
        conn: connection inside the transaction that claimed the orders.
        run: Dagster run id.
        printer: makes the PDF of each.

    Returns:
        `slips` printed and their `bytes`.
    """
    parcels = conn.execute(_PARCELS).mappings().all()
    slips = [_slip(parcel) for parcel in parcels]
    rows = [
        _row(parcel, slip, pdf, run)
        for parcel, slip, pdf in zip(parcels, slips, printer(slips), strict=True)
    ]
    if rows:
        conn.execute(sa.insert(PACKING_SLIPS), rows)
    shipments = [row["shipment_id"] for row in rows]
    printed = sa.bindparam("shipments", shipments, ARRAY(sa.BigInteger))
    record_events(conn, "packing_slip_printed", _PRINTED.bindparams(printed), run)
    return {"slips": len(rows), "bytes": sum(len(row["pdf"]) for row in rows)}


def _slip(parcel: sa.RowMapping) -> PackingSlip:
    return PackingSlip(
        issued_at=parcel["shipped_at"],
        order=OrderReference(parcel["channel"], parcel["external_id"], parcel["placed_at"]),
        ship_to=Address(*(parcel[name] for name in Address.__slots__)),
        site=parcel["site"],
        carrier=parcel["carrier"],
        service=parcel["service"],
        weight_g=parcel["weight_g"],
        lines=tuple(SlipLine(**line) for line in parcel["lines"]),
    )


def _row(parcel: sa.RowMapping, slip: PackingSlip, pdf: bytes, run: str) -> dict[str, Any]:
    return {
        "shipment_id": parcel["shipment_id"],
        "order_id": parcel["order_id"],
        "issued_at": slip.issued_at,
        "units": slip.units,
        "content": slip.content(),
        "template_version": TEMPLATE_VERSION,
        "pdf": pdf,
        "sha256": hashlib.sha256(pdf).hexdigest(),
        "run_id": run,
    }
