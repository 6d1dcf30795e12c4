"""Money as whole minor units of an ISO 4217 currency; no floating point.

Exponents are those of ISO 4217 (list one, table A.1) for the currencies that differ from two.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

_EXPONENTS = {
    "BHD": 3, "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0,
    "KMF": 0, "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0,
    "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip

# In minor units, so that no exponent is applied twice; two digits are more than thresholds need.
_ROUGHLY_PER_EUR = {
    "AED": 400, "AUD": 170, "BGN": 196, "BRL": 600, "CAD": 150, "CHF": 95, "CLP": 1_000,
    "CNY": 780, "COP": 450_000, "CZK": 2_500, "DKK": 746, "EGP": 5_000, "GBP": 85, "HKD": 850,
    "HUF": 40_000, "IDR": 1_800_000, "ILS": 400, "INR": 9_500, "ISK": 145, "JPY": 160,
    "KRW": 1_500, "KWD": 330, "MXN": 2_000, "MYR": 480, "NOK": 1_150, "NZD": 185, "PEN": 410,
    "PHP": 6_300, "PLN": 430, "RON": 500, "RUB": 9_500, "SAR": 410, "SEK": 1_130, "SGD": 145,
    "THB": 3_800, "TND": 3_350, "TRY": 4_000, "TWD": 3_500, "UAH": 4_500, "USD": 110,
    "VND": 28_000, "XAF": 656, "XOF": 656, "ZAR": 2_000,
}  # fmt: skip


def exponent(currency: str) -> int:
    """Decimal places of the minor unit of an ISO 4217 code: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, 2)


def roughly_minor_per_eur(currency: str) -> int:
    """About how many minor units of a currency a euro buys; a major unit if the code is unknown.

    Fixed on purpose and right within tens of percent: it gives thresholds the same weight in every
    currency and compares sizes of orders. It must never turn an amount into another currency.
    """
    return _ROUGHLY_PER_EUR.get(currency) or int(10 ** exponent(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Turn an amount in major units into minor units, half to even."""
    return int(amount.scaleb(exponent(currency)).to_integral_value(rounding=ROUND_HALF_EVEN))


def to_text(amount_minor: int, currency: str) -> str:
    """Write minor units for people: `1,234.50 EUR`, `1,234 JPY`."""
    # Decimal to the end: a double loses cents from 2**53 minor units on.
    places = exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-places):,.{places}f} {currency}"


# Funds codes such as CLF are left out: they have minor units of their own and nobody pays in them.
CURRENCIES = frozenset([
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD",
    "BDT", "BGN", "BHD", "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN",
    "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP", "CRC", "CUC", "CUP", "CVE", "CZK",
    "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL",
    "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HRK", "HTG", "HUF", "IDR",
    "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF",
    "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD",
    "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR",
    "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP",
    "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG",
    "SEK", "SGD", "SHP", "SLE", "SLL", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL",
    "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD",
    "UYU", "UZS", "VED", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF",
    "YER", "ZAR", "ZMW", "ZWG", "ZWL",
])  # fmt: skip
"""ISO 4217 codes of list one that people pay in, and the withdrawn ones recent orders still carry;
no funds, metals or test codes."""
