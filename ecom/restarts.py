"""When to start again what died: at once the first time, later and later if it keeps dying.

A process that had lived for a while died of something that came from outside, so it is started
at once. One that dies young, again and again, is given more and more time, because what it needs
may be away for minutes; in the end it is given up, for then it is broken itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LIVED_S = 60.0
"""A process that lived this long counts as one that had come up."""

FIRST_PAUSE_S = 1.0
"""Pause after the second early death in a row; it doubles with every further one."""

LONGEST_PAUSE_S = 30.0

MOST_EARLY_DEATHS = 12
"""Early deaths in a row after which nothing more is tried: by then about four minutes have gone."""


class Restarts:
    """The deaths of one process, and when it may be started next.

    Attributes:
        early_deaths: deaths in a row of a process that had not come up.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """A process that has not been started.

        Args:
            clock: seconds that only grow.
        """
        self.early_deaths = 0
        self._clock = clock
        self._started_at = clock()
        self._due_at: float | None = None

    def started(self) -> None:
        """Note that the process was started now."""
        self._started_at = self._clock()
        self._due_at = None

    def died(self) -> None:
        """Note that the process is dead; asked again before it was started, nothing changes."""
        if self._due_at is not None:
            return
        now = self._clock()
        self.early_deaths = self.early_deaths + 1 if now - self._started_at < LIVED_S else 0
        self._due_at = now + self._pause()

    @property
    def is_due(self) -> bool:
        """Whether the dead process may be started now."""
        return self._due_at is not None and self._clock() >= self._due_at

    @property
    def is_hopeless(self) -> bool:
        """Whether it died too often in a row to be started once more."""
        return self.early_deaths > MOST_EARLY_DEATHS

    def _pause(self) -> float:
        if self.early_deaths < 2:
            return 0.0
        pause: float = FIRST_PAUSE_S * 2 ** (self.early_deaths - 2)
        return min(pause, LONGEST_PAUSE_S)
