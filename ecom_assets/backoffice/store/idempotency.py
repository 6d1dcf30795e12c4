"""Requests that must happen once, and the answers that repetitions of them get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ecom_assets.backoffice.tables import IDEMPOTENCY_KEYS

KEPT = timedelta(hours=24)
"""How long a repetition gets the first answer."""

_MOST_FORGOTTEN = 100

# Tried, not waited for: who comes while the first request goes on is told so at once.
_TURN = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 16))")
_FORGET = sa.text("""
    DELETE FROM backoffice.idempotency_keys WHERE (user_id, key) IN (
        SELECT user_id, key FROM backoffice.idempotency_keys WHERE expires_at <= :at
        ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it was given: status, headers that belong to what was done, and body."""

    status: int
    headers: Mapping[str, str]
    body: str


class KeyBusy(Exception):
    """A request with this key goes on at this moment."""


class KeyReused(Exception):
    """The key named another request before."""


def once(
    conn: sa.Connection,
    user_id: int,
    key: str,
    request_hash: str,
    at: datetime,
    work: Callable[[], Answered],
) -> tuple[Answered, bool]:
    """Do something unless it was done before; returns its answer, and whether it is a repetition.

    The answer is kept in the transaction of the work, so neither is without the other.

    Args:
        conn: connection inside the transaction that does the work (READ COMMITTED).
        user_id: who asks.
        key: the caller's name for the request.
        request_hash: tells another request by the same name.
        at: the moment.
        work: does it.

    Raises:
        KeyBusy: the same request is being answered now.
        KeyReused: the key was given to another request.
    """
    if not conn.execute(_TURN, {"name": f"{user_id}/{key}"}).scalar_one():
        raise KeyBusy
    conn.execute(_FORGET, {"at": at, "most": _MOST_FORGOTTEN})
    known = _known(conn, user_id, key, at)
    if known is not None:
        if known.request_hash != request_hash:
            raise KeyReused
        return Answered(known.status, known.headers, known.body), True
    answer = work()
    values = {
        "user_id": user_id, "key": key, "request_hash": request_hash, "status": answer.status,
        "headers": dict(answer.headers), "body": answer.body, "answered_at": at,
        "expires_at": at + KEPT,
    }  # fmt: skip
    conn.execute(sa.insert(IDEMPOTENCY_KEYS).values(values))
    return answer, False


def _known(
    conn: sa.Connection, user_id: int, key: str, at: datetime
) -> sa.Row[tuple[str, int, dict[str, str], str]] | None:
    table = IDEMPOTENCY_KEYS
    mine = sa.and_(table.c.user_id == user_id, table.c.key == key)
    # More had expired than one request forgets: this one's is removed whatever the others do.
    conn.execute(sa.delete(table).where(mine, table.c.expires_at <= at))
    columns = (table.c.request_hash, table.c.status, table.c.headers, table.c.body)
    return conn.execute(sa.select(*columns).where(mine)).one_or_none()
