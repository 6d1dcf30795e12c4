"""Sessions: logins of browsers, each found by the hash of a random token."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ecom_assets.backoffice.roles import Principal, Role
from ecom_assets.backoffice.tables import SESSIONS

NOTED_EVERY = timedelta(minutes=1)
"""How exactly the last request is noted: a write per request would cost more than the request."""

_FIND = sa.text("""
    SELECT s.session_id, s.seen_at, u.user_id, u.name, u.full_name, u.roles
    FROM backoffice.sessions AS s JOIN backoffice.users AS u USING (user_id)
    WHERE s.token_hash = :token_hash AND s.ended_at IS NULL AND s.ends_at > :at
        AND s.seen_at > :idle_since AND u.is_active
""")


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a session lasts.

    Attributes:
        idle: without a request.
        at_most: whatever is done.
    """

    idle: timedelta = timedelta(hours=1)
    at_most: timedelta = timedelta(hours=12)


def start_session(
    conn: sa.Connection, user_id: int, at: datetime, lasting: Lasting, address: str, agent: str
) -> str:
    """Start a session; returns the token for the browser's cookie, which is kept nowhere."""
    token = secrets.token_urlsafe(32)
    values = {
        "token_hash": _hash(token), "user_id": user_id, "started_at": at, "seen_at": at,
        "ends_at": at + lasting.at_most, "address": address, "agent": agent[:500],
    }  # fmt: skip
    conn.execute(sa.insert(SESSIONS).values(values))
    return token


def principal_of_session(
    conn: sa.Connection, token: str, at: datetime, lasting: Lasting
) -> Principal | None:
    """Who shows a token, or None if its session has ended, by whatever cause."""
    given = {"token_hash": _hash(token), "at": at, "idle_since": at - lasting.idle}
    row = conn.execute(_FIND, given).one_or_none()
    if row is None:
        return None
    if at - row.seen_at >= NOTED_EVERY:
        seen = sa.update(SESSIONS).where(SESSIONS.c.session_id == row.session_id)
        conn.execute(seen.values(seen_at=at))
    roles = frozenset(Role(role) for role in row.roles)
    return Principal(row.user_id, row.name, row.full_name, roles, "browser", row.session_id)


def end_session(conn: sa.Connection, token: str, because: str, at: datetime) -> None:
    """End the session of a token, if it goes on."""
    _end(conn, SESSIONS.c.token_hash == _hash(token), because, at)


def end_sessions(conn: sa.Connection, user_id: int, because: str, at: datetime) -> int:
    """End all sessions of a user; returns how many went on."""
    return _end(conn, SESSIONS.c.user_id == user_id, because, at)


def sessions_of(
    conn: sa.Connection, user_id: int, at: datetime, lasting: Lasting
) -> list[sa.RowMapping]:
    """Sessions of a user that go on, the newest first, without what would let anybody in."""
    columns = SESSIONS.c["session_id", "started_at", "seen_at", "ends_at", "address", "agent"]
    found = (
        sa.select(*columns)
        .where(SESSIONS.c.user_id == user_id, SESSIONS.c.ended_at.is_(None))
        .where(SESSIONS.c.ends_at > at, SESSIONS.c.seen_at > at - lasting.idle)
        .order_by(SESSIONS.c.session_id.desc())
    )
    return list(conn.execute(found).mappings())


def end_others(conn: sa.Connection, user_id: int, but: int, at: datetime) -> int:
    """End all sessions of a user but one; returns how many went on."""
    others = sa.and_(SESSIONS.c.user_id == user_id, SESSIONS.c.session_id != but)
    return _end(conn, others, "ended_by_user", at)


def _end(conn: sa.Connection, which: sa.ColumnElement[bool], because: str, at: datetime) -> int:
    ended = sa.update(SESSIONS).where(which, SESSIONS.c.ended_at.is_(None))
    return conn.execute(ended.values(ended_at=at, ended_because=because)).rowcount


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
