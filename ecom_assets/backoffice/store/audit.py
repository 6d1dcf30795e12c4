"""The audit log: what happened that changed no row, and reading it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ecom_assets.backoffice.store.acting import Actor
from ecom_assets.backoffice.tables import AUDIT_ENTRIES

DONE, REFUSED, FAILED = "done", "refused", "failed"

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
        sa.insert(AUDIT_ENTRIES),
        {
            "actor": actor.name[:LONGEST], "via": actor.via, "action": action,
            "subject": subject[:LONGEST], "outcome": outcome, "detail": detail[:LONGEST],
            "after": dict(after) if after is not None else None, "address": actor.address,
            "request_id": actor.request_id,
        },
    )  # fmt: skip
