"""What must hold of feeds, counts, lots, serials and transfers."""

from __future__ import annotations

from ecom_assets.catalog.tables import PRODUCTS
from ecom_assets.inventory.tables import (
    COUNTS,
    FEED_SYNCS,
    LOTS,
    RECEIPT_COSTS,
    SERIALS,
    TRANSFERS,
    UNITS,
)
from ecom_assets.shared.expectations import CURRENCY, TableExpectations, no_rows, values_match
from ecom_assets.shared.structure import refers_to, structure
from ecom_assets.warehouse.tables import SITES

_FEED_UNITS = no_rows(
    "units_equal_movements",
    """
    SELECT sync.sync_id FROM {batch} AS sync
    LEFT JOIN (
        SELECT reference, site_code, sum(quantity) AS quantity, count(*) AS moves
        FROM inventory.movements WHERE reference LIKE 'feed:%' GROUP BY reference, site_code
    ) AS moved ON moved.reference = 'feed:' || sync.sync_id AND moved.site_code = sync.site_code
    WHERE sync.units_in - sync.units_out <> coalesce(moved.quantity, 0)
        OR sync.state = 'refused' AND moved.moves > 0
    """,
    "What a feed says it moved is what it posted; a refused one posted nothing.",
    is_blocking=True,
)
_COUNT_POSTED = no_rows(
    "difference_posted",
    """
    SELECT counted.count_id FROM {batch} AS counted
    LEFT JOIN inventory.movements AS moved
        ON moved.kind = 'count' AND moved.reference = 'count:' || counted.reference
        AND moved.sku = counted.sku AND moved.site_code = counted.site_code
    WHERE coalesce(moved.quantity, 0)
        <> CASE counted.state WHEN 'posted' THEN counted.difference ELSE 0 END
    """,
    "A posted count moved its difference; any other moved nothing.",
    is_blocking=True,
)
_COSTED_RECEIPT = no_rows(
    "receipt_exists",
    """
    SELECT cost.reference, cost.sku, cost.site_code FROM {batch} AS cost
    LEFT JOIN inventory.movements AS moved
        ON moved.kind = 'receipt' AND moved.reference = cost.reference
        AND moved.sku = cost.sku AND moved.site_code = cost.site_code
    WHERE moved.movement_id IS NULL
    """,
    "Every cost is that of a receipt on record.",
    is_blocking=True,
)
_LOT_RECEIVED = no_rows(
    "received_within_receipts",
    """
    SELECT lot.lot_id FROM {batch} AS lot
    JOIN (
        SELECT sku, site_code, sum(received) AS units
        FROM inventory.lots GROUP BY sku, site_code
    ) AS all_lots ON all_lots.sku = lot.sku AND all_lots.site_code = lot.site_code
    LEFT JOIN (
        SELECT sku, site_code, sum(quantity) AS units
        FROM inventory.movements WHERE quantity > 0 GROUP BY sku, site_code
    ) AS came ON came.sku = lot.sku AND came.site_code = lot.site_code
    WHERE all_lots.units > coalesce(came.units, 0)
    """,
    "No more units came in lots than came at all.",
)
_SERIALS_WITHIN = no_rows(
    "in_stock_within_on_hand",
    """
    SELECT unit.sku, unit.serial FROM {batch} AS unit
    JOIN (
        SELECT sku, site_code, count(*) AS units
        FROM inventory.serials WHERE state = 'in_stock' GROUP BY sku, site_code
    ) AS known ON known.sku = unit.sku AND known.site_code = unit.site_code
    LEFT JOIN inventory.balances AS balance
        ON balance.sku = unit.sku AND balance.site_code = unit.site_code
    WHERE unit.state = 'in_stock' AND known.units > coalesce(balance.on_hand, 0)
    """,
    "No more numbered units are at a site than units are.",
)
_HALVES = no_rows(
    "halves_posted",
    """
    SELECT transfer.transfer_id FROM {batch} AS transfer
    LEFT JOIN inventory.movements AS sent
        ON sent.kind = 'transfer' AND sent.reference = 'transfer:' || transfer.reference
        AND sent.sku = transfer.sku AND sent.site_code = transfer.from_site
    LEFT JOIN inventory.movements AS came
        ON came.kind = 'transfer' AND came.sku = transfer.sku AND came.site_code = transfer.to_site
        AND came.reference = concat('transfer_in:', transfer.reference, '/', transfer.from_site)
    WHERE coalesce(sent.quantity, 0) <> -transfer.quantity
        OR coalesce(came.quantity, 0)
            <> CASE WHEN transfer.arrived_at IS NULL THEN 0 ELSE transfer.quantity END
    """,
    "Every transfer left its site, and came to the other in full exactly if it arrived.",
    is_blocking=True,
)

EXPECTATIONS = (
    TableExpectations(FEED_SYNCS, (*structure(FEED_SYNCS), _FEED_UNITS)),
    TableExpectations(COUNTS, (*structure(COUNTS), _COUNT_POSTED)),
    TableExpectations(UNITS, (*structure(UNITS), refers_to(UNITS, "sku", PRODUCTS.c.sku))),
    TableExpectations(
        RECEIPT_COSTS,
        (
            *structure(RECEIPT_COSTS),
            values_match("currency", CURRENCY, "an ISO 4217 code"),
            _COSTED_RECEIPT,
        ),
    ),
    TableExpectations(
        LOTS,
        (*structure(LOTS), refers_to(LOTS, "site_code", SITES.c.site_code), _LOT_RECEIVED),
    ),
    TableExpectations(SERIALS, (*structure(SERIALS), _SERIALS_WITHIN)),
    TableExpectations(TRANSFERS, (*structure(TRANSFERS), _HALVES)),
)
