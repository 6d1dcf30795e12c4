"""Links: each lets a user set a password once, or the first admin come in."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa

from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store.users import (
    User,
    add_user,
    is_anybody_there,
    set_password,
    user,
)
from ecom_assets.backoffice.tables import LINKS, USERS

LINK_LASTS = timedelta(hours=24)

# Two people with the same link must not both become the first admin.
_ALONE = sa.text("LOCK TABLE backoffice.users IN SHARE ROW EXCLUSIVE MODE")


def link_for(conn: sa.Connection, user_id: int, at: datetime) -> str:
    """Make the token of a link that lets a user set a password once; older links end."""
    token = secrets.token_urlsafe(32)
    conn.execute(sa.delete(LINKS).where(LINKS.c.user_id == user_id, LINKS.c.used_at.is_(None)))
    _keep(conn, token, user_id, at)
    return token


def user_of_link(conn: sa.Connection, token: str, at: datetime) -> User | None:
    """Whose link it is, if it is still good; its row is locked until the transaction ends."""
    found = (
        sa.select(LINKS.c.user_id)
        .join(USERS, USERS.c.user_id == LINKS.c.user_id)
        .where(LINKS.c.token_hash == token_hash(token), LINKS.c.used_at.is_(None))
        .where(LINKS.c.expires_at > at, USERS.c.is_active)
        .with_for_update(of=LINKS)
    )
    user_id = conn.execute(found).scalar_one_or_none()
    return None if user_id is None else user(conn, user_id)


def use_link(conn: sa.Connection, token: str, password: str, at: datetime) -> User | None:
    """Set a password by a link, which then is used up; None if the link is no good.

    Raises:
        UserRefused: the password is no good; the link stays.
    """
    found = user_of_link(conn, token, at)
    if found is None:
        return None
    set_password(conn, found, password, at)
    _use(conn, token, at)
    return user(conn, found.user_id)


def first_link(conn: sa.Connection, at: datetime) -> str | None:
    """Make the token of a link for the first admin; older ones end. None if there is a user."""
    if is_anybody_there(conn):
        return None
    token = secrets.token_urlsafe(32)
    conn.execute(sa.delete(LINKS).where(LINKS.c.user_id.is_(None), LINKS.c.used_at.is_(None)))
    _keep(conn, token, None, at)
    return token


def is_first_link(conn: sa.Connection, token: str, at: datetime) -> bool:
    """Whether a link lets the first admin come in."""
    good = sa.select(LINKS.c.token_hash).where(
        LINKS.c.token_hash == token_hash(token), LINKS.c.user_id.is_(None),
        LINKS.c.used_at.is_(None), LINKS.c.expires_at > at,
    )  # fmt: skip
    return conn.execute(good).first() is not None and not is_anybody_there(conn)


def use_first_link(
    conn: sa.Connection, token: str, name: str, full_name: str, password: str, at: datetime
) -> User | None:
    """Add the first admin by a link, which then is used up; None if the link is no good.

    Raises:
        UserRefused: name or password are no good; the link stays.
    """
    conn.execute(_ALONE)
    if not is_first_link(conn, token, at):
        return None
    made = add_user(conn, name, [Role.ADMIN], at, full_name)
    set_password(conn, made, password, at)
    _use(conn, token, at)
    return made


def _keep(conn: sa.Connection, token: str, user_id: int | None, at: datetime) -> None:
    values = {"token_hash": token_hash(token), "user_id": user_id, "made_at": at,
              "expires_at": at + LINK_LASTS}  # fmt: skip
    conn.execute(sa.insert(LINKS).values(values))


def _use(conn: sa.Connection, token: str, at: datetime) -> None:
    used = sa.update(LINKS).where(LINKS.c.token_hash == token_hash(token))
    conn.execute(used.values(used_at=at))


def token_hash(token: str) -> str:
    """What is kept of a random token: SHA-256 is enough, for it cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()
