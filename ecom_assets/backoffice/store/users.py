"""Users: adding, changing and finding them, and their passwords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ecom_assets.backoffice.passwords import hash_password, password_problem
from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store.sessions import end_sessions
from ecom_assets.backoffice.tables import USERS

LONGEST_NAME = 100

_LOCK_ADMINS = sa.text("""
    SELECT user_id FROM backoffice.users
    WHERE is_active AND 'admin' = ANY(roles) ORDER BY user_id FOR UPDATE
""")


class UserRefused(ValueError):
    """Something about a user is refused; the message names what, `field` where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class User:
    """A user as others see it."""

    user_id: int
    name: str
    full_name: str
    email: str
    roles: tuple[Role, ...]
    is_active: bool
    has_password: bool
    issuer: str | None
    version: int
    created_at: datetime


_SHOWN = (
    USERS.c.user_id, USERS.c.name, USERS.c.full_name, USERS.c.email, USERS.c.roles,
    USERS.c.is_active, USERS.c.password_hash.is_not(None).label("has_password"), USERS.c.issuer,
    USERS.c.version, USERS.c.created_at,
)  # fmt: skip


def add_user(
    conn: sa.Connection,
    name: str,
    roles: Sequence[Role],
    at: datetime,
    full_name: str = "",
    email: str = "",
) -> User:
    """Add a user without a password; `link_for` lets it set one.

    Raises:
        UserRefused: the name is empty, too long or taken.
    """
    name = name.strip().lower()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise UserRefused("name", f"a name has 1 to {LONGEST_NAME} printable characters")
    for field, text in (("full_name", full_name), ("email", email)):
        if "\x00" in text:
            raise UserRefused(field, "has no NUL")
    values = {"name": name, "roles": sorted(set(roles)), "created_at": at,
              "full_name": full_name, "email": email}  # fmt: skip
    try:
        with conn.begin_nested():
            made = conn.execute(sa.insert(USERS).values(values).returning(USERS.c.user_id))
            return user(conn, made.scalar_one())
    except IntegrityError as error:
        raise UserRefused("name", f"there is a user {name!r} already") from error


def user(conn: sa.Connection, user_id: int) -> User:
    """The user of a key.

    Raises:
        LookupError: there is none.
    """
    return _only(conn, USERS.c.user_id == user_id, f"user {user_id}")


def user_named(conn: sa.Connection, name: str) -> User:
    """The user of a name.

    Raises:
        LookupError: there is none.
    """
    return _only(conn, USERS.c.name == name.strip().lower(), f"user {name!r}")


def user_of_provider(
    conn: sa.Connection, issuer: str, subject: str, name: str, full_name: str, email: str,
    roles: Sequence[Role], at: datetime,
) -> User:  # fmt: skip
    """The user for whom an OIDC provider vouches, added if it is new, with the roles of now.

    Raises:
        UserRefused: it is disabled, or the name of a new one is taken.
    """
    which = (USERS.c.issuer == issuer) & (USERS.c.subject == subject)
    user_id = conn.execute(sa.select(USERS.c.user_id).where(which)).scalar_one_or_none()
    if user_id is None:
        made = add_user(conn, name, roles, at, full_name, email)
        _bind_to_provider(conn, made.user_id, issuer, subject)
        return made
    known = user(conn, user_id)
    if not known.is_active:
        raise UserRefused("name", "this user is disabled here")
    if (known.full_name, known.email, known.roles) == (full_name, email, tuple(sorted(roles))):
        return known
    return change_user(conn, user_id, at, roles=roles, full_name=full_name, email=email)


def _only(conn: sa.Connection, which: sa.ColumnElement[bool], what: str) -> User:
    row = conn.execute(sa.select(*_SHOWN).where(which)).mappings().one_or_none()
    if row is None:
        raise LookupError(f"there is no {what}")
    return _user(row)


def _user(row: sa.RowMapping) -> User:
    return User(**{**row, "roles": tuple(Role(role) for role in row["roles"])})


def lock_user(conn: sa.Connection, user_id: int) -> User:
    """A user as it is now, and stays until the transaction ends.

    Raises:
        LookupError: there is no such user.
    """
    conn.execute(_LOCK_ADMINS)
    locked = sa.select(USERS.c.user_id).where(USERS.c.user_id == user_id).with_for_update()
    conn.execute(locked)
    return user(conn, user_id)


def list_users(conn: sa.Connection, after: int, most: int) -> list[User]:
    """Users in the order they were added, after the one of a key."""
    rows = sa.select(*_SHOWN).where(USERS.c.user_id > after).order_by(USERS.c.user_id)
    return [_user(row) for row in conn.execute(rows.limit(most)).mappings()]


def all_users(conn: sa.Connection) -> list[User]:
    """Every user, by name."""
    rows = conn.execute(sa.select(*_SHOWN).order_by(USERS.c.name)).mappings()
    return [_user(row) for row in rows]


def is_anybody_there(conn: sa.Connection) -> bool:
    """Whether there is a user at all."""
    return bool(conn.execute(sa.select(sa.exists(sa.select(USERS.c.user_id)))).scalar_one())


def change_user(
    conn: sa.Connection,
    user_id: int,
    at: datetime,
    *,
    roles: Sequence[Role] | None = None,
    is_active: bool | None = None,
    full_name: str | None = None,
    email: str | None = None,
) -> User:
    """Change what is given. Other roles, or none any more, end the user's sessions.

    Raises:
        LookupError: there is no such user.
        UserRefused: it would leave nobody who may administer.
    """
    admins = set(conn.execute(_LOCK_ADMINS).scalars())
    before = user(conn, user_id)
    after_roles = before.roles if roles is None else tuple(sorted(set(roles)))
    stays = before.is_active if is_active is None else is_active
    if admins == {user_id} and not (stays and Role.ADMIN in after_roles):
        raise UserRefused("roles", "this is the last admin; make another one first")
    given = {"full_name": full_name, "email": email, "is_active": is_active,
             "roles": None if roles is None else list(after_roles)}  # fmt: skip
    values = {name: value for name, value in given.items() if value is not None}
    if values:
        changed = sa.update(USERS).where(USERS.c.user_id == user_id)
        conn.execute(changed.values(**values, version=USERS.c.version + 1))
    if not stays:
        end_sessions(conn, user_id, "disabled", at)
    elif set(after_roles) != set(before.roles):
        end_sessions(conn, user_id, "roles_changed", at)
    return user(conn, user_id)


def _bind_to_provider(conn: sa.Connection, user_id: int, issuer: str, subject: str) -> None:
    """Let an OIDC provider vouch for a user."""
    changed = sa.update(USERS).where(USERS.c.user_id == user_id)
    values = {"issuer": issuer, "subject": subject, "version": USERS.c.version + 1}
    conn.execute(changed.values(values))


def set_password(conn: sa.Connection, whose: User, password: str, at: datetime) -> None:
    """Set a password and end the user's sessions.

    Raises:
        UserRefused: it is too short, too long or too common.
    """
    problem = password_problem(password, (whose.name, whose.full_name, whose.email))
    if problem:
        raise UserRefused("password", problem)
    keep_password(conn, whose.user_id, hash_password(password), at)
    end_sessions(conn, whose.user_id, "password_changed", at)


def keep_password(conn: sa.Connection, user_id: int, hashed: str, at: datetime) -> None:
    """Keep a password that was hashed, again perhaps because its cost has changed."""
    changed = sa.update(USERS).where(USERS.c.user_id == user_id)
    conn.execute(changed.values(password_hash=hashed, password_set_at=at))


def password_of(conn: sa.Connection, name: str) -> tuple[int, str | None] | None:
    """Key of the active user of a name and what is kept of the password, or None."""
    if not name.isprintable():
        return None  # nobody is called so, and the database takes no NUL
    found = sa.select(USERS.c.user_id, USERS.c.password_hash).where(
        USERS.c.name == name.strip().lower(), USERS.c.is_active
    )
    row = conn.execute(found).one_or_none()
    return None if row is None else (row[0], row[1])
