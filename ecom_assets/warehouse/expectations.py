"""What must hold of the warehouse area's tables."""

from __future__ import annotations

from ecom_assets.shared.expectations import (
    COUNTRY,
    CURRENCY,
    Severity,
    TableExpectations,
    has_rows,
    no_rows,
    values_between,
    values_in,
    values_match,
)
from ecom_assets.shared.structure import refers_to, structure
from ecom_assets.warehouse.tables import (
    ALLOCATIONS,
    SITE_CLOSURES,
    SITE_HOURS,
    SITE_LOADS,
    SITES,
    WITHDRAWALS,
)

_FARTHEST_KM = 20_040
"""Half the circumference of the earth: no great-circle distance is longer."""

_HANDLING_NEGATIVE = no_rows(
    "handling_not_negative",
    "SELECT site_code FROM {batch} WHERE handling_minor < 0",
    "No site is paid for handling a parcel.",
    is_blocking=True,
)
_LOAD_DIFFERS = no_rows(
    "allocated_equals_allocations",
    """
    SELECT load.sku, load.site_code FROM {batch} AS load
    LEFT JOIN (
        SELECT sku, site_code, sum(quantity) AS quantity
        FROM warehouse.allocations GROUP BY sku, site_code
    ) AS allocation USING (sku, site_code)
    WHERE load.allocated <> coalesce(allocation.quantity, 0)
    """,
    "Units allocated per SKU and site are the sum of the allocations.",
    is_blocking=True,
)
_LINE_DIFFERS = no_rows(
    "sku_equals_line",
    """
    SELECT allocation.allocation_id FROM {batch} AS allocation
    JOIN orders.order_lines AS line USING (order_line_id)
    WHERE (allocation.order_id, allocation.sku) <> (line.order_id, line.sku)
    """,
    "Every allocation is of what its line orders.",
    is_blocking=True,
)
_BEYOND_PROMISE = no_rows(
    "quantity_within_reservation",
    """
    SELECT allocation.allocation_id FROM (
        SELECT allocation_id, order_line_id,
            sum(quantity) OVER (PARTITION BY order_line_id) AS units
        FROM {batch} AS every
    ) AS allocation
    LEFT JOIN inventory.reservations AS reservation USING (order_line_id)
    WHERE allocation.units > coalesce(reservation.reserved, 0)
    """,
    "No line is allocated more than was reserved for it.",
    is_blocking=True,
)

EXPECTATIONS = (
    TableExpectations(
        SITES,
        (
            *structure(SITES),
            has_rows("Some site holds stock."),
            values_match("country", COUNTRY, "an ISO 3166-1 alpha-2 code"),
            values_match("currency", CURRENCY, "an ISO 4217 code", is_blocking=True),
            values_between("latitude", -90, 90, "degrees"),
            values_between("longitude", -180, 180, "degrees"),
            _HANDLING_NEGATIVE,
        ),
    ),
    TableExpectations(SITE_HOURS, structure(SITE_HOURS)),
    TableExpectations(SITE_CLOSURES, structure(SITE_CLOSURES)),
    TableExpectations(
        SITE_LOADS,
        (
            *structure(SITE_LOADS),
            refers_to(SITE_LOADS, "site_code", SITES.c.site_code),
            _LOAD_DIFFERS,
        ),
        asset=("warehouse", "allocations"),
    ),
    TableExpectations(
        ALLOCATIONS,
        (
            *structure(ALLOCATIONS),
            values_in("policy", ["single_site", "split_by_line", "split_line"]),
            values_between("distance_km", 0, _FARTHEST_KM, "km", severity=Severity.WARN),
            _LINE_DIFFERS,
            _BEYOND_PROMISE,
        ),
    ),
    TableExpectations(
        WITHDRAWALS,
        (*structure(WITHDRAWALS), refers_to(WITHDRAWALS, "site_code", SITES.c.site_code)),
    ),
)
