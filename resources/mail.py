"""Outgoing mail as a resource: the server, the shop's archive, and what the environment says.

Everything is optional: without `ECOM_SMTP_HOST` nothing is sent, `problem` says so, and what is
planned waits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from resources import maildir
from resources.smtp import PORTS, Answer, Mailer, Server

VARIABLES = {
    "host": "ECOM_SMTP_HOST",
    "port": "ECOM_SMTP_PORT",
    "security": "ECOM_SMTP_SECURITY",
    "user": "ECOM_SMTP_USER",
    "password": "ECOM_SMTP_PASSWORD",
    "sender": "ECOM_MAIL_SENDER",
    "journal": "ECOM_MAIL_JOURNAL",
    "archive": "ECOM_MAIL_ARCHIVE",
    "archive_delay_s": "ECOM_MAIL_ARCHIVE_DELAY_S",
    "most_age_days": "ECOM_MAIL_MOST_AGE_DAYS",
    "timeout_s": "ECOM_SMTP_TIMEOUT_S",
}
"""The variable that sets each field."""

_NUMBERS = {"port", "archive_delay_s", "most_age_days", "timeout_s"}


class MailSession:
    """A mail server while somebody sends through it."""

    def __init__(self, mailer: Mailer, mail: MailResource) -> None:
        """Send with `mailer`, as `mail` is configured."""
        self._mailer = mailer
        self._mail = mail

    @property
    def problem(self) -> str | None:
        """Why nothing can be sent; None if it can."""
        return self._mail.problem

    @property
    def sender(self) -> str:
        """The shop's own address."""
        return self._mail.sender

    @property
    def archive_delay_s(self) -> float:
        """Seconds within which every accepted message is in the archive."""
        return float(self._mail.archive_delay_s)

    @property
    def most_age(self) -> timedelta:
        """Letters about what happened longer ago are not sent any more."""
        return timedelta(days=self._mail.most_age_days)

    def send(self, message: bytes, recipient: str, may_go: Callable[[], bool]) -> Answer:
        """Hand a message over, see `Mailer.send`."""
        return self._mailer.send(message, recipient, may_go)

    def find_archived(self, message_ids: Collection[str], since: datetime) -> frozenset[str] | None:
        """Which messages are in the archive; None where there is none to look in."""
        if not self._mail.archive:
            return None
        return maildir.find(Path(self._mail.archive), message_ids, since)


class MailResource(dg.ConfigurableResource[None]):
    """How the shop sends e-mail.

    Attributes:
        host: mail server; empty where none is configured.
        port: TCP port; 0 for the usual one.
        security: `none`, `starttls` or `tls`.
        user: account, if the server asks for one.
        password: its password.
        sender: the shop's address, such as `Shop <orders@shop.example>`.
        journal: address that gets a blind copy of every message and feeds the archive.
        archive: folder of a Maildir in which every accepted message appears.
        archive_delay_s: seconds within which it surely does.
        most_age_days: letters about what happened longer ago are not sent any more.
        timeout_s: longest wait for a single answer of the server, in seconds.
    """

    host: str = ""
    port: int = 0
    security: str = "starttls"
    user: str = ""
    password: str = ""
    sender: str = ""
    journal: str = ""
    archive: str = ""
    archive_delay_s: int = 900
    most_age_days: int = 7
    timeout_s: int = 30

    @classmethod
    def of_environment(cls) -> MailResource:
        """As `VARIABLES` say; values are read when a run begins and shown nowhere."""
        given: dict[str, Any] = {
            field: dg.EnvVar.int(name) if field in _NUMBERS else dg.EnvVar(name)
            for field, name in VARIABLES.items()
            if os.environ.get(name)
        }
        return cls(**given)

    @property
    def server(self) -> Server:
        """The mail server."""
        return Server(
            self.host, self.port or PORTS.get(self.security, 25), self.security, self.user,
            self.password, self.sender, self.journal, self.timeout_s,
        )  # fmt: skip

    @property
    def problem(self) -> str | None:
        """Why nothing can be sent, in words for operators; None if it can."""
        return self.server.problem

    @property
    def domain(self) -> str:
        """What Message-IDs end in; a name that cannot exist while no sender is configured."""
        return self.server.domain or "mail.invalid"

    @contextmanager
    def session(self) -> Iterator[MailSession]:
        """Send through one connection, which is opened when needed and closed at the end."""
        mailer = Mailer(self.server)
        try:
            yield MailSession(mailer, self)
        finally:
            mailer.close()
