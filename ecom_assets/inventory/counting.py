"""When a count is posted by itself and when a person must approve it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CountState(StrEnum):
    """What becomes of a count."""

    EQUAL = "equal"
    POSTED = "posted"
    NEEDS_APPROVAL = "needs_approval"
    REJECTED = "rejected"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a count may differ from the ledger; the larger of the two applies.

    Attributes:
        units: units.
        share_percent: percent of the units expected.
    """

    units: int = 1
    share_percent: float = 2.0


def tolerated(expected: int, tolerance: Tolerance) -> float:
    """Units by which a count of `expected` units may differ."""
    return max(float(tolerance.units), expected * tolerance.share_percent / 100)


def judge(expected: int, counted: int, tolerance: Tolerance) -> CountState:
    """What becomes of a count, before stock is asked whether it can follow."""
    if counted == expected:
        return CountState.EQUAL
    within = abs(counted - expected) <= tolerated(expected, tolerance)
    return CountState.POSTED if within else CountState.NEEDS_APPROVAL
