"""Connections as people configure them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.marketplace.model import Connection, ConnectionState, Health, Kind, Trouble
from ecom_assets.marketplace.rules import health
from ecom_assets.marketplace.tables import CONNECTION_STATES, CONNECTIONS

_C, _S = CONNECTIONS.c, CONNECTION_STATES.c

_SHOWN = (
    *(_C[name] for name in ("connection_id", "name", "channel", "kind", "address", "options",
                            "credentials_set_at", "state", "version", "created_by", "created_at")),
    *(_S[name] for name in ("tested_at", "test_trouble", "test_text", "wanted_at", "claimed_by",
                            "cursor", "synced_at", "begun_at", "trouble", "trouble_text",
                            "failures", "parked", "not_before_at", "listings_read_at",
                            "compared_at")),
)  # fmt: skip
"""Everything but the credentials, which no list and no answer reads."""


class AlreadyThere(ValueError):
    """Another connection has the name or the channel; names the member."""

    def __init__(self, member: str, message: str) -> None:
        """Say which member another connection has."""
        super().__init__(message)
        self.member = member


@dataclass(frozen=True, slots=True)
class ConnectionFilter:
    """Which connections a list shows; what is None does not matter."""

    channel: str | None = None
    kind: str | None = None
    state: str | None = None


def add(
    conn: sa.Connection, name: str, channel: str, kind: Kind, address: str,
    options: Mapping[str, Any], credentials: str | None, by: str, at: datetime,
) -> int:  # fmt: skip
    """Add a connection; what it says was checked by `rules`.

    Returns:
        Its key.

    Raises:
        AlreadyThere: another one that is not archived has the name or the channel.
    """
    _refuse_second(conn, {"name": name, "channel": channel}, 0)
    row = {
        "name": name, "channel": channel, "kind": kind.value, "address": address,
        "options": dict(options), "credentials": credentials,
        "credentials_set_at": at if credentials else None, "state": ConnectionState.ACTIVE.value,
        "created_by": by, "created_at": at,
    }  # fmt: skip
    made = conn.execute(sa.insert(CONNECTIONS).values(row).returning(_C.connection_id))
    key: int = made.scalar_one()
    conn.execute(sa.insert(CONNECTION_STATES).values(connection_id=key))
    return key


def _refuse_second(conn: sa.Connection, given: Mapping[str, str], own: int) -> None:
    for member, value in given.items():
        other = sa.select(_C.connection_id).where(
            _C[member] == value, _C.state != ConnectionState.ARCHIVED.value, _C.connection_id != own
        )
        if (found := conn.execute(other.limit(1)).scalar()) is not None:
            raise AlreadyThere(member, f"connection {found} has this {member} already")


def change(conn: sa.Connection, connection_id: int, at: datetime, **values: Any) -> None:
    """Change a connection that is locked; what it will say was checked by `rules`.

    New credentials or another address end the pause after a failure: what was wrong may be mended.

    Raises:
        AlreadyThere: another one has the new name.
    """
    if "name" in values:
        _refuse_second(conn, {"name": values["name"]}, connection_id)
    if "credentials" in values:
        values["credentials_set_at"] = at
    mine = _C.connection_id == connection_id
    conn.execute(sa.update(CONNECTIONS).where(mine).values(**values, version=_C.version + 1))
    if values.keys() & {"credentials", "address", "options"}:
        conn.execute(_of(connection_id).values(not_before_at=None))


def archive(conn: sa.Connection, connection_id: int) -> None:
    """End a connection that is locked for good, and forget its credentials."""
    ended = {"state": ConnectionState.ARCHIVED.value, "credentials": None,
             "credentials_set_at": None, "version": _C.version + 1}  # fmt: skip
    mine = _C.connection_id == connection_id
    conn.execute(sa.update(CONNECTIONS).where(mine).values(ended))
    conn.execute(_of(connection_id).values(wanted_at=None))


def reseal(conn: sa.Connection, connection_id: int, before: str, credentials: str) -> None:
    """Keep the same credentials under the newest key, unless they were changed meanwhile."""
    same = sa.and_(_C.connection_id == connection_id, _C.credentials == before)
    conn.execute(sa.update(CONNECTIONS).where(same).values(credentials=credentials))


def lock(conn: sa.Connection, connection_id: int) -> None:
    """Keep a connection as it is until the transaction ends."""
    mine = sa.select(_C.connection_id).where(_C.connection_id == connection_id)
    conn.execute(mine.with_for_update())


def find(conn: sa.Connection, connection_id: int) -> dict[str, Any] | None:
    """A connection with its health as it is shown; None if there is none."""
    rows = _rows().where(_C.connection_id == connection_id)
    found = conn.execute(rows).mappings().one_or_none()
    return None if found is None else with_health(found)


def listed(
    conn: sa.Connection, wanted: ConnectionFilter, after: int, most: int
) -> list[dict[str, Any]]:
    """Connections in the order they were made, from after a key."""
    rows = _rows().where(_C.connection_id > after)
    for name in ("channel", "kind", "state"):
        if (value := getattr(wanted, name)) is not None:
            rows = rows.where(_C[name] == value)
    found = conn.execute(rows.order_by(_C.connection_id).limit(most)).mappings()
    return [with_health(row) for row in found]


def _rows() -> sa.Select[Any]:
    return sa.select(*_SHOWN).join_from(
        CONNECTIONS, CONNECTION_STATES, _S.connection_id == _C.connection_id
    )


def with_health(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of a connection with how it does."""
    trouble = Trouble(row["trouble"]) if row["trouble"] else None
    found: Health = health(
        ConnectionState(row["state"]), row["synced_at"] is not None, row["failures"], trouble,
        row["parked"],
    )  # fmt: skip
    return {**row, "health": found.value}


def usable(conn: sa.Connection, connection_id: int) -> Connection | None:
    """A connection with its sealed credentials; None if there is none, or it is archived."""
    names = ("connection_id", "name", "channel", "kind", "address", "options", "credentials",
             "created_at")  # fmt: skip
    rows = sa.select(*(_C[name] for name in names)).where(
        _C.connection_id == connection_id, _C.state != ConnectionState.ARCHIVED.value
    )
    row = conn.execute(rows).mappings().one_or_none()
    return None if row is None else Connection(**{**row, "kind": Kind(row["kind"])})


def note_test(
    conn: sa.Connection, connection_id: int, at: datetime, trouble: Trouble | None, text: str
) -> None:
    """Keep what a test found."""
    told = {"tested_at": at, "test_trouble": trouble.value if trouble else None, "test_text": text}
    conn.execute(_of(connection_id).values(told))


def want_sync(conn: sa.Connection, connection_id: int, at: datetime) -> datetime:
    """Ask for a sync as soon as possible, whatever pause there is; asked twice it is one.

    Returns:
        Since when it is wanted.
    """
    wanted = _of(connection_id).values(wanted_at=sa.func.coalesce(_S.wanted_at, at))
    found: datetime = conn.execute(wanted.returning(_S.wanted_at)).scalar_one()
    return found


def _of(connection_id: int) -> sa.Update:
    return sa.update(CONNECTION_STATES).where(_S.connection_id == connection_id)
