"""Expectations of tax rates, orders' taxes, the OSS threshold and VAT ids."""

from __future__ import annotations

from ecom_assets.backoffice.tables import (
    EXCHANGE_RATES,
    ORDER_TAXES,
    OSS_TURNOVER,
    TAX_CATEGORIES,
    TAX_RATES,
    TAX_SETTINGS,
    VAT_CHECKS,
)
from ecom_assets.shared.expectations import (
    COUNTRY,
    CURRENCY,
    Severity,
    TableExpectations,
    no_rows,
    values_match,
)
from ecom_assets.shared.structure import structure

_RATES = ("backoffice", "tax_rates")
_COUNTRY = "an ISO 3166-1 alpha-2 code"

_OVERLAPS = no_rows(
    "never_overlap",
    "SELECT mine.tax_rate_id FROM {batch} AS mine JOIN backoffice.tax_rates AS other"
    " ON (other.country, other.region, other.tax_category)"
    " = (mine.country, mine.region, mine.tax_category) AND other.tax_rate_id <> mine.tax_rate_id"
    " AND daterange(other.valid_from_date, other.valid_to_date)"
    " && daterange(mine.valid_from_date, mine.valid_to_date)",
    "Two rates never hold for the same sale.",
    is_blocking=True,
)
_DIFFERS = no_rows(
    "as_the_rates_say",
    "SELECT order_id FROM {batch} WHERE outcome = 'differs'",
    "Channels state the tax that the rates of the day say.",
    severity=Severity.WARN,
)
_UNKNOWN = no_rows(
    "has_rates",
    "SELECT order_id FROM {batch} WHERE outcome = 'no_rate'",
    "Every order's country has a rate on its day.",
    severity=Severity.WARN,
)
_UNCONVERTED = no_rows(
    "converted",
    "SELECT year, seller_country, country, currency FROM {batch} WHERE unconverted > 0",
    "Every sale to another country of the EU has an exchange rate of its day.",
    severity=Severity.WARN,
)

TAX_TABLES = (
    TableExpectations(
        TAX_RATES,
        (*structure(TAX_RATES), _OVERLAPS, values_match("country", COUNTRY, _COUNTRY)),
    ),
    TableExpectations(TAX_CATEGORIES, structure(TAX_CATEGORIES), asset=_RATES),
    TableExpectations(
        TAX_SETTINGS,
        (*structure(TAX_SETTINGS), values_match("seller_country", COUNTRY, _COUNTRY)),
        asset=_RATES,
    ),
    TableExpectations(
        EXCHANGE_RATES,
        (*structure(EXCHANGE_RATES), values_match("currency", CURRENCY, "an ISO 4217 code")),
        asset=_RATES,
    ),
    TableExpectations(ORDER_TAXES, (*structure(ORDER_TAXES), _DIFFERS, _UNKNOWN)),
    TableExpectations(OSS_TURNOVER, (*structure(OSS_TURNOVER), _UNCONVERTED)),
    TableExpectations(VAT_CHECKS, structure(VAT_CHECKS)),
)
