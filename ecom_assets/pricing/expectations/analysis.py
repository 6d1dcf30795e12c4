"""Expectations of elasticities, price tests, markdown plans and backtests."""

from __future__ import annotations

from ecom_assets.pricing.tables import BACKTESTS, ELASTICITIES, MARKDOWN_PLANS, PRICE_TESTS
from ecom_assets.shared.expectations import (
    CURRENCY,
    Severity,
    TableExpectations,
    no_rows,
    values_between,
    values_match,
)
from ecom_assets.shared.structure import structure

_USABLE = no_rows(
    "usable_only_if_caused",
    "SELECT channel, currency, sku, estimated_as_of FROM {batch}"
    " WHERE is_usable AND (method = 'association' OR elasticity >= 0)",
    "No price is set by an elasticity that is only an association.",
    is_blocking=True,
)
_AUTOMATED = no_rows(
    "automated_only_without_doubt",
    "SELECT markdown_plan_id FROM {batch} WHERE is_automated AND reasons <> '{{}}'",
    "A markdown that has a doubt against it is not carried out by itself.",
    is_blocking=True,
)

ANALYSIS = (
    TableExpectations(
        ELASTICITIES,
        (
            *structure(ELASTICITIES),
            _USABLE,
            values_match("currency", CURRENCY, "an ISO 4217 code"),
            values_between("elasticity", -12, 2, severity=Severity.WARN),
        ),
    ),
    TableExpectations(PRICE_TESTS, structure(PRICE_TESTS)),
    TableExpectations(MARKDOWN_PLANS, (*structure(MARKDOWN_PLANS), _AUTOMATED)),
    TableExpectations(BACKTESTS, structure(BACKTESTS)),
)
