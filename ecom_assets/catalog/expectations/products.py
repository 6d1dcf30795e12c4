"""What must hold of the catalog area's tables."""

from __future__ import annotations

from ecom_assets.catalog.tables import PRODUCTS, SUPPLIERS
from ecom_assets.shared.expectations import (
    COUNTRY,
    CURRENCY,
    Severity,
    TableExpectations,
    has_rows,
    no_rows,
    values_between,
    values_match,
)
from ecom_assets.shared.structure import refers_to, structure

_HEAVIEST_G = 1_000_000
"""A tonne: no parcel service carries more, so a heavier product is a wrong unit."""

# A guess may stand in for what is not stated, never replace it.
_WEIGHT_REPLACED = no_rows(
    "shipping_weight_as_stated",
    "SELECT sku FROM {batch} WHERE shipping_weight_g <> weight_g",
    "Where the source states a weight, it is the weight used to ship.",
)

EXPECTATIONS = (
    TableExpectations(
        SUPPLIERS,
        (
            *structure(SUPPLIERS),
            values_match("country", COUNTRY, "an ISO 3166-1 alpha-2 code"),
            values_between("lead_time_days", 0, 1000, "days", severity=Severity.WARN),
        ),
    ),
    TableExpectations(
        PRODUCTS,
        (
            *structure(PRODUCTS),
            has_rows("The shop sells something."),
            values_match("currency", CURRENCY, "an ISO 4217 code", is_blocking=True),
            values_between("shipping_weight_g", 1, _HEAVIEST_G, "grams", severity=Severity.WARN),
            refers_to(PRODUCTS, "supplier_key", SUPPLIERS.c.supplier_key),
            _WEIGHT_REPLACED,
        ),
    ),
)
