"""An effect that is about to leave, what became of an attempt, and who sends effects of a kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Outcome(StrEnum):
    """What became of an attempt."""

    CONFIRMED = "confirmed"
    """The other side said that it has it."""
    REFUSED = "refused"
    """It refused for now and surely took nothing."""
    FAILED = "failed"
    """It refused for good."""
    UNREACHABLE = "unreachable"
    """The other side takes nothing from us at present; it says nothing about this effect."""
    UNANSWERED = "unanswered"
    """Nobody can say whether it happened."""


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect in the hands of a worker.

    Attributes:
        effect_id: surrogate key.
        kind: what kind of effect.
        reference: what the outside world knows it by.
        payload: all that is needed to send it.
        due_at: business moment from which it may happen.
        attempt: number of this attempt, 1 for the first.
        refusals: times it was refused before.
    """

    effect_id: int
    kind: str
    reference: str
    payload: Mapping[str, Any]
    due_at: datetime
    attempt: int
    refusals: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """An effect of which nobody knows whether it happened.

    Attributes:
        effect_id: surrogate key.
        kind: what kind of effect.
        reference: what to ask the outside world for.
        attempt: number of the attempt in doubt.
        claimed_at: when that attempt began.
        lease_until_at: when it can have sent anything at the latest.
        asked_at: moment of the question.
    """

    effect_id: int
    kind: str
    reference: str
    attempt: int
    claimed_at: datetime
    lease_until_at: datetime
    asked_at: datetime


class Channel(Protocol):
    """Sends the effects of one kind and finds out what became of those in doubt."""

    @property
    def problem(self) -> str | None:
        """Why nothing can be sent at present, in words for operators; None if it can."""

    @property
    def settle_s(self) -> float:
        """Seconds after which what was sent is surely found by `find_sent`."""

    def send(self, effect: Effect, may_go: Callable[[], bool]) -> tuple[Outcome, str]:
        """Send one effect; asks `may_go` at the last moment before anything can take effect."""

    def find_sent(self, references: Collection[str], since: datetime) -> frozenset[str] | None:
        """Which of the references the outside world knows; None where it cannot be asked.

        Args:
            references: references in doubt.
            since: moment before which none of them was sent.
        """
