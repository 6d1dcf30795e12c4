"""Counting requests: in this process, in Redis, and while Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.redis_server import PROGRAM, RedisServer
from gateway import limits
from gateway.limits import Counter, limit

THREE = limit("test", "3 per minute")


async def waits(counter: Counter, times: int, who: str = "ann") -> list[bool]:
    """Whether each of several requests had to wait."""
    return [bool(await counter.wait_s(THREE, who)) for _ in range(times)]


def test_one_too_many_waits() -> None:
    async def ask() -> None:
        counter = Counter()
        assert await waits(counter, 4) == [False, False, False, True]
        assert await waits(counter, 1, "bob") == [False]
        counted = await counter.count(THREE, "bob")
        assert (counted.wait_s, counted.left) == (0, 1)
        assert 0 < counted.resets_s <= 120

    asyncio.run(ask())


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that runs."""
    if PROGRAM is None:
        pytest.skip("redis-server is not installed (Debian's package redis-server)")
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


def test_entrances_share_what_they_count_in_redis(redis: RedisServer) -> None:
    async def ask() -> None:
        first, second = Counter(redis.url), Counter(redis.url)
        assert await waits(first, 2) == [False, False]
        assert await waits(second, 2) == [False, True]
        assert (first.degraded, second.degraded) == (None, None)
        for each in (first, second):
            await each.close()

    asyncio.run(ask())


def test_requests_are_counted_while_redis_is_away_and_in_it_again_afterwards(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_RETRIED_AFTER_S", 0.5)

    async def ask() -> None:
        counter = Counter(redis.url)
        assert await waits(counter, 2) == [False, False]
        redis.stop()
        assert await waits(counter, 4) == [False, False, False, True]
        assert "Redis does not answer" in str(counter.degraded)
        redis.start()
        await asyncio.sleep(0.6)
        assert counter.degraded, "nobody has seen yet that it is back"
        assert await waits(counter, 4, "bob") == [False, False, False, True]
        assert str(counter.degraded) == "None"
        other = Counter(redis.url)
        assert await waits(other, 1, "bob") == [True]
        for each in (counter, other):
            await each.close()

    asyncio.run(ask())
