"""What the web entrance reads from the environment.

ECOM_PUBLIC_URL            address people enter, such as https://back.example.com
ECOM_TRUSTED_PROXIES       addresses of the TLS proxies whose forwarded headers count, by commas
ECOM_SESSION_IDLE_MINUTES  minutes without a request after which a session ends (60)
ECOM_SESSION_HOURS         hours after which it ends in any case (12)
ECOM_REDIS_URL             Redis that counts requests where several entrances share the limits
ECOM_OIDC_ISSUER           OIDC provider people may log in by, and what it knows this entrance as:
ECOM_OIDC_CLIENT_ID, ECOM_OIDC_CLIENT_SECRET
ECOM_OIDC_ROLES            roles by the provider's groups: shop-ops=operator,shop-admins=admin
ECOM_OIDC_GROUPS_CLAIM     claim that lists the groups (groups)
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store.sessions import Lasting

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingRefused(ValueError):
    """A variable of the environment cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Oidc:
    """An OIDC provider.

    Attributes:
        issuer: its address.
        client_id: what it knows this entrance as.
        client_secret: proof of that.
        roles: roles of the members of a group.
        groups_claim: claim that lists the groups.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    roles: Mapping[str, Role]
    groups_claim: str = "groups"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What the environment says.

    Attributes:
        public_url: address people enter, without a slash at the end.
        trusted_proxies: addresses whose forwarded headers count.
        lasting: how long sessions last.
        redis_url: where requests are counted; in this process, if empty.
        oidc: provider people may log in by, if there is one.
    """

    public_url: str
    trusted_proxies: tuple[str, ...] = ()
    lasting: Lasting = field(default_factory=Lasting)
    redis_url: str = field(default="", repr=False)
    oidc: Oidc | None = None

    @property
    def is_secure(self) -> bool:
        """Whether people come by TLS."""
        return self.public_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; browsers take `__Host-` by TLS only."""
        return "__Host-ecom" if self.is_secure else "ecom"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names by which the entrance may be called."""
        name = urlsplit(self.public_url).hostname or ""
        return tuple(dict.fromkeys((name, *LOOPBACK[:2]))) if name in LOOPBACK else (name,)

    @property
    def origins(self) -> frozenset[str]:
        """Origins of the entrance's own pages."""
        parts = urlsplit(self.public_url)
        port = f":{parts.port}" if parts.port else ""
        return frozenset(f"{parts.scheme}://{host}{port}" for host in self.hosts)

    @classmethod
    def of_environment(cls, port: int) -> Self:
        """Read the environment.

        Args:
            port: port the entrance listens on, which is its address where none is given.

        Raises:
            SettingRefused: a value cannot be used.
        """
        env = os.environ
        given = env.get("ECOM_PUBLIC_URL") or f"http://127.0.0.1:{port}"
        return cls(
            public_url=_address(given),
            trusted_proxies=_proxies(env.get("ECOM_TRUSTED_PROXIES", "")),
            lasting=Lasting(
                timedelta(minutes=_number("ECOM_SESSION_IDLE_MINUTES", 60)),
                timedelta(hours=_number("ECOM_SESSION_HOURS", 12)),
            ),
            redis_url=env.get("ECOM_REDIS_URL", ""),
            oidc=_provider(env),
        )


def _address(given: str) -> str:
    parts = urlsplit(given)
    name = parts.hostname or ""
    is_plain = parts.scheme == "http" and name in LOOPBACK
    if not name or not (parts.scheme == "https" or is_plain) or parts.path not in ("", "/"):
        raise SettingRefused(
            f"ECOM_PUBLIC_URL is {given!r}; it must be https://host[:port]"
            " (http only on this machine)"
        )
    return given.rstrip("/")


def _proxies(given: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in given.split(",") if part.strip())
    for part in found:
        try:
            ipaddress.ip_network(part)
        except ValueError as error:
            raise SettingRefused(f"ECOM_TRUSTED_PROXIES names {part!r}: {error}") from error
    return found


def _number(name: str, default: int) -> int:
    given = os.environ.get(name) or str(default)
    if not given.isdecimal() or int(given) < 1:
        raise SettingRefused(f"{name} is {given!r}; it must be a whole number, at least 1")
    return int(given)


def _provider(env: Mapping[str, str]) -> Oidc | None:
    issuer = env.get("ECOM_OIDC_ISSUER", "")
    if not issuer:
        return None
    parts = urlsplit(issuer)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise SettingRefused("ECOM_OIDC_ISSUER must be https://... (http only on this machine)")
    missing = [n for n in ("ECOM_OIDC_CLIENT_ID", "ECOM_OIDC_CLIENT_SECRET") if not env.get(n)]
    if missing:
        raise SettingRefused(f"ECOM_OIDC_ISSUER is set and {' and '.join(missing)} is not")
    return Oidc(
        issuer.rstrip("/"), env["ECOM_OIDC_CLIENT_ID"], env["ECOM_OIDC_CLIENT_SECRET"],
        _roles(env.get("ECOM_OIDC_ROLES", "")), env.get("ECOM_OIDC_GROUPS_CLAIM") or "groups",
    )  # fmt: skip


def _roles(given: str) -> dict[str, Role]:
    roles = {}
    for pair in filter(None, (part.strip() for part in given.split(","))):
        group, _, role = pair.rpartition("=")
        if not group or role not in set(Role):
            known = ", ".join(Role)
            raise SettingRefused(f"ECOM_OIDC_ROLES: {pair!r} is not group=role; roles are {known}")
        roles[group] = Role(role)
    return roles
