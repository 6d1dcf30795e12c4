"""API keys: `ecom_<name>_<secret>`; the name finds the row, the secret is kept as SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from ecom_assets.areas import AREA_NAMES
from ecom_assets.backoffice.roles import Principal, Role, scope_problems
from ecom_assets.backoffice.store.users import UserRefused
from ecom_assets.backoffice.tables import API_KEYS

LONGEST_LASTING = timedelta(days=366)
NOTED_EVERY = timedelta(minutes=1)

_KEY = re.compile(r"ecom_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_FIND = sa.text("""
    SELECT k.api_key_id, k.secret_hash, k.scopes, k.used_at, u.user_id, u.name, u.full_name, u.roles
    FROM backoffice.api_keys AS k JOIN backoffice.users AS u USING (user_id)
    WHERE k.key_name = :key_name AND k.revoked_at IS NULL AND k.expires_at > :at AND u.is_active
""")


def make_key(
    conn: sa.Connection,
    user_id: int,
    purpose: str,
    scopes: Sequence[str],
    at: datetime,
    lasts: timedelta,
    areas: Collection[str] = AREA_NAMES,
) -> tuple[int, str]:
    """Make a key; returns its surrogate key and the key itself, which is shown once.

    Raises:
        UserRefused: a scope is unknown, or it would last longer than a year.
    """
    problems = scope_problems(scopes, areas) or ([] if scopes else ["a key needs a scope"])
    if problems:
        raise UserRefused("scopes", "; ".join(problems))
    if not timedelta() < lasts <= LONGEST_LASTING:
        raise UserRefused("expires_at", f"a key lasts at most {LONGEST_LASTING.days} days")
    if not purpose.strip():
        raise UserRefused("purpose", "a key says what it is for")
    name, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    values = {
        "key_name": name, "secret_hash": _hash(secret), "user_id": user_id, "purpose": purpose,
        "scopes": sorted(set(scopes)), "created_at": at, "expires_at": at + lasts,
    }  # fmt: skip
    made = conn.execute(sa.insert(API_KEYS).values(values).returning(API_KEYS.c.api_key_id))
    return made.scalar_one(), f"ecom_{name}_{secret}"


def principal_of_key(conn: sa.Connection, key: str, at: datetime) -> Principal | None:
    """Who shows a key, or None if it is not good (any more)."""
    matched = _KEY.fullmatch(key)
    if matched is None:
        return None
    name, secret = matched.groups()
    row = conn.execute(_FIND, {"key_name": name, "at": at}).one_or_none()
    if row is None or not hmac.compare_digest(row.secret_hash, _hash(secret)):
        return None
    if row.used_at is None or at - row.used_at >= NOTED_EVERY:
        used = sa.update(API_KEYS).where(API_KEYS.c.api_key_id == row.api_key_id)
        conn.execute(used.values(used_at=at))
    roles = frozenset(Role(role) for role in row.roles)
    scopes = frozenset(row.scopes)
    return Principal(row.user_id, row.name, row.full_name, roles, "api_key", row.api_key_id, scopes)


_SHOWN = ("api_key_id", "key_name", "user_id", "purpose", "scopes", "created_at", "expires_at",
          "revoked_at", "used_at")  # fmt: skip


def keys_of(conn: sa.Connection, user_id: int, after: int, most: int) -> list[sa.RowMapping]:
    """Keys of a user in the order they were made, after the one of a surrogate key."""
    rows = sa.select(*(API_KEYS.c[name] for name in _SHOWN)).where(
        API_KEYS.c.user_id == user_id, API_KEYS.c.api_key_id > after
    )
    return list(conn.execute(rows.order_by(API_KEYS.c.api_key_id).limit(most)).mappings())


def key_of(
    conn: sa.Connection, user_id: int, api_key_id: int, is_locked: bool = False
) -> sa.RowMapping | None:
    """A key of a user; None where that user has none of that surrogate key."""
    mine = sa.and_(API_KEYS.c.user_id == user_id, API_KEYS.c.api_key_id == api_key_id)
    row = sa.select(*(API_KEYS.c[name] for name in _SHOWN)).where(mine)
    return conn.execute(row.with_for_update() if is_locked else row).mappings().one_or_none()


def revoke_key(conn: sa.Connection, api_key_id: int, at: datetime) -> bool:
    """Take a key back; whether it was good until now."""
    good = sa.and_(API_KEYS.c.api_key_id == api_key_id, API_KEYS.c.revoked_at.is_(None))
    return conn.execute(sa.update(API_KEYS).where(good).values(revoked_at=at)).rowcount > 0


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
