"""Calls of other people's servers by HTTP, guarded: addresses judged, redirects never followed.

A name is resolved once, the addresses are judged (`addresses`), and the connection goes to a judged
one, so a name that changes its mind between the question and the call gains nothing. Answers are
limited in bytes, and a call as a whole in seconds, however slowly the other side speaks.
"""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode

import httpcore2

from resources.addresses import (
    AddressRefused,
    Allowed,
    Resolve,
    Target,
    judged,
    read_target,
    resolved,
)

DEADLINE_S = 20.0
MOST_BYTES = 16_000_000
USER_AGENT = "ecom-operations"


class Failure(StrEnum):
    """Why there is no answer."""

    ADDRESS = "address_refused"
    UNREACHABLE = "unreachable"
    TLS = "tls_failed"
    TIMED_OUT = "timed_out"
    CUT_OFF = "cut_off"
    TOO_LARGE = "too_large"


class CallFailed(Exception):
    """A call that brought no answer; the message is for operators and holds no secret."""

    def __init__(self, failure: Failure, text: str) -> None:
        """Say why, as a code and as a sentence."""
        super().__init__(text)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer.

    Attributes:
        status: HTTP status.
        headers: by name in lower case; of a repeated one the last.
        body: all of it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """Name and password of HTTP basic authentication."""

    name: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """Value of the Authorization header."""
        pair = f"{self.name}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


class Outbound:
    """Calls one server, whose name is resolved and judged when this is made."""

    def __init__(
        self, address: str, allowed: Allowed, deadline_s: float = DEADLINE_S,
        resolve: Resolve = resolved, tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        """Judge an address.

        Args:
            address: scheme, host and the path that all calls begin with.
            allowed: hosts that need not be public.
            deadline_s: seconds that a call may take, from its beginning to its last byte.
            resolve: finds addresses of names.
            tls: certificates that are believed; the system's by default.

        Raises:
            CallFailed: the address is refused.
        """
        try:
            self._target = read_target(address, allowed)
            addresses = judged(self._target, resolve, deadline_s)
        except AddressRefused as refused:
            raise CallFailed(Failure.ADDRESS, str(refused)) from None
        self._deadline_s, self._backend = deadline_s, _Pinned(addresses)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls or ssl.create_default_context(), max_connections=1,
            network_backend=self._backend,
        )  # fmt: skip

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()

    def get(
        self, path: str, query: Mapping[str, str], account: Account | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> Reply:  # fmt: skip
        """Ask for something.

        Raises:
            CallFailed: there is no whole answer.
        """
        self._backend.ends = time.monotonic() + self._deadline_s
        request = _request(self._target, path, query, account)
        try:
            with self._pool.stream("GET", **request) as answer:
                return _read(answer, most_bytes)
        except CallFailed:
            raise
        except (httpcore2.TimeoutException, TimeoutError):
            text = f"{self._target.host} did not answer within {self._deadline_s:g} seconds"
            raise CallFailed(Failure.TIMED_OUT, text) from None
        except httpcore2.ConnectError as error:
            raise _unconnected(self._target, error) from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError):
            text = f"{self._target.host} broke off in the middle of its answer"
            raise CallFailed(Failure.CUT_OFF, text) from None


def _unconnected(target: Target, error: Exception) -> CallFailed:
    if isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error):
        text = f"the certificate of {target.host} is not valid for it, or it speaks no TLS"
        return CallFailed(Failure.TLS, text)
    return CallFailed(Failure.UNREACHABLE, f"{target.host} does not accept connections")


def _request(
    target: Target, path: str, query: Mapping[str, str], account: Account | None
) -> dict[str, Any]:
    asked = f"?{urlencode(query)}" if query else ""
    url = f"{target.scheme}://{target.authority}{target.path}{quote(path, safe='/')}{asked}"
    # Not compressed: a few bytes could unfold to all of the memory.
    headers = {"Host": target.authority, "Accept": "application/json",
               "Accept-Encoding": "identity", "User-Agent": USER_AGENT}  # fmt: skip
    if account is not None:
        headers["Authorization"] = account.header
    return {"url": url, "headers": [(name.encode(), value.encode())
                                    for name, value in headers.items()]}  # fmt: skip


def _read(answer: httpcore2.Response, most_bytes: int) -> Reply:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1")
               for name, value in answer.headers}  # fmt: skip
    if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise CallFailed(Failure.TOO_LARGE, "the answer is compressed, which was not asked for")
    parts, length = [], 0
    for part in answer.iter_stream():
        length += len(part)
        if length > most_bytes:
            text = f"the answer is larger than {most_bytes:,} bytes"
            raise CallFailed(Failure.TOO_LARGE, text)
        parts.append(part)
    return Reply(answer.status, headers, b"".join(parts))


class _Pinned(httpcore2.NetworkBackend):
    """Connects to judged addresses only, and lets nothing last beyond the end of the call."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses, self._inner = addresses, httpcore2.SyncBackend()
        self.ends = 0.0

    def left_s(self) -> float:
        """Seconds until the call ends; raises TimeoutError after that."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:  # fmt: skip
        """Connect to the first judged address that answers, whatever the name means by now."""
        *others, last = self._addresses
        for address in others:
            try:
                return self._connect(address, port, self.left_s() / 2)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connect(last, port, self.left_s())

    def _connect(self, address: str, port: int, timeout: float) -> httpcore2.NetworkStream:
        return _Timed(self._inner.connect_tcp(address, port, timeout), self)


class _Timed(httpcore2.NetworkStream):
    """A stream whose every step ends when the call does: time-outs of steps do not add up."""

    def __init__(self, inner: httpcore2.NetworkStream, call: _Pinned) -> None:
        self._inner, self._call = inner, call

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._call.left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._call.left_s())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:  # fmt: skip
        inner = self._inner.start_tls(ssl_context, server_hostname, self._call.left_s())
        return _Timed(inner, self._call)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
