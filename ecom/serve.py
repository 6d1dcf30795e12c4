"""Serve the web entrance and run Dagster's daemon until somebody stops them; restart what dies.

Children end with this process, however it ends. Their logs are files under `ECOM_HOME/logs`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from ecom.database_accounts import entrance_environment
from ecom.platform import Platform
from ecom.postgres import EmbeddedPostgres
from ecom.privileges import tie_to_parent
from ecom.problems import Problem
from ecom.progress import Progress
from ecom.restarts import Restarts
from ecom.settings import ROOT
from ecom_assets.backoffice.store import links
from ecom_assets.shared.workers import Lane

DEFAULT_PORT = 3000

_HOST = "127.0.0.1"
_READY_SECONDS = 90
_LOOK_SECONDS = 0.5


def check_port(port: int) -> None:
    """Make sure that the UI's port is free.

    Raises:
        Problem: something listens there already.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise Problem(
                f"port {port} cannot be used ({reason}); choose one with --port"
            ) from None


class Service:
    """One child process that is started again when it dies."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        platform: Platform,
        ends_by: signal.Signals = signal.SIGINT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Describe a child.

        Args:
            name: name of the log file and in messages.
            arguments: what follows `python -m`.
            platform: the open platform the child belongs to.
            ends_by: signal that asks the child to end.
            environment: what differs from the platform's environment.
        """
        self.name = name
        self.restarts = Restarts()
        self._arguments = arguments
        self._platform = platform
        self._ends_by = ends_by
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the child in a session of its own, so that Ctrl-C reaches only us."""
        self.restarts.started()
        with (self._platform.settings.logs / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._arguments],
                cwd=ROOT,
                env={**os.environ, **self._platform.environment, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=tie_to_parent(self._ends_by),
            )

    @property
    def is_alive(self) -> bool:
        """Whether the child runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self, seconds: float = 15) -> None:
        """Ask the child to end, and kill it if it does not within `seconds`."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(self._ends_by)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def told_to_stop() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, also where a shell started us with SIGINT ignored.

    The handler raises nothing: an exception could land in a place that swallows it, such as a hook
    around a fork, and the signal would be lost.
    """
    stop = threading.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def serve(platform: Platform, port: int, progress: Progress) -> None:
    """Serve until Ctrl-C or SIGTERM, then stop everything that was started here.

    Raises:
        Problem: a child keeps dying; the message names its log.
    """
    web = ["gateway", "--host", _HOST, "--port", str(port)]
    daemon = ["dagster._daemon", "run", "-w", str(ROOT / "workspace.yaml")]
    services = [
        Service("gateway", web, platform, environment=entrance_environment(platform)),
        Service("daemon", daemon, platform),
        *(
            Service(lane.value, ["ecom.worker", lane.value], platform, signal.SIGTERM)
            for lane in Lane
        ),
    ]
    with told_to_stop() as stop:
        try:
            for service in services:
                service.start()
            if _wait_ready(services[0], port, stop):
                _welcome(platform, port, progress)
                _watch(services, platform, progress, stop)
            progress.say("stopping")
        finally:
            for service in services:
                service.stop()


def _welcome(platform: Platform, port: int, progress: Progress) -> None:
    """Say where to go; to whom comes first, by a link that makes the first admin."""
    address = os.environ.get("ECOM_PUBLIC_URL") or f"http://{_HOST}:{port}"
    with platform.database.begin() as conn:
        token = links.first_link(conn, datetime.now(UTC))
    if token:
        progress.say(f"nobody can log in yet; become the admin at {address}/begin/{token}")
    progress.say(f"everything is at {address} - Ctrl-C stops it")


def _wait_ready(web: Service, port: int, stop: threading.Event) -> bool:
    """Wait until the entrance answers; False if we are told to stop before it does."""
    deadline, address = time.monotonic() + _READY_SECONDS, f"http://{_HOST}:{port}/health"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=2):  # nosec B310 - our own
                return True
        except (urllib.error.URLError, OSError):
            if not web.is_alive:
                break
            if stop.wait(0.2):
                return False
    raise Problem(f"the web entrance did not come up; see {web.name}.log in the logs folder")


def _watch(
    services: list[Service], platform: Platform, progress: Progress, stop: threading.Event
) -> None:
    """Start again what dies, until we are told to stop."""
    restarts = Restarts()
    while not stop.wait(_LOOK_SECONDS):
        if platform.server and platform.server.is_owner and not platform.server.is_alive:
            _revive_server(platform.server, restarts, progress)
            continue  # without it the others can only die, which says nothing about them
        for service in services:
            if not service.is_alive:
                _revive(service, progress)


def _revive_server(server: EmbeddedPostgres, restarts: Restarts, progress: Progress) -> None:
    """Try to start the database server, and never give up: its disk may be full for hours."""
    restarts.died()
    if not restarts.is_due:
        return
    progress.say("the PostgreSQL server ended; starting it again")
    restarts.started()
    try:
        server.restart()
    except Problem as problem:
        progress.say(f"{problem}; trying again")


def _revive(service: Service, progress: Progress) -> None:
    service.restarts.died()
    if service.restarts.is_hopeless:
        raise Problem(f"the {service.name} keeps dying; see {service.name}.log in the logs folder")
    if service.restarts.is_due:
        progress.say(f"the {service.name} ended; starting it again")
        service.start()
