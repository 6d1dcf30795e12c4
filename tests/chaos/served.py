"""A platform in a process of its own, as the storm sees it: started, watched, ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from chaos.processes import Processes, kill
from chaos.proxy import ProxyProcess
from ecom.privileges import tie_to_parent
from ecom.settings import ROOT

FIRST_UI_PORT = 13900
READY_S = 240.0
"""Longest wait for the platform to be up; it prepares the shop first."""


class Served:
    """A platform that serves in a process of its own, see `chaos.serving`."""

    def __init__(self, home: Path, orders: int, seed: int, proxy_port: int) -> None:
        """Start it; it prepares the shop and then waits for `go`."""
        self.log = home / "platform.log"
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        arguments = map(str, (orders, seed, _free_port(), proxy_port))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chaos.serving", *arguments],
                env={**os.environ, "ECOM_HOME": str(home), "PYTHONPATH": path}, cwd=ROOT,
                preexec_fn=tie_to_parent(), text=True, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip

    def prepared(self) -> dict[str, str]:
        """Wait until the shop is prepared; the addresses of the databases."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the platform ended:\n{self.log.read_text()}")
        addresses: dict[str, str] = json.loads(line)
        return addresses

    def go(self) -> None:
        """Let it serve, and wait until it does."""
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        deadline = time.monotonic() + READY_S
        while "Ctrl-C" not in self.log.read_text():
            self.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"the platform did not come up:\n{self.log.read_text()}")
            time.sleep(0.2)

    def check(self) -> None:
        """Make sure that it has not given up.

        Raises:
            RuntimeError: it has.
        """
        if self.process.poll() is not None:
            raise RuntimeError(f"the platform ended:\n{self.log.read_text()}")

    def stop(self) -> int:
        """End it as Ctrl-C does; returns its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)

    def close(self) -> None:
        """Wait for the end of one that was killed or stopped."""
        self.process.communicate(timeout=30)


def _free_port() -> int:
    for port in range(FIRST_UI_PORT, FIRST_UI_PORT + 500):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port for the UI")


@contextmanager
def platform(
    home: Path, orders: int, seed: int, proxy: ProxyProcess
) -> Iterator[tuple[Served, str, str]]:
    """A served platform with its addresses; whatever happens, nothing of it is left."""
    served = Served(home, orders, seed, proxy.port)
    try:
        addresses = served.prepared()
        proxy.tell(f"target {sa.make_url(addresses['url']).port}")
        served.go()
        yield served, addresses["url"], addresses["dagster_url"]
    finally:
        everything = Processes(home).all()
        kill([process for members in everything.values() for process in members])
        served.close()
