"""What makes two delivery addresses the same.

The reference of the SQL in `store`; a property test holds both equal.
"""

from __future__ import annotations

import re
from hashlib import sha256

_BLANKS = re.compile("[ \t\n\r\f\v]+")
# `str.lower` would fold other letters too, some into two characters, which the database does not.
_CAPITALS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")

SEPARATOR = "\x1f"
"""Stands between the parts of an address; no address contains it."""


def address_hash(
    line1: str | None,
    city: str | None,
    region: str | None,
    postal_code: str | None,
    country: str,
) -> str:
    """SHA-256 of the normalised address, hexadecimal.

    Capitals and repeated blanks do not matter, and a missing part is like an empty one. The
    recipient is no part of it: a household shares its address. Only ASCII capitals are folded,
    because other letters depend on the server's locale.
    """
    # The name of the recipient and the coordinates, which a source may round, are no part of it.
    parts = (line1, city, region, postal_code, country)
    return sha256(SEPARATOR.join(_normalised(part or "") for part in parts).encode()).hexdigest()


def _normalised(part: str) -> str:
    return _BLANKS.sub(" ", part).strip(" ").translate(_CAPITALS)
