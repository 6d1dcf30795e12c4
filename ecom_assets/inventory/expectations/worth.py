"""What must hold of availability, valuations and classes."""

from __future__ import annotations

from ecom_assets.inventory.tables import (
    ATP,
    CHANNEL_BUFFERS,
    EXPECTED_RECEIPTS,
    SAFETY_STOCKS,
    SKU_CLASSES,
    VALUATIONS,
)
from ecom_assets.shared.expectations import (
    CURRENCY,
    Severity,
    TableExpectations,
    no_rows,
    values_match,
)
from ecom_assets.shared.structure import structure

_WITHIN_FREE = no_rows(
    "within_free_stock",
    """
    SELECT atp.sku, atp.step FROM {batch} AS atp
    JOIN inventory.positions AS position ON position.sku = atp.sku
    WHERE atp.step = 0 AND atp.cause = 'stock'
        AND atp.units > position.on_hand - position.reserved
    """,
    # The table is as old as its last run, and stock goes on moving.
    "No more is shown as available at once than is free; renewed by every run.",
    severity=Severity.WARN,
)
_STEPS_RISE = no_rows(
    "steps_in_order",
    """
    SELECT atp.sku, atp.step FROM {batch} AS atp
    LEFT JOIN inventory.atp AS earlier ON earlier.sku = atp.sku AND earlier.step = atp.step - 1
    WHERE atp.step > 0
        AND (earlier.sku IS NULL OR earlier.available_at >= atp.available_at)
    """,
    "Steps are numbered without a gap, in the order of their moments.",
    is_blocking=True,
)
_METHODS_AGREE = no_rows(
    "methods_agree",
    """
    SELECT one.sku, one.method FROM {batch} AS one
    LEFT JOIN inventory.valuations AS other
        ON other.sku = one.sku AND other.method <> one.method
    WHERE other.sku IS NULL
        OR (one.units, one.units_in, one.units_out, one.cost_in_minor)
            IS DISTINCT FROM (other.units, other.units_in, other.units_out, other.cost_in_minor)
        OR one.lowest_unit_cost_minor = one.highest_unit_cost_minor
            AND one.value_minor <> other.value_minor
    """,
    "Both methods fold the same moves, and agree where every unit cost the same.",
    is_blocking=True,
)

EXPECTATIONS = (
    TableExpectations(EXPECTED_RECEIPTS, structure(EXPECTED_RECEIPTS)),
    TableExpectations(SAFETY_STOCKS, structure(SAFETY_STOCKS)),
    TableExpectations(CHANNEL_BUFFERS, structure(CHANNEL_BUFFERS)),
    TableExpectations(ATP, (*structure(ATP), _WITHIN_FREE, _STEPS_RISE)),
    TableExpectations(
        VALUATIONS,
        (
            *structure(VALUATIONS),
            values_match("currency", CURRENCY, "an ISO 4217 code"),
            _METHODS_AGREE,
        ),
    ),
    TableExpectations(SKU_CLASSES, structure(SKU_CLASSES)),
)
