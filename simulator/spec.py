"""What a shop is made from: the number of orders, the seed, and the sizes that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

VERSION = 1
"""Raised whenever the same specification would give other files than before."""


@dataclass(frozen=True, slots=True)
class ShopSpec:
    """A shop of any size; equal specifications give equal files, byte for byte.

    The span is fixed at 52 weeks, so a larger shop is a busier one rather than an older one.

    Attributes:
        orders: orders placed over the span, at least 1.
        seed: chooses among shops of the same size.
        start: first moment of the span, a Monday at midnight UTC.
        days: length of the span in days, whole weeks.
    """

    orders: int
    seed: int
    start: datetime = datetime(2025, 1, 6, tzinfo=UTC)
    days: int = 364

    def __post_init__(self) -> None:
        """Refuse a shop that cannot be.

        Raises:
            ValueError: `orders` is below 1 or the span is not made of whole weeks.
        """
        if self.orders < 1:
            raise ValueError(f"orders must be at least 1, not {self.orders}")
        if self.days < 7 or self.days % 7:
            raise ValueError(f"days must be whole weeks, not {self.days}")

    @property
    def start_s(self) -> int:
        """First second of the span, in seconds since 1970 UTC."""
        return int(self.start.timestamp())

    @property
    def end_s(self) -> int:
        """First second after the span, in seconds since 1970 UTC."""
        return self.start_s + self.days * 86_400

    @property
    def skus(self) -> int:
        """Products; they grow slower than orders, about 560 for 1,000 and 12,500 for a million."""
        return max(20, int(25 * self.orders**0.45))

    @property
    def suppliers(self) -> int:
        """Suppliers, one per 40 products or so."""
        return 3 + self.skus // 40

    @property
    def first_customers(self) -> int:
        """Customers who had an account before the span."""
        return 32 + self.orders // 10
