"""How often something may be done: counted in this process, or in Redis where several share it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from math import ceil

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.storage import storage_from_string

_LOG = logging.getLogger("gateway.limits")

_RETRIED_AFTER_S = 10.0
"""How long this process counts by itself after Redis did not answer."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many within a time, such as `10 per 15 minutes`, per what is counted."""

    name: str
    item: RateLimitItem


def limit(name: str, text: str) -> Limit:
    """A limit from its words."""
    return Limit(name, parse(text))


LOGINS_PER_NAME = limit("login-name", "10 per 15 minutes")
LOGINS_PER_ADDRESS = limit("login-address", "60 per 15 minutes")
REQUESTS_PER_KEY = limit("key", "1200 per minute")
REQUESTS_PER_SESSION = limit("session", "3000 per minute")
REFUSED_PER_ADDRESS = limit("refused-address", "120 per minute")
"""Requests with a key that is no good."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What is left after one more.

    Attributes:
        wait_s: seconds to wait if it was one too many, else 0.
        left: how many more may come at once.
        resets_s: seconds until the whole limit is there again.
    """

    wait_s: int
    left: int
    resets_s: int


class Counter:
    """Counts what is done and says when it is too much."""

    def __init__(self, redis_url: str = "") -> None:
        """A counter.

        Args:
            redis_url: where to count; in this process, if empty.
        """
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared: SlidingWindowCounterRateLimiter | None = None
        if redis_url:
            options = {"implementation": "redispy", "socket_timeout": 1.0}
            shared = storage_from_string(f"async+{redis_url}", **options)  # type: ignore[arg-type]
            assert isinstance(shared, Storage)  # noqa: S101 - what async+ means
            self._shared, self._storage = SlidingWindowCounterRateLimiter(shared), shared
        self._tried_again_at, self._is_lost = 0.0, False

    @property
    def degraded(self) -> str | None:
        """Why requests are not counted where they should be, or None."""
        if not self._is_lost:
            return None
        return "Redis does not answer; each entrance counts requests by itself"

    async def close(self) -> None:
        """Let the connections to Redis go."""
        if self._shared:
            await self._storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]

    async def wait_s(self, of: Limit, who: str) -> int:
        """Count one; returns the seconds to wait if it was one too many, else 0."""
        return (await self.count(of, who)).wait_s

    async def count(self, of: Limit, who: str) -> Counted:
        """Count one and say what is left."""
        if self._shared and time.monotonic() >= self._tried_again_at:
            try:
                counted = await _count(self._shared, of, who)
                self._is_lost = False
                return counted
            except Exception as error:  # whatever Redis has, the entrance goes on
                self._is_lost = True
                self._tried_again_at = time.monotonic() + _RETRIED_AFTER_S
                _LOG.warning("Redis does not count requests: %s", type(error).__name__)
        return await _count(self._own, of, who)


async def _count(limiter: SlidingWindowCounterRateLimiter, of: Limit, who: str) -> Counted:
    is_within = await limiter.hit(of.item, of.name, who)
    stats = await limiter.get_window_stats(of.item, of.name, who)
    resets_s = max(1, ceil(stats.reset_time - time.time()))
    return Counted(0 if is_within else resets_s, max(0, stats.remaining), resets_s)
