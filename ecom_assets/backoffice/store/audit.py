"""The audit log: what happened that changed no row, and reading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ecom_assets.backoffice.store.acting import Actor
from ecom_assets.backoffice.tables import AUDIT_ENTRIES

DONE, REFUSED, FAILED = "done", "refused", "failed"

# A function, because who calls it may not write to the log by itself.
_ADD = sa.text("""
    SELECT backoffice.add_audit_entry(:actor, :via, :action, :subject, :outcome, :detail, :after,
        :address, :request_id)
""").bindparams(sa.bindparam("after", type_=JSONB(none_as_null=True)))

LONGEST = 2_000
"""Characters of what comes from outside that an entry keeps."""


def record(
    conn: sa.Connection,
    actor: Actor,
    action: str,
    subject: str,
    outcome: str = DONE,
    detail: str = "",
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry.

    Args:
        conn: connection inside a transaction; of its own where what it tells of is rolled back.
        actor: who acted.
        action: what was done or tried, such as `login`.
        subject: on what.
        outcome: `done`, `refused` or `failed`.
        detail: why.
        after: what was given, without secrets.
    """
    conn.execute(
        _ADD,
        {
            "actor": _kept(actor.name), "via": actor.via, "action": action,
            "subject": _kept(subject), "outcome": outcome, "detail": _kept(detail),
            "after": dict(after) if after is not None else None, "address": actor.address,
            "request_id": actor.request_id,
        },
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries a list shows; what is None does not matter."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    outcome: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


_SHOWN = ("audit_entry_id", "actor", "via", "action", "subject", "outcome", "detail", "before",
          "after", "address", "request_id", "transaction", "recorded_at")  # fmt: skip


def entries(
    conn: sa.Connection, wanted: EntryFilter, before: int | None, most: int
) -> list[sa.RowMapping]:
    """Entries, the newest first, from before the one of a key."""
    table = AUDIT_ENTRIES
    rows = sa.select(*(table.c[name] for name in _SHOWN))
    for name in ("actor", "action", "subject", "outcome", "request_id"):
        if (value := getattr(wanted, name)) is not None:
            rows = rows.where(table.c[name] == value)
    if wanted.since is not None:
        rows = rows.where(table.c.recorded_at >= wanted.since)
    if wanted.until is not None:
        rows = rows.where(table.c.recorded_at < wanted.until)
    if before is not None:
        rows = rows.where(table.c.audit_entry_id < before)
    return list(conn.execute(rows.order_by(table.c.audit_entry_id.desc()).limit(most)).mappings())


def _kept(given: str) -> str:
    return given.replace("\x00", "")[:LONGEST]
