"""A small TCP proxy between the platform and its database, to cut and delay what passes.

    python -m chaos.proxy      listens on a free port, prints it, and obeys lines on its input:

    target PORT       forward new connections to this port of 127.0.0.1
    latency SECONDS   deliver everything that much later, in both directions
    refuse | accept   turn new connections away, or take them again
    cut               break every open connection

Each line is answered by `ok`; the end of the input ends the proxy. It runs in a process of its own,
so that the load and the faults do not slow what passes through it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from typing import Self

from ecom.settings import ROOT

HOST = "127.0.0.1"
FIRST_PORT = 17432
"""First port tried; all lie below the ephemeral range, which starts at 32768."""


class _End(asyncio.Protocol):
    """One end of a forwarded connection; what it reads goes to its peer."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.transport: asyncio.Transport | None = None
        self.peer: _End | None = None
        self._late: deque[tuple[float, bytes]] = deque()
        self._has_read_all = False
        self._end: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.proxy.ends.add(self)

    def data_received(self, data: bytes) -> None:
        assert self.peer
        self.peer.deliver(data, self.proxy.latency_s)

    def pause_writing(self) -> None:
        # Who cannot write makes the other side wait, or a slow reader would fill our memory.
        if self.peer and self.peer.transport:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.resume_reading()

    def eof_received(self) -> bool:
        self._has_read_all = True
        if self.peer:
            self.peer.end(self.peer.write_end)
        return True  # the other direction goes on

    def connection_lost(self, error: Exception | None) -> None:
        self.proxy.ends.discard(self)
        if self.peer and self.peer.transport:
            self.peer.end(self.peer.transport.close)

    def deliver(self, data: bytes, latency_s: float) -> None:
        """Write data, later if there is a latency, and never before what came earlier."""
        if not latency_s and not self._late:
            self._write(data)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + latency_s
        if self._late:
            due = max(due, self._late[-1][0])
        else:
            loop.call_at(due, self._write_due)
        self._late.append((due, data))

    def _write_due(self) -> None:
        loop = asyncio.get_running_loop()
        while self._late and self._late[0][0] <= loop.time():
            self._write(self._late.popleft()[1])
        if self._late:
            loop.call_at(self._late[0][0], self._write_due)
        elif self._end:
            self._end()

    def _write(self, data: bytes) -> None:
        if self.transport and not self.transport.is_closing():
            self.transport.write(data)

    def end(self, how: Callable[[], None]) -> None:
        """End in a way, once everything that is under way has been delivered."""
        self._end = how
        if not self._late:
            how()

    def write_end(self) -> None:
        """Say that nothing more will come; both directions ended, the connection is over."""
        if not self.transport or self.transport.is_closing():
            return
        self.transport.write_eof()
        if self._has_read_all:
            self.transport.close()

    def abort(self) -> None:
        """Break the connection; what is under way is lost."""
        self._late.clear()
        if self.transport:
            self.transport.abort()


class Proxy:
    """Forwards connections to a port of this machine.

    Attributes:
        port: where it listens.
        target: port it forwards to.
        latency_s: seconds by which everything is delivered later.
        ends: the ends of all open connections.
    """

    def __init__(self, target: int = 0) -> None:
        """A proxy that does not listen yet."""
        self.port = 0
        self.target = target
        self.latency_s = 0.0
        self.ends: set[_End] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self) -> None:
        """Listen, on the same port as before if there was one."""
        if self._server is None:
            self.port = self.port or _free_port()
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._incoming, HOST, self.port)

    def refuse(self) -> None:
        """Listen no more: whoever connects is refused. Open connections stay."""
        if self._server:
            self._server.close()
            self._server = None

    def cut(self) -> None:
        """Break every open connection."""
        for end in tuple(self.ends):
            end.abort()

    def _incoming(self) -> _End:
        return _Client(self)

    def connect(self, client: _End) -> None:
        """Connect a client that has arrived with the target."""
        task = asyncio.get_running_loop().create_task(self._connect(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, client: _End) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, server = await loop.create_connection(lambda: _End(self), HOST, self.target)
        except OSError:
            client.abort()
            return
        server.peer, client.peer = client, server
        if client.transport is None or client.transport.is_closing():
            server.abort()
        else:
            client.transport.resume_reading()


class _Client(_End):
    """The end of whoever connected; read only once the other end is there."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport
        self.transport.pause_reading()
        self.proxy.connect(self)


def _free_port() -> int:
    for port in range(FIRST_PORT, FIRST_PORT + 500):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {FIRST_PORT} and {FIRST_PORT + 499}")


async def obey(proxy: Proxy, line: str) -> None:
    """Do what a line of the input says.

    Raises:
        ValueError: it says nothing that is known.
    """
    match line.split():
        case ["target", port]:
            proxy.target = int(port)
        case ["latency", seconds]:
            proxy.latency_s = float(seconds)
        case ["refuse"]:
            proxy.refuse()
        case ["accept"]:
            await proxy.accept()
        case ["cut"]:
            proxy.cut()
        case _:
            raise ValueError(f"not understood: {line!r}")


async def _main() -> None:
    proxy = Proxy()
    await proxy.accept()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    sys.stdout.write(f"{proxy.port}\n")
    sys.stdout.flush()
    while line := await reader.readline():
        await obey(proxy, line.decode())
        sys.stdout.write("ok\n")
        sys.stdout.flush()


class ProxyProcess:
    """A proxy in a process of its own, as a context manager."""

    def __enter__(self) -> Self:
        """Start it; `port` is where it listens."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chaos.proxy"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
            start_new_session=True,
        )  # fmt: skip
        self.port = int(self._answer())
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and with it every connection."""
        self._process.kill()
        self._process.communicate()

    def tell(self, *lines: str) -> None:
        """Let it obey lines, and wait until it has."""
        assert self._process.stdin
        for line in lines:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            self._answer()

    def _answer(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise OSError("the proxy has ended")
        return line


if __name__ == "__main__":
    asyncio.run(_main())
