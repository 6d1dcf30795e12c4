"""Money as whole minor units of an ISO 4217 currency; no floating point.

Exponents are those of ISO 4217 (list one, table A.1) for the currencies that differ from two.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

_EXPONENTS = {
    "BHD": 3, "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0,
    "KMF": 0, "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0,
    "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip


def exponent(currency: str) -> int:
    """Decimal places of the minor unit of an ISO 4217 code: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """Turn an amount in major units into minor units, half to even."""
    return int(amount.scaleb(exponent(currency)).to_integral_value(rounding=ROUND_HALF_EVEN))


def to_text(amount_minor: int, currency: str) -> str:
    """Write minor units for people: `1,234.50 EUR`, `1,234 JPY`."""
    places = exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-places):,.{places}f} {currency}"
