"""Passwords: what is refused, and how they are kept (argon2id).

Length and a comparison with common ones, no rules about kinds of characters: NIST SP 800-63B-4,
section 3.1.1. The cost is the second choice of RFC 9106, section 4.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FEWEST_CHARACTERS = 12
MOST_CHARACTERS = 256
LEAST_SCORE = 3
"""Of 0 to 4: withstands more than 10^8 guesses, see zxcvbn."""

_JUDGED_CHARACTERS = 72
"""zxcvbn takes long over long texts; what is longer is not easier to guess than its beginning."""


def password_problem(password: str, about: tuple[str, ...] = ()) -> str | None:
    """Why a password is refused, or None.

    Args:
        password: what somebody wants to log in with.
        about: words an attacker tries first, such as the name of the user.
    """
    if len(password) < FEWEST_CHARACTERS:
        return f"a password has at least {FEWEST_CHARACTERS} characters"
    if len(password) > MOST_CHARACTERS:
        return f"a password has at most {MOST_CHARACTERS} characters"
    from zxcvbn import zxcvbn

    words = [word for text in about for word in (text, *text.split()) if word]
    judged = zxcvbn(password[:_JUDGED_CHARACTERS], user_inputs=words)
    if judged["score"] < LEAST_SCORE:
        return "this password is common or easy to guess; take several words that do not belong"
    return None


def hash_password(password: str) -> str:
    """The password as argon2id with its salt and cost; takes some 50 ms and 64 MiB."""
    return _hasher().hash(password)


def is_password(password: str, kept: str | None) -> bool:
    """Whether a password is the one that is kept; takes as long where none is kept."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        is_right = _hasher().verify(kept or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return is_right and kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a password was kept at another cost than now, so that it is to be hashed again."""
    return _hasher().check_needs_rehash(kept)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher
    from argon2.profiles import RFC_9106_LOW_MEMORY

    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


@cache
def _nobodys() -> str:
    """What a password is compared with where there is no user, so that time tells nothing."""
    from secrets import token_urlsafe

    return _hasher().hash(token_urlsafe())
