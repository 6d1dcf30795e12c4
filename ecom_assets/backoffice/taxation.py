"""Which tax is due on a sale, and how it is rounded: the plain reference of `store.order_taxes`.

Where goods go decides (Directive 2006/112/EC, articles 32, 33 and 59c): sales within the seller's
country are taxed there; sales to consumers in other countries of the EU are taxed where the seller
is until they pass 10,000 EUR in a calendar year, and where the goods go from then on (the one-stop
shop, OSS); sales to businesses there are taxed by the buyer (article 138 and 196, reverse charge)
only if the register says that the buyer's VAT id is valid; what leaves the EU is not taxed.

The rate is that of the day on which tax becomes due. That is a setting per channel: `invoice` is
the day of the supply, as the directive has it (article 63), `order` the day of the order, for
sources that state tax as it was when the customer bought. A rate that changes in mid-order is thus
the new one for `invoice`, the old one for `order`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

BPS = 10_000
"""Basis points of the whole."""

STANDARD = "standard"
"""Tax category of products of which nothing else is said."""

OSS_THRESHOLD_MINOR = 1_000_000
"""10,000 EUR a calendar year, in cents: from then on sales are taxed where the goods go."""

EU = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
    "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
"""Member states by ISO 3166-1; VAT ids of Greece begin with EL all the same."""


class Mode(StrEnum):
    """What becomes of half a minor unit; `DOWN` leaves out every fraction. Signs do not matter."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    DOWN = "down"


class Rounding(StrEnum):
    """What is rounded: every line, or the sum of all lines with one rate."""

    LINE = "line"
    DOCUMENT = "document"


class VatState(StrEnum):
    """What is known of a VAT id; only `VALID` is an answer that spares the seller the tax."""

    NONE = "none"
    PENDING = "pending"
    VALID = "valid"
    INVALID = "invalid"
    MALFORMED = "malformed"


class Treatment(StrEnum):
    """Whose tax a sale bears.

    DOMESTIC: the seller's country, where the goods stay.
    ORIGIN: the seller's country, although the goods go to another country of the EU.
    DESTINATION: the country of the EU where the goods go, declared through the one-stop shop.
    REVERSE_CHARGE: none; the buyer owes it.
    OUTSIDE: none; the goods leave the EU, or come from outside and are taxed at import.
    """

    DOMESTIC = "domestic"
    ORIGIN = "origin"
    DESTINATION = "destination"
    REVERSE_CHARGE = "reverse_charge"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate in a country or a region of it, for a category, from a day on to before another."""

    country: str
    region: str
    tax_category: str
    rate_bps: int
    valid_from_date: date
    valid_to_date: date | None = None
    tax_rate_id: int = 0

    def holds(self, on: date) -> bool:
        """Whether the rate holds on a day."""
        return self.valid_from_date <= on and (
            self.valid_to_date is None or on < self.valid_to_date
        )


@dataclass(frozen=True, slots=True)
class Line:
    """An amount in minor units, which may be negative, and the rate it is taxed by."""

    amount_minor: int
    rate_bps: int


def treatment(
    seller: str, buyer: str, vat_state: VatState = VatState.NONE, is_in_oss: bool = False
) -> Treatment:
    """Whose tax a sale bears.

    Args:
        seller: country of the seller, ISO 3166-1.
        buyer: country where the goods go.
        vat_state: what the register said of the buyer's VAT id; without an answer the buyer is
            taken for a consumer.
        is_in_oss: whether sales to consumers in other countries are taxed there.
    """
    if seller == buyer:
        return Treatment.DOMESTIC
    if seller not in EU or buyer not in EU:
        return Treatment.OUTSIDE
    if vat_state is VatState.VALID:
        return Treatment.REVERSE_CHARGE
    return Treatment.DESTINATION if is_in_oss else Treatment.ORIGIN


def taxing_country(treatment: Treatment, seller: str, buyer: str) -> str | None:
    """The country whose rates hold; None where no tax is due to anybody by the seller."""
    if treatment in (Treatment.REVERSE_CHARGE, Treatment.OUTSIDE):
        return None
    return buyer if treatment is Treatment.DESTINATION else seller


def rate_for(
    rates: Sequence[Rate], country: str, region: str, tax_category: str, on: date
) -> Rate | None:
    """The rate that holds: the region's before the country's, the category's before the standard.

    Returns:
        None where no rate of the country holds on the day.
    """
    for category in (tax_category, STANDARD):
        for place in (region, ""):
            wanted = (country, place, category)
            for rate in rates:
                if (rate.country, rate.region, rate.tax_category) == wanted and rate.holds(on):
                    return rate
    return None


def rounded(dividend: int, divisor: int, mode: Mode) -> int:
    """A quotient as a whole number; the same for an amount and its refund, but for the sign."""
    whole, rest = divmod(abs(dividend), divisor)
    if mode is not Mode.DOWN and (
        2 * rest > divisor or (2 * rest == divisor and (mode is Mode.HALF_UP or whole % 2 == 1))
    ):
        whole += 1
    return whole if dividend >= 0 else -whole


def line_taxes(
    lines: Sequence[Line], is_contained: bool, rounding: Rounding, mode: Mode
) -> list[int]:
    """The tax of each line, in minor units; the tax of the document is their sum.

    Args:
        lines: amounts with their rates.
        is_contained: whether amounts contain the tax; else it is added to them.
        rounding: per line, or per sum of the lines with one rate. The sum is rounded once then,
            and each line gets what it adds to the rounded sum of those before it.
        mode: what becomes of half a unit.
    """
    before: dict[int, int] = {}
    taxes = []
    for line in lines:
        divisor = BPS + line.rate_bps if is_contained else BPS
        start = before.get(line.rate_bps, 0) if rounding is Rounding.DOCUMENT else 0
        end = start + line.amount_minor
        taxes.append(
            rounded(end * line.rate_bps, divisor, mode)
            - rounded(start * line.rate_bps, divisor, mode)
        )
        before[line.rate_bps] = end
    return taxes
