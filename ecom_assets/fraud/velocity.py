"""How often and by how many a card, device, e-mail, IP or address was used before an order.

The plain reference of the look-back in `store/figures.py`; a property test holds both equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

LOOK_BACK = 100
"""Earlier sightings looked at, newest first; all counts saturate there."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """An order showed a value: one row of `fraud.sightings`."""

    kind: str
    value: str
    seen_at: datetime
    order_id: int
    customer: str


@dataclass(frozen=True, slots=True)
class Velocity:
    """What was seen of a value before an order.

    Attributes:
        orders_1h: orders of the last hour; likewise for a day, 7 and 30 days.
        orders_24h: see above.
        orders_7d: see above.
        orders_30d: see above.
        customers: different other customers.
        knows_customer: whether the order's customer used the value before.
    """

    orders_1h: int
    orders_24h: int
    orders_7d: int
    orders_30d: int
    customers: int
    knows_customer: bool


def velocity(own: Sighting, sightings: Iterable[Sighting], look_back: int = LOOK_BACK) -> Velocity:
    """Count what was seen of a value strictly before an order, by moment and then order."""
    before = [
        (other.seen_at, other.order_id, other.customer)
        for other in sightings
        if (other.kind, other.value) == (own.kind, own.value)
        and (other.seen_at, other.order_id) < (own.seen_at, own.order_id)
    ]
    # Cut before counting, as the database does: all counts then rest on the same sightings.
    recent = sorted(before, reverse=True)[:look_back]
    ages = [own.seen_at - seen_at for seen_at, _, _ in recent]
    customers = {customer for _, _, customer in recent}
    return Velocity(
        orders_1h=_within(ages, timedelta(hours=1)),
        orders_24h=_within(ages, timedelta(hours=24)),
        orders_7d=_within(ages, timedelta(days=7)),
        orders_30d=_within(ages, timedelta(days=30)),
        customers=len(customers - {own.customer}),
        knows_customer=own.customer in customers,
    )


def _within(ages: list[timedelta], window: timedelta) -> int:
    return sum(age <= window for age in ages)
