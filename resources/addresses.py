"""Which addresses the platform may call on behalf of somebody: public ones, and those listed.

What a caller types may name this machine, its network, or a cloud's metadata service, plainly or in
disguise. An address is judged after its name was resolved, and what was judged is what is called.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Self
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int, float], Sequence[str]]
"""Addresses of a name and port, within seconds; raises OSError."""

HTTPS_PORT = 443
MOST_CHARACTERS = 500

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# They hold or reach an IPv4 address, or are set aside; none is where a shop is.
_DISGUISES = tuple(
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)
_SET_ASIDE = tuple(
    map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4"))
)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]")
# Printable ASCII only: every other sign has been used to make one parser see another host.
_PLAIN = re.compile(r"[\x21-\x7e]+")


class AddressRefused(ValueError):
    """An address is not called; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Hosts that may be called although they are not public, or by plain HTTP.

    Attributes:
        hosts: `host` (ports 80 and 443) or `host:port`, in lower case.
    """

    hosts: frozenset[str] = frozenset()

    @classmethod
    def of_text(cls, given: str) -> Self:
        """Read a list with commas, as in a variable of the environment."""
        return cls(frozenset(part.strip().lower() for part in given.split(",") if part.strip()))

    def has(self, host: str, port: int) -> bool:
        """Whether a host is listed with a port."""
        return f"{host}:{port}" in self.hosts or (host in self.hosts and port in (80, HTTPS_PORT))


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be tried once its name is resolved.

    Attributes:
        scheme: `https`, or `http` for listed hosts.
        host: name or address in lower case, IPv6 without brackets.
        port: TCP port.
        path: path without a slash at the end.
        is_listed: whether the server's admin allowed the host.
    """

    scheme: str
    host: str
    port: int
    path: str
    is_listed: bool

    @property
    def authority(self) -> str:
        """Host and port as a URL and the Host header have them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": HTTPS_PORT, "http": 80}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet and disguises no other."""
    if isinstance(address, ipaddress.IPv4Address):
        aside = any(address in network for network in _SET_ASIDE)
        return address.is_global and not (address.is_multicast or aside)
    in_disguise = any(address in network for network in _DISGUISES)
    return address in _GLOBAL_UNICAST and address.is_global and not in_disguise


def read_target(address: str, allowed: Allowed) -> Target:
    """Read an address and refuse what must never be called, without asking anybody.

    Raises:
        AddressRefused: it is no plain https address, or its port or scheme is not allowed.
    """
    if len(address) > MOST_CHARACTERS or not _PLAIN.fullmatch(address) or "\\" in address:
        raise AddressRefused("the address must be plain, such as https://shop.example.com")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise AddressRefused("the address cannot be read") from None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("https", "http") or not host:
        raise AddressRefused("the address must begin with https:// and name a host")
    if parts.username is not None or parts.query or parts.fragment or "%" in host:
        raise AddressRefused("the address must hold no name, password, query or fragment")
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        raise AddressRefused("the host must be letters, digits, dots and hyphens")
    port = port if port is not None else {"https": HTTPS_PORT, "http": 80}[parts.scheme]
    is_listed = allowed.has(host, port)
    if not is_listed and (parts.scheme != "https" or port != HTTPS_PORT):
        raise AddressRefused("only https on port 443 is called, unless the server's admin lists"
                             " the host in ECOM_CHANNEL_HOSTS_ALLOWED")  # fmt: skip
    return Target(parts.scheme, host, port, parts.path.rstrip("/"), is_listed)


def judged(target: Target, resolve: Resolve, within_s: float) -> list[str]:
    """The addresses of a target, each of which may be called; asked for once.

    Raises:
        AddressRefused: one of them may not, or there is none.
    """
    try:
        found = [ipaddress.ip_address(each.partition("%")[0])
                 for each in resolve(target.host, target.port, within_s)]  # fmt: skip
    except (OSError, ValueError, UnicodeError):
        found = []
    if not found:
        raise AddressRefused(f"the name {target.host} is not known")
    # All, not the first: who may add one address to a name may make any of them the first.
    if not all(_may_call(each, target.is_listed) for each in found):
        raise AddressRefused(f"{target.host} is not on the public internet; the server's admin may"
                             " list it in ECOM_CHANNEL_HOSTS_ALLOWED")  # fmt: skip
    return [str(each) for each in found]


def _may_call(address: Address, is_listed: bool) -> bool:
    if is_public(address):
        return True
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return False
    # Metadata services are link-local; nobody's shop is, whatever a list says.
    never = address.is_link_local or address.is_multicast or address.is_unspecified
    return is_listed and not never and address not in _METADATA


_METADATA = frozenset(
    {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}
)


def resolved(host: str, port: int, within_s: float) -> Sequence[str]:
    """Ask the system's resolver, and wait no longer than told.

    Raises:
        OSError: the name is not known, or nobody answered in time.
    """
    found: list[str] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(dict.fromkeys(str(row[4][0]) for row in rows))

    # The resolver takes no time-out; a thread that it holds ends by itself later.
    thread = Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(within_s)
    if not found:
        raise OSError(f"{host} was not resolved")
    return list(found)
