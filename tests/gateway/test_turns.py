"""Passwords are compared few at a time, behind everything else, and not without end."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from gateway.accounts.turns import Busy, Turns


def test_no_more_work_at_once_than_may_and_the_rest_is_sent_away() -> None:
    turns, gate = Turns(2, 3), threading.Event()
    now, most = 0, 0
    lock = threading.Lock()

    def work() -> str:
        nonlocal now, most
        with lock:
            now, most = now + 1, max(most, now + 1)
        gate.wait(10)
        with lock:
            now -= 1
        return "done"

    async def come() -> list[object]:
        tasks = [asyncio.create_task(turns.take(work)) for _ in range(9)]
        await asyncio.sleep(0.2)
        gate.set()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    came = asyncio.run(come())
    assert most == 2
    assert came.count("done") == 5
    assert sum(isinstance(each, Busy) for each in came) == 4


def test_a_turn_that_fails_is_given_back() -> None:
    turns = Turns(1, 0)

    def fail() -> None:
        raise ValueError("wrong")

    async def come() -> str:
        for _ in range(3):
            with pytest.raises(ValueError, match="wrong"):
                await turns.take(fail)
        return await turns.take(str, "in")

    assert asyncio.run(come()) == "in"


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority on Linux only")
def test_they_work_behind_everything_else() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async def ask() -> int:
        return await Turns(1, 1).take(priority)

    own = priority()
    assert asyncio.run(ask()) > own or own >= 10
    assert priority() == own
