"""Comparisons of parcels with what was allocated, and of documents with parcels."""

from __future__ import annotations

CHOICES_ALLOCATIONS = """
    WITH parcel AS (
        SELECT DISTINCT order_id, site_code FROM warehouse.allocations
        WHERE order_id NOT IN (SELECT order_id FROM flow.pending WHERE stage = 'carrier')
    ), candidate AS (
        SELECT DISTINCT order_id, site_code FROM transport.carrier_choices
    )
    SELECT parcel.order_id || ' from ' || parcel.site_code AS subject,
        candidate.order_id IS NULL AS differs, 'no service was considered' AS detail
    FROM parcel LEFT JOIN candidate USING (order_id, site_code)
"""

# An order leaves when all its parcels have a carrier; until then it is on hold and none has left.
SHIPMENTS_ALLOCATIONS = """
    WITH parcel AS (
        SELECT order_id, site_code, sum(quantity) AS units
        FROM warehouse.allocations GROUP BY order_id, site_code
    ), ready AS (
        SELECT parcel.order_id
        FROM parcel
        LEFT JOIN transport.carrier_choices AS choice
            ON (choice.order_id, choice.site_code) = (parcel.order_id, parcel.site_code)
            AND choice.is_chosen
        WHERE parcel.order_id NOT IN
            (SELECT order_id FROM flow.pending WHERE stage IN ('carrier', 'ship'))
        GROUP BY parcel.order_id
        HAVING bool_and(choice.order_id IS NOT NULL)
    )
    SELECT order_id || ' from ' || site_code AS subject,
        coalesce(parcel.units, 0) <> coalesce(shipment.units, 0) AS differs,
        format('allocated %s, shipped %s', coalesce(parcel.units, 0),
            coalesce(shipment.units, 0)) AS detail
    FROM parcel FULL JOIN transport.shipments AS shipment USING (order_id, site_code)
    WHERE shipment.shipment_id IS NOT NULL OR order_id IN (SELECT order_id FROM ready)
"""

SLIPS_SHIPMENTS = """
    SELECT shipment.shipment_id::text AS subject,
        slip.units IS DISTINCT FROM shipment.units AS differs,
        format('parcel %s units, slip %s', shipment.units,
            coalesce(slip.units::text, 'missing')) AS detail
    FROM transport.shipments AS shipment
    LEFT JOIN documents.packing_slips AS slip USING (shipment_id)
    WHERE shipment.order_id NOT IN (SELECT order_id FROM flow.pending WHERE stage = 'packing_slip')
"""

# An order has one invoice however many parcels it has.
INVOICES_SHIPMENTS = """
    WITH departed AS (
        SELECT DISTINCT order_id FROM transport.shipments
        WHERE order_id NOT IN (SELECT order_id FROM flow.pending WHERE stage = 'invoice')
    ), invoiced AS (
        SELECT order_id, count(*) AS invoices FROM documents.invoices GROUP BY order_id
    )
    SELECT order_id::text AS subject,
        departed.order_id IS NULL OR coalesce(invoiced.invoices, 0) <> 1 AS differs,
        CASE WHEN departed.order_id IS NULL THEN 'invoiced, but nothing was shipped'
            ELSE format('shipped, with %s invoices', coalesce(invoiced.invoices, 0)) END AS detail
    FROM departed FULL JOIN invoiced USING (order_id)
"""

# Shipped in part, the share of each line is rounded, so only an upper bound can be held here.
INVOICES_TOTALS = """
    WITH ordered AS (
        SELECT order_id, sum(quantity) AS units FROM orders.order_lines GROUP BY order_id
    ), departed AS (
        SELECT order_id, sum(units) AS units FROM transport.shipments GROUP BY order_id
    )
    SELECT invoice.series || ' ' || invoice.number AS subject,
        invoice.currency <> placed.currency
            OR invoice.total_minor > placed.total_minor
            OR (departed.units = ordered.units AND invoice.total_minor <> placed.total_minor)
            AS differs,
        format('invoice %s %s, order %s %s, units %s of %s', invoice.total_minor,
            invoice.currency, placed.total_minor, placed.currency,
            coalesce(departed.units, 0), ordered.units) AS detail
    FROM documents.invoices AS invoice
    JOIN orders.orders AS placed USING (order_id)
    LEFT JOIN ordered USING (order_id)
    LEFT JOIN departed USING (order_id)
"""

# Numbers are unique per series, so the count and both ends prove that there is no gap.
INVOICE_NUMBERS = """
    WITH used AS (
        SELECT series, count(*) AS invoices, min(number) AS first, max(number) AS last
        FROM documents.invoices GROUP BY series
    )
    SELECT series.series AS subject,
        coalesce(used.invoices, 0) <> series.next_number - 1
            OR coalesce(used.last, 0) <> series.next_number - 1
            OR coalesce(used.first, 1) <> 1 AS differs,
        format('%s invoices from %s to %s, next is %s', coalesce(used.invoices, 0),
            coalesce(used.first, 0), coalesce(used.last, 0), series.next_number) AS detail
    FROM documents.series AS series LEFT JOIN used USING (series)
"""
