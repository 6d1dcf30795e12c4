"""What the watch over the services does when something will not start."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ecom.platform import Platform
from ecom.postgres import EmbeddedPostgres
from ecom.problems import Problem
from ecom.progress import Progress
from ecom.restarts import MOST_EARLY_DEATHS, Restarts
from ecom.serve import Service, _revive, _revive_server
from ecom.settings import Settings


def until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_a_server_that_cannot_start_is_tried_until_it_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, restarts = tmp_path / "home" / "postgres", Restarts()
    with EmbeddedPostgres(data) as server:
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        assert until(lambda: not server.is_alive)
        (data / "global").rename(data / "away")
        for _ in range(MOST_EARLY_DEATHS + 2):
            # Each try is due at once, or this would take as long as it does in life.
            restarts._due_at = time.monotonic()
            _revive_server(server, restarts, Progress())
            assert server.is_owner
            assert not server.is_alive
        (data / "away").rename(data / "global")
        restarts._due_at = time.monotonic()
        _revive_server(server, restarts, Progress())
        assert server.is_alive
    told = capsys.readouterr().err
    assert told.count("trying again") == MOST_EARLY_DEATHS + 2


def test_a_service_that_dies_at_once_every_time_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    platform = Platform(Settings(tmp_path, None), "postgresql://a@b/c", "postgresql://a@b/d", None)
    service = Service("broken", ["this"], platform)
    service.start()
    for _ in range(MOST_EARLY_DEATHS):
        assert until(lambda: not service.is_alive)
        service.restarts.died()
        service.restarts._due_at = time.monotonic()
        _revive(service, Progress())
    assert until(lambda: not service.is_alive)
    with pytest.raises(Problem, match=r"broken keeps dying; see broken\.log"):
        _revive(service, Progress())
