"""Progress on standard error: one line per step, with its seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Says what goes on and remembers how long each stage took.

    Attributes:
        seconds: seconds per stage, in the order in which the stages ended.
    """

    def __init__(self, elapsed: float = 0.0) -> None:
        """Start the clock of the command, which began `elapsed` seconds ago."""
        self.seconds: dict[str, float] = {}
        self._stream = sys.stderr
        self._started = time.perf_counter() - elapsed

    @property
    def elapsed(self) -> float:
        """Seconds since the command began."""
        return time.perf_counter() - self._started

    def say(self, line: str) -> None:
        """Write one line, with the seconds since the command began."""
        self._stream.write(f"{self.elapsed:7.1f} s  {line}\n")
        self._stream.flush()

    def note(self, stage: str, seconds: float) -> None:
        """Remember the seconds of a stage that was measured elsewhere."""
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + seconds, 3)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what happens in the block as the stage `name`."""
        begun = time.perf_counter()
        yield
        self.note(name, time.perf_counter() - begun)
