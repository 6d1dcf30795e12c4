"""The audit log: what happened that changed no row, and reading it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ecom_assets.backoffice.store.acting import Actor

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


def _kept(given: str) -> str:
    return given.replace("\x00", "")[:LONGEST]
