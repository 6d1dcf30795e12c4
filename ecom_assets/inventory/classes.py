"""How SKUs sell: by value (ABC), by steadiness (XYZ), and whether their stock is dead.

ABC follows Pareto: the SKUs that together make the first 80% of what was sold at cost are A, the
next 15% B, the rest C. XYZ is the standard deviation of weekly sales over their mean: up to a half
X, up to one Y, above Z; weeks without a sale count. (Scholz-Reiter et al., Integration of demand
forecasts in ABC-XYZ analysis, 2012.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

CLASSES_VERSION = "sku-classes-1"
"""Version of the rule; raise it when the rule changes."""


@dataclass(frozen=True, slots=True)
class ClassRules:
    """Where the classes end.

    Attributes:
        weeks: weeks of sales that are looked at.
        a_share: share of the value sold that A SKUs make.
        b_share: share that A and B SKUs make together.
        x_spread: largest spread of X.
        y_spread: largest spread of Y.
        dead_days: days without a sale and without new stock after which stock is dead.
    """

    weeks: int = 26
    a_share: float = 0.8
    b_share: float = 0.95
    x_spread: float = 0.5
    y_spread: float = 1.0
    dead_days: int = 180


CLASS_RULES = ClassRules()
"""What a shop uses that says nothing else."""


def abc(sold: Mapping[str, int], rules: ClassRules = CLASS_RULES) -> dict[str, str]:
    """Class of each SKU by the value sold, in minor units of one currency."""
    total, before, found = sum(sold.values()), 0, {}
    for sku in sorted(sold, key=lambda sku: (-sold[sku], sku)):
        if not sold[sku] or before >= rules.b_share * total:
            found[sku] = "C"
        else:
            found[sku] = "A" if before < rules.a_share * total else "B"
        before += sold[sku]
    return found


def spread(weekly: Sequence[int]) -> float | None:
    """Standard deviation over mean of the units sold per week; `None` if nothing was sold."""
    mean = sum(weekly) / len(weekly)
    if not mean:
        return None
    # The mean square less the squared mean may fall below zero by rounding.
    variance = max(0.0, sum(units * units for units in weekly) / len(weekly) - mean * mean)
    return sqrt(variance) / mean


def xyz(found: float | None, rules: ClassRules = CLASS_RULES) -> str | None:
    """Class of a spread."""
    if found is None:
        return None
    if found <= rules.x_spread:
        return "X"
    return "Y" if found <= rules.y_spread else "Z"


def is_dead(
    on_hand: int,
    last_sold_at: datetime | None,
    last_came_at: datetime,
    as_of: datetime,
    rules: ClassRules = CLASS_RULES,
) -> bool:
    """Whether stock has lain unsold, and none has come, for longer than the rules allow."""
    long_ago = as_of - timedelta(days=rules.dead_days)
    unsold = last_sold_at is None or last_sold_at < long_ago
    return on_hand > 0 and unsold and last_came_at < long_ago
