"""Rules of connections: what they may say, how they do, and when they are tried again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ecom_assets.marketplace.model import (
    FORMS,
    ConnectionRefused,
    ConnectionState,
    Health,
    Kind,
    Trouble,
)
from ecom_assets.shared.money import CURRENCIES

USUAL_EVERY_MINUTES = 10
USUAL_LISTINGS_EVERY_MINUTES = 60
FAILING_AFTER = 3
"""Failures in a row after which a connection is failing, not only degraded."""

LONGEST_PAUSE = timedelta(hours=1)
MOST_SECRET_CHARACTERS = 500

_RANGES = {"sync_every_minutes": (0, 1440), "listings_every_minutes": (5, 1440)}
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}(/[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}){0,4}")
_HOPELESS = frozenset({
    Trouble.CREDENTIALS_REFUSED, Trouble.CREDENTIALS_LOCKED, Trouble.ADDRESS_REFUSED,
    Trouble.NOT_FOUND, Trouble.FOLDER_UNUSABLE,
})  # fmt: skip
"""What no waiting mends; a person must."""


def checked_options(kind: Kind, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a connection, if they can be so.

    Raises:
        ConnectionRefused: names the one that is wrong.
    """
    for name in options:
        if name not in FORMS[kind].options:
            known = ", ".join(FORMS[kind].options)
            raise ConnectionRefused(f"options.{name}", f"is none of {known}")
    currency = options.get("currency")
    if not isinstance(currency, str) or currency not in CURRENCIES:
        raise ConnectionRefused("options.currency", "must be an ISO 4217 code such as EUR")
    for name, (least, most) in _RANGES.items():
        value = options.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            said = f"must be a whole number from {least} to {most}"
            raise ConnectionRefused(f"options.{name}", said)
    if "orders_from" in options:
        _moment(options["orders_from"])
    return dict(options)


def _moment(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is None or not 2000 <= found.year < 3000:
        said = "must be a moment with an offset, such as 2026-05-01T00:00:00Z"
        raise ConnectionRefused("options.orders_from", said)
    return found


def checked_folder(address: str) -> str:
    """The folder of a file feed, if it is a plain path below the root.

    Raises:
        ConnectionRefused: it is none.
    """
    if not _FOLDER.fullmatch(address) or ".." in address:
        said = "must be folders of letters, digits, blanks, dots, _ and -, such as eu/outlet"
        raise ConnectionRefused("address", said)
    return address


def checked_credentials(kind: Kind, given: Mapping[str, str]) -> dict[str, str]:
    """The credentials of a connection, if they are those that its kind needs.

    Raises:
        ConnectionRefused: names what is missing or strange, never its value.
    """
    wanted = FORMS[kind].credentials
    for name in sorted(given.keys() ^ wanted.keys()):
        said = "is needed" if name in wanted else f"is nothing that {kind.value} asks for"
        # What somebody typed may be a secret in the wrong place.
        raise ConnectionRefused("credentials", f"{name if name in wanted else 'a member'} {said}")
    for name, value in given.items():
        if not re.fullmatch(r"[\x21-\x7e]+", value) or len(value) > MOST_SECRET_CHARACTERS:
            raise ConnectionRefused(f"credentials.{name}", "must be plain characters, no blanks")
        if ":" in value and name == "consumer_key":
            raise ConnectionRefused(f"credentials.{name}", "must hold no colon")
    return dict(given)


def health(
    state: ConnectionState, is_synced: bool, failures: int, trouble: Trouble | None, parked: int = 0
) -> Health:
    """How a connection does.

    Args:
        state: whether it is used.
        is_synced: whether a sync ever ended well.
        failures: syncs in a row that failed.
        trouble: why the last one did; None if it did not.
        parked: rows that the last sync parked.
    """
    if state is not ConnectionState.ACTIVE:
        return Health.NOT_USED
    if failures:
        hopeless = failures >= FAILING_AFTER or trouble in _HOPELESS
        return Health.FAILING if hopeless else Health.DEGRADED
    if not is_synced:
        return Health.NEVER_SYNCED
    return Health.DEGRADED if parked else Health.OK


def pause(failures: int, wait_s: int) -> timedelta:
    """How long a connection is left alone after a sync that failed.

    Args:
        failures: syncs in a row that failed, this one included.
        wait_s: seconds that the channel asked for; it gets them, up to an hour.
    """
    backing_off = timedelta(minutes=2 ** min(failures, 6) / 2)
    return min(max(backing_off, timedelta(seconds=wait_s)), LONGEST_PAUSE)


def differs(ours: int | None, live: int | None) -> bool:
    """Whether live is not ours; where either side says nothing, nothing can be compared."""
    return ours is not None and live is not None and ours != live
