"""What is left of each lot, when all that is known is what is on the shelf.

What expires first leaves first. So of the units on hand those that are left belong to the lots that
expire last, and stock that came without a lot is used before any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot at a site.

    Attributes:
        lot_id: its key; of two that expire together the older one leaves first.
        received: units that came.
        expires_at: when it expires; never, if `None`.
    """

    lot_id: int
    received: int
    expires_at: datetime | None


def left_of_lots(on_hand: int, lots: Sequence[Lot]) -> dict[int, int]:
    """Units left of each lot, by its id."""
    never = [lot for lot in lots if lot.expires_at is None]
    dated = [lot for lot in lots if lot.expires_at is not None]
    last_first = [
        *sorted(never, key=lambda lot: -lot.lot_id),
        *sorted(dated, key=lambda lot: (lot.expires_at, lot.lot_id), reverse=True),
    ]
    left = {}
    for lot in last_first:
        left[lot.lot_id] = min(on_hand, lot.received)
        on_hand -= left[lot.lot_id]
    return left
