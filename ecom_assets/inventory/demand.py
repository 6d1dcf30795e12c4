"""What counts as demand, in its plain form; `inventory.store` computes the same in SQL.

Sales are not demand: what was taken back at once was never wanted, and a week without stock hides
what would have been bought. A test holds both forms equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Part:
    """Units of an order line that one site ships, or that no site was chosen for yet.

    Attributes:
        line_no: number of the line within the order.
        site_code: the site; the SKU's home site where none was chosen.
        units: units ordered.
    """

    line_no: int
    site_code: str
    units: int


def week_of(moment: datetime) -> date:
    """Monday of the week of a moment, in UTC."""
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def kept(parts: Sequence[Part], taken_back: int) -> list[Part]:
    """What is left of a SKU's parts in an order when units of it are taken back.

    The order does not say which line or site loses them, so the last do: lines and sites in order
    keep theirs until what was kept is used up.

    Args:
        parts: of one SKU in one order.
        taken_back: units taken back in the week of the order.
    """
    left = sum(part.units for part in parts) - taken_back
    found = []
    for part in sorted(parts, key=lambda part: (part.line_no, part.site_code)):
        units = max(0, min(part.units, left))
        left -= units
        found.append(Part(part.line_no, part.site_code, units))
    return found


def stockout_share(moves: Iterable[tuple[datetime, int]], week: date, until: datetime) -> float:
    """Share of a week in which a site had none of a SKU.

    Before its first movement a SKU was not kept at the site, which hides no demand.

    Args:
        moves: moments and quantities of all movements of the SKU at the site, in order.
        week: Monday of the week.
        until: movements from here on are not known; the week ends with it if that is earlier.
    """
    begins = datetime.combine(week, datetime.min.time(), UTC)
    known = [(at, units) for at, units in moves if at < until]
    on_hand, out = 0, timedelta()
    for place, (at, units) in enumerate(known):
        on_hand += units
        ends = known[place + 1][0] if place + 1 < len(known) else until
        if on_hand <= 0:
            out += max(min(ends, begins + WEEK) - max(at, begins), timedelta())
    return out / WEEK
