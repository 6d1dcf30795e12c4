"""A mail server spoken to by SMTP, and what its answers prove about a message.

What matters is the moment the server takes responsibility (RFC 5321, 4.1.1.4 and 6.1): before the
end of the data nothing was taken, a reply after it says whether it was, and a connection that ends
without one leaves it open. No framework is known here.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr
from typing import NamedTuple

LOOPBACK = ("localhost", "127.0.0.1", "::1")
PORTS = {"none": 25, "starttls": 587, "tls": 465}
"""Usual port for each kind of security."""


class Answer(NamedTuple):
    """What became of a message.

    Attributes:
        outcome: `confirmed`; `refused` (for now) or `failed` (for good), nothing was taken;
            `unreachable`, the server takes nothing from us; `unanswered`, nobody knows.
        text: what the server said.
    """

    outcome: str
    text: str


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes.

    Attributes:
        host: name or address.
        port: TCP port.
        security: `none`, `starttls` or `tls`.
        user: account, empty where the server asks for none.
        password: its password.
        sender: the shop's address, such as `Shop <orders@shop.example>`.
        journal: address that gets a blind copy of every message; empty for none.
        timeout_s: longest wait for a single answer.
    """

    host: str
    port: int
    security: str
    user: str
    password: str
    sender: str
    journal: str
    timeout_s: float

    @property
    def domain(self) -> str:
        """Domain of the sender."""
        return parseaddr(self.sender)[1].rpartition("@")[2]

    @property
    def problem(self) -> str | None:
        """What is wrong with the configuration, in words for operators."""
        if not self.host:
            return "no mail server is configured (ECOM_SMTP_HOST)"
        if "@" not in parseaddr(self.sender)[1]:
            return "the shop's own address is not configured (ECOM_MAIL_SENDER)"
        if self.security not in PORTS:
            return f"ECOM_SMTP_SECURITY must be one of {', '.join(PORTS)}"
        if self.user and self.security == "none" and self.host not in LOOPBACK:
            return "a password must not travel in clear: set ECOM_SMTP_SECURITY"
        return None


class Mailer:
    """Hands messages to a server over one connection, opened when needed."""

    def __init__(self, server: Server) -> None:
        """A mailer that has not connected yet."""
        self._server = server
        self._smtp: smtplib.SMTP | None = None

    def send(self, message: bytes, recipient: str, may_go: Callable[[], bool]) -> Answer:
        """Hand one message over.

        Args:
            message: headers and body.
            recipient: whom it is for; the journal address gets a copy in the same transaction.
            may_go: asked last before the message leaves; if false, nothing does.
        """
        try:
            smtp = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            return self._without_connection("unreachable", error)
        try:
            answer = self._announce(smtp, recipient)
            if answer is None and not may_go():
                answer = Answer("refused", "its time was over before anything was sent")
        except (OSError, ValueError, smtplib.SMTPException) as error:
            return self._without_connection("refused", error)
        if answer is not None:
            self._reset()
            return answer
        return self._hand_over(smtp, message)

    def close(self) -> None:
        """End the connection if one is open."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                smtp.quit()
            except (OSError, smtplib.SMTPException):
                smtp.close()

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is None:
            self._smtp = _connect(self._server)
        return self._smtp

    def _announce(self, smtp: smtplib.SMTP, recipient: str) -> Answer | None:
        """Name sender and recipients; an answer only where the server does not want the message."""
        code, text = smtp.mail(parseaddr(self._server.sender)[1])
        if code != 250:
            # Our own address is the same in every message, so this is not about this one.
            return Answer("unreachable", _words(code, text))
        for address in filter(None, (recipient, self._server.journal)):
            code, text = smtp.rcpt(address)
            if code not in (250, 251):
                return _refusal(code, text)
        return None

    def _hand_over(self, smtp: smtplib.SMTP, message: bytes) -> Answer:
        try:
            code, text = smtp.data(message)
        except smtplib.SMTPDataError as error:
            # Said before any data: the server did not even want to see it.
            self._reset()
            return _refusal(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            return self._without_connection("unanswered", error)
        if code // 100 == 2:
            return Answer("confirmed", _words(code, text))
        self._reset()
        return _refusal(code, text)

    def _reset(self) -> None:
        try:
            if self._smtp is not None:
                self._smtp.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def _without_connection(self, outcome: str, error: Exception) -> Answer:
        self._drop()
        return Answer(outcome, f"{type(error).__name__}: {error}")


def _connect(server: Server) -> smtplib.SMTP:
    # Looking up one's own name may take many seconds; servers want a name with a dot in it.
    own_name = server.domain
    if server.security == "tls":
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, own_name, timeout=server.timeout_s, context=context
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, own_name, timeout=server.timeout_s)
    try:
        if server.security == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo_or_helo_if_needed()
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _refusal(code: int, text: bytes | str) -> Answer:
    """Nothing was taken; a reply that is neither 4xx nor 5xx leaves it open."""
    outcome = {4: "refused", 5: "failed"}.get(code // 100, "unanswered")
    return Answer(outcome, _words(code, text))


def _words(code: int, text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(said.split())}"
