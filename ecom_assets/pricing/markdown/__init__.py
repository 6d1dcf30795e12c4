"""Clearing a stock by a fixed day: which price in which week.

Dynamic programming over weeks and units left, demand of a week being Poisson with an elasticity
that is known with an error (G. Gallego and G. van Ryzin, Management Science 40, 1994). The plan is
a policy: the price of a week depends on what is left then. Prices only fall.
"""

from __future__ import annotations

from ecom_assets.pricing.markdown.planning import (
    LADDER,
    MOST_WIDTH,
    Clearance,
    Policy,
    is_automated,
    ladder_takings,
    plan_clearance,
)

__all__ = [
    "LADDER",
    "MOST_WIDTH",
    "Clearance",
    "Policy",
    "is_automated",
    "ladder_takings",
    "plan_clearance",
]
