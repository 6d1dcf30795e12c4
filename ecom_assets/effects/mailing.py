"""E-mail as a kind of effect: a letter is written from its template and handed to a mail server.

The Message-ID is the effect's reference. The shop's archive of its own mail, in which every
accepted message appears, tells afterwards whether a message was taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Protocol

from ecom_assets.effects.model import Effect, Outcome
from ecom_assets.shared.letters import UnwritableLetter, one_line, write

KIND = "email"
"""The kind of effect this module sends."""

# Seven bits pass every server, whatever it says it can.
_POLICY = SMTP.clone(cte_type="7bit")
_MOST_NAME = 100
"""Characters of a name that a header shows."""


class MailServer(Protocol):
    """Where e-mail goes, and the archive in which it is found again."""

    @property
    def problem(self) -> str | None:
        """Why nothing can be sent at present; None if it can."""

    @property
    def sender(self) -> str:
        """The shop's own address, such as `Shop <orders@shop.example>`."""

    @property
    def archive_delay_s(self) -> float:
        """Seconds within which every accepted message is in the archive."""

    @property
    def most_age(self) -> timedelta:
        """Letters about what happened longer ago are not sent any more."""

    def send(self, message: bytes, recipient: str, may_go: Callable[[], bool]) -> tuple[str, str]:
        """Hand a message over; returns an outcome and what the server said."""

    def find_archived(self, message_ids: Collection[str], since: datetime) -> frozenset[str] | None:
        """Which of the messages are in the archive; None where there is none to look in."""


class EmailChannel:
    """Sends effects of the kind `email`."""

    def __init__(self, server: MailServer, clock: Callable[[], datetime]) -> None:
        """Send through a server; `clock` tells the time letters are dated with."""
        self._server = server
        self._clock = clock

    @property
    def problem(self) -> str | None:
        """Why nothing can be sent at present; None if it can."""
        return self._server.problem

    @property
    def settle_s(self) -> float:
        """Seconds within which every accepted message is in the archive."""
        return self._server.archive_delay_s

    def send(self, effect: Effect, may_go: Callable[[], bool]) -> tuple[Outcome, str]:
        """Write the letter and hand it over; nothing leaves where it cannot be written."""
        now = self._clock()
        if now - effect.due_at > self._server.most_age:
            return Outcome.FAILED, f"about {effect.due_at:%Y-%m-%d}: too long ago to be news"
        try:
            message = compose(effect, self._server.sender, now)
        except (UnwritableLetter, ValueError, KeyError) as error:
            return Outcome.FAILED, f"cannot be written: {type(error).__name__}: {error}"
        outcome, answer = self._server.send(message.as_bytes(), str(effect.payload["to"]), may_go)
        return Outcome(outcome), answer

    def find_sent(self, references: Collection[str], since: datetime) -> frozenset[str] | None:
        """Which messages are in the archive."""
        return self._server.find_archived(references, since)


def compose(effect: Effect, sender: str, now: datetime) -> EmailMessage:
    """The message of an effect: text and HTML, with the reference as its Message-ID.

    Args:
        effect: payload with `to`, `name`, `template` and `facts`.
        sender: the shop's address.
        now: moment the message is dated with.

    Raises:
        UnwritableLetter: the template cannot be filled.
        ValueError: an address is none, or a header would hold more than one line.
        KeyError: the payload lacks a member.
    """
    payload = effect.payload
    letter = write(payload["template"], payload["facts"])
    message = EmailMessage(policy=_POLICY)
    message["Message-ID"] = effect.reference
    message["Date"] = format_datetime(now.astimezone(UTC))
    message["From"] = _address(*parseaddr(sender))
    message["To"] = _address(payload["name"] or "", payload["to"])
    message["Subject"] = letter.subject
    # Out-of-office replies to a shop's notices help nobody (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def _address(name: str, address: str) -> Address:
    return Address(display_name=one_line(name)[:_MOST_NAME], addr_spec=address)
