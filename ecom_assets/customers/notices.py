"""Which letters customers get, and to which addresses a letter can go at all.

`store.notifications` plans the same in SQL; a property test holds both equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

KIND = "email"
"""The kind of effect letters are planned as."""


class Letter(StrEnum):
    """Letters to customers; each is planned once for what it is about."""

    CONFIRMED = "order_confirmed"
    SHIPPED = "order_shipped"


VERSIONS: dict[Letter, int] = {Letter.CONFIRMED: 1, Letter.SHIPPED: 1}
"""Version of the template new letters are written from; old versions stay as they were."""


def template(letter: Letter) -> str:
    """Name of a letter's template, with its version."""
    return f"customers/{letter.value}/{VERSIONS[letter]}"


@dataclass(frozen=True, slots=True)
class NoticePolicy:
    """Who is written to.

    Attributes:
        tells_imported: whether customers of imported orders are written to. Imports bring
            history: those customers got their letters, or never will, from another system.
    """

    tells_imported: bool = False


POLICY = NoticePolicy()
"""The policy of a deployment."""

MOST_ADDRESS, MOST_LOCAL = 254, 64
"""Longest address and part before the @ (RFC 5321, 4.5.3.1, less the angle brackets)."""

_ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = rf"^{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+$"
"""An address (RFC 5321) without quoted parts and literals, in ASCII, with a domain of two labels or
more. It holds neither blanks nor line ends, so nothing can be smuggled into a header."""


def can_be_written_to(address: str | None) -> bool:
    """Whether a letter can go to an address."""
    if address is None or len(address) > MOST_ADDRESS:
        return False
    # `$` would let a line end pass; the database's does not.
    is_address = re.fullmatch(ADDRESS.removeprefix("^").removesuffix("$"), address) is not None
    return is_address and address.index("@") <= MOST_LOCAL
