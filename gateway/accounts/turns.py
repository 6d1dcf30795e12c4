"""Turns for what takes the machine: few passwords are compared at a time, behind all else."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

Out = TypeVar("Out")

_BEHIND_OTHERS = 10


class Busy(Exception):
    """Too many want to log in at once."""


class Turns:
    """Threads of lower priority, as many as may compare passwords at the same time."""

    def __init__(self, at_once: int, most_waiting: int) -> None:
        """Take turns.

        Args:
            at_once: how many work at the same time.
            most_waiting: how many may wait; who comes then is told to come again.
        """
        self._most = at_once + most_waiting
        self._there = 0
        self._threads = ThreadPoolExecutor(at_once, "passwords", _step_back)

    async def take(self, call: Callable[..., Out], *given: Any) -> Out:
        """Call something when its turn comes.

        Raises:
            Busy: too many are waiting already.
        """
        if self._there >= self._most:
            raise Busy
        self._there += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, partial(call, *given))
        finally:
            self._there -= 1


def _step_back() -> None:
    """Let requests go before comparing passwords, which strangers can ask for without end.

    Linux gives each thread a priority of its own, which those that it starts inherit.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BEHIND_OTHERS)
