"""What a cell of a price file says: an amount, a quantity, a moment, or why it cannot be used."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

from ecom_assets.pricing.model import MOST_MINOR
from ecom_assets.shared.money import CURRENCIES, exponent

BLANK = frozenset({"", "-", "nil", "nill", "null", "none", "na", "n/a", "nan"})
"""What people write where there is nothing, in lower case."""

_ERROR = re.compile(r"#(REF|N/A|VALUE|NAME\?|DIV/0|NUM|NULL)!?", re.IGNORECASE)
_AMOUNT = re.compile(r"([0-9]{1,3}(,[0-9]{2,3})+|[0-9]+)(\.[0-9]+)?")


class Refusal(ValueError):
    """Why a cell cannot be used: a code, and what it says.

    Attributes:
        reason: a code such as `price_not_a_number`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def sku_of(text: str) -> str:
    """The SKU of a cell.

    Raises:
        Refusal: it is empty or an error of a spreadsheet.
    """
    sku = text.strip()
    if not sku:
        raise Refusal("sku_missing", "the SKU is empty")
    if _ERROR.fullmatch(sku):
        raise Refusal("sku_is_an_error", f"the SKU is the spreadsheet error {sku}")
    return sku


def amount_of(text: str, currency: str, what: str = "price") -> int | None:
    """The amount of a cell in minor units, None where it is blank.

    Raises:
        Refusal: it is no positive amount of the currency.
    """
    plain = text.strip()
    if plain.lower() in BLANK:
        return None
    if _ERROR.fullmatch(plain):
        raise Refusal(f"{what}_is_an_error", f"the {what} is the spreadsheet error {plain}")
    if not _AMOUNT.fullmatch(plain):
        raise Refusal(f"{what}_not_a_number", f"the {what} {plain[:40]!r} is no amount")
    scaled = Decimal(plain.replace(",", "")).scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        raise Refusal(f"{what}_too_precise", f"{plain[:40]} is finer than {currency} is")
    if scaled > MOST_MINOR:
        raise Refusal(f"{what}_too_large", f"{plain[:40]} is more than any price")
    if scaled <= 0:
        raise Refusal(f"{what}_not_positive", f"the {what} {plain[:40]} is not above zero")
    return int(scaled)


def currency_of(text: str) -> str:
    """The currency of a cell.

    Raises:
        Refusal: it is no code of ISO 4217.
    """
    code = text.strip().upper()
    if code not in CURRENCIES:
        raise Refusal("currency_unknown", f"{code[:10]!r} is no ISO 4217 code")
    return code


def quantity_of(text: str) -> int:
    """Units from which a price holds, 1 where the cell is blank.

    Raises:
        Refusal: it is no whole number from 1.
    """
    plain = text.strip()
    if plain.lower() in BLANK:
        return 1
    if not re.fullmatch(r"[0-9]{1,7}(\.0+)?", plain) or int(float(plain)) < 1:
        raise Refusal("quantity_not_a_number", f"the quantity {plain[:40]!r} is no whole number")
    return int(float(plain))


def moment_of(text: str) -> datetime | None:
    """The moment of a cell in UTC where it names no zone, None where it is blank.

    Raises:
        Refusal: it is no ISO 8601 date or moment.
    """
    plain = text.strip()
    if plain.lower() in BLANK:
        return None
    try:
        found = datetime.fromisoformat(plain)
    except ValueError as error:
        raise Refusal("date_unreadable", f"{plain[:40]!r} is no ISO 8601 date") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
