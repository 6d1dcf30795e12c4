"""`ecom up` serves until it is told to stop, revives what dies and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ecom.settings import ROOT
from simulator.shop import generate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ORDERS = 40


class Served:
    """A running `ecom up` over a home of its own, with its embedded server."""

    def __init__(self, home: Path, data: Path) -> None:
        self.port = _free_port()
        self.log = home.parent / "up.log"
        environment = {**os.environ, "ECOM_HOME": str(home)}
        environment.pop("ECOM_DATABASE_URL", None)
        program = [sys.executable, "-m", "ecom", "up", "--port", str(self.port)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*program, "--format", "sample", "--data", str(data)],
                env=environment, cwd=ROOT, start_new_session=True, stdout=log, stderr=log,
            )  # fmt: skip

    def is_up(self) -> bool:
        """Whether the UI answers."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/health", timeout=2
            ) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def children(self) -> list[psutil.Process]:
        """Every process that was started for it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        """The direct child that runs a module, or a program of such a name."""
        direct = psutil.Process(self.process.pid).children()
        return next(child for child in direct if any(
            part == word or Path(part).name == word for part in child.cmdline()))  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(condition: Callable[[], bool], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return False


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a shop's files, which the first to serve takes in."""
    folder = tmp_path_factory.mktemp("serving")
    generate(folder / "shop", ORDERS, 3)
    return folder


@pytest.fixture
def served(shop: Path) -> Iterator[Served]:
    served = Served(shop / "home", shop / "shop")
    try:
        assert _wait(lambda: "Ctrl-C" in served.log.read_text(), 200), served.log.read_text()
        yield served
    finally:
        served.process.kill()
        served.process.wait()


def test_what_dies_comes_back_and_the_end_leaves_nothing(served: Served) -> None:
    web = served.child("gateway")
    web.kill()
    assert _wait(lambda: not served.is_up() or not web.is_running(), 20)
    assert _wait(served.is_up)
    served.child("dagster._daemon").kill()
    assert _wait(lambda: "the daemon ended; starting it again" in served.log.read_text(), 20)
    served.child("postgres").kill()
    assert _wait(lambda: "PostgreSQL server ended; starting" in served.log.read_text(), 30)
    assert _wait(served.is_up)
    family = served.children()
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(60) == 0
    assert _wait(lambda: not any(child.is_running() for child in family), 60)
    assert "Traceback" not in served.log.read_text()


def test_a_killed_command_takes_its_children_with_it(served: Served) -> None:
    family = served.children()
    served.process.kill()
    served.process.wait()
    assert _wait(lambda: not any(child.is_running() for child in family), 30)
