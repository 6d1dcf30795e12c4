"""What a basket costs: the price of each line, and what coupons take off.

The plain reference of the lookup in `pricing.store.lookups`; coupons are reckoned here only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ecom_assets.pricing.model import BPS


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """One row of a price list, as the lookup sees it."""

    customer_group: str
    min_quantity: int
    price_minor: int
    valid_from: datetime
    valid_to: datetime | None


EVERYBODY = "all"
"""The group that serves those whose own group has no price."""


def listed_price(
    rows: Sequence[ListedPrice], group: str, quantity: int, at: datetime
) -> ListedPrice | None:
    """The price of a product for a group and a quantity at a moment.

    The group's own list goes before everybody's, whatever it asks; within a list the largest
    quantity that is reached counts.
    """
    fitting = [
        row for row in rows
        if row.customer_group in (group, EVERYBODY) and row.min_quantity <= quantity
        and row.valid_from <= at and (row.valid_to is None or at < row.valid_to)
    ]  # fmt: skip
    return max(
        fitting, key=lambda row: (row.customer_group == group, row.min_quantity), default=None
    )


@dataclass(frozen=True, slots=True)
class BasketLine:
    """A line of a basket.

    Attributes:
        sku: product.
        category: its category.
        quantity: units.
        price_minor: price of one unit.
        floor_minor: lowest price of one unit that limits allow; a coupon does not go below.
    """

    sku: str
    category: str
    quantity: int
    price_minor: int
    floor_minor: int = 0


@dataclass(frozen=True, slots=True)
class Coupon:
    """A code that lowers a basket; exactly one of the discounts is given."""

    code: str
    discount_bps: int | None = None
    discount_minor: int | None = None
    least_basket_minor: int = 0
    is_combinable: bool = False
    category: str = ""
    sku: str = ""

    def applies_to(self, line: BasketLine) -> bool:
        """Whether a line is in its scope."""
        return self.category in ("", line.category) and self.sku in ("", line.sku)


@dataclass(frozen=True, slots=True)
class Reduction:
    """What coupons take off a basket, by line, and which codes did it."""

    codes: tuple[str, ...]
    by_line: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of it in minor units."""
        return sum(self.by_line)


def reduce_basket(lines: Sequence[BasketLine], coupons: Sequence[Coupon]) -> Reduction:
    """The best that the coupons of a basket may do together.

    Those that combine are taken together, percentages before amounts; one that does not combine
    stands alone; the reduction that saves most counts, of equal ones the one with fewer codes. No
    line falls below its floor.
    """
    total = sum(line.price_minor * line.quantity for line in lines)
    valid = sorted(
        (coupon for coupon in coupons if coupon.least_basket_minor <= total),
        key=lambda coupon: (coupon.discount_bps is None, coupon.code),
    )
    ways = [[coupon] for coupon in valid if not coupon.is_combinable]
    ways.append([coupon for coupon in valid if coupon.is_combinable])
    reductions = [_taken(lines, way) for way in ways]
    return min(reductions, key=lambda found: (-found.total, len(found.codes), found.codes))


def _taken(lines: Sequence[BasketLine], coupons: Sequence[Coupon]) -> Reduction:
    left = [line.price_minor * line.quantity for line in lines]
    floors = [min(line.floor_minor * line.quantity, amount)
              for line, amount in zip(lines, left, strict=True)]  # fmt: skip
    whole, used = list(left), []
    for coupon in coupons:
        scope = [place for place, line in enumerate(lines) if coupon.applies_to(line)]
        before = sum(left)
        for place, part in zip(scope, _parts(coupon, [left[at] for at in scope]), strict=True):
            left[place] = max(left[place] - part, floors[place])
        # A code that changed nothing must not be used up.
        used += [coupon.code] if sum(left) < before else []
    taken = tuple(amount - rest for amount, rest in zip(whole, left, strict=True))
    return Reduction(tuple(used), taken)


def _parts(coupon: Coupon, amounts: Sequence[int]) -> list[int]:
    """What a coupon takes off each amount; a sum is shared so that not a unit is lost."""
    if coupon.discount_bps is not None:
        return [amount * coupon.discount_bps // BPS for amount in amounts]
    total, wanted = sum(amounts), coupon.discount_minor or 0
    parts: list[int] = []
    wanted, done = min(wanted, total), 0
    for amount in amounts:
        done += amount
        parts.append(wanted * done // total - sum(parts) if total else 0)
    return parts
