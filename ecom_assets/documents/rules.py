"""What an invoice charges, and how its number is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ecom_assets.documents.model import InvoiceLine


def apportion(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount in proportion to weights so that the parts add up to it exactly.

    Every part gets the whole minor units of its share; what is left goes, one unit each, to the
    largest remainders, the earlier part first among equals (Hamilton's method).

    Args:
        amount_minor: what to divide, not negative.
        weights: whole numbers, not negative, at least one positive.

    Raises:
        ValueError: a negative amount, or weights that do not allow a proportion.
    """
    total = sum(weights)
    if amount_minor < 0 or total <= 0 or min(weights) < 0:
        raise ValueError(f"cannot divide {amount_minor} in proportion to {list(weights)}")
    # Whole numbers only: a float share would lose a minor unit in a large amount.
    parts = [amount_minor * weight // total for weight in weights]
    remainders = [amount_minor * weight % total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda part: (-remainders[part], part))
    for part in by_remainder[: amount_minor - sum(parts)]:
        parts[part] += 1
    return parts


def shipped_line(
    line_no: int,
    sku: str,
    description: str,
    ordered: int,
    shipped: int,
    unit_price_minor: int,
    discount_minor: int,
    tax_minor: int,
) -> InvoiceLine:
    """The invoice line for the shipped part of an order line.

    Discount and tax are those of the whole line; the shipped part bears its share, and what is
    left belongs to the units that are not shipped, so that nothing is charged twice or lost.
    """
    parts = (shipped, ordered - shipped)
    return InvoiceLine(
        line_no=line_no,
        sku=sku,
        description=description,
        quantity=shipped,
        unit_price_minor=unit_price_minor,
        discount_minor=apportion(discount_minor, parts)[0],
        tax_minor=apportion(tax_minor, parts)[0],
    )


def series_of(issued_at: datetime) -> str:
    """The number series of an invoice: one per year of issue, in UTC."""
    return f"INV-{issued_at.astimezone(UTC).year}"


def number_text(series: str, number: int) -> str:
    """An invoice number as it is printed: `INV-2018-000042`."""
    return f"{series}-{number:06d}"


def parse_number(text: str) -> tuple[str, int]:
    """Series and number of a printed invoice number.

    Raises:
        ValueError: the text is not an invoice number.
    """
    series, _, number = text.rpartition("-")
    # isdecimal() and not isdigit(), which takes superscripts that int() refuses.
    if not series or not number.isdecimal():
        raise ValueError(f"{text!r} is not an invoice number such as INV-2018-000042")
    return series, int(number)
