"""What sensors, assets and operators look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ecom_assets.shared.outbox import OUTBOX, EffectState

_WAITING = sa.text("""
    SELECT
        (SELECT count(*) FROM effects.outbox
            WHERE state = 'planned' AND not_before_at <= statement_timestamp()) AS ready,
        (SELECT count(*) FROM effects.outbox WHERE state = 'sending') AS sending,
        (SELECT count(*) FROM effects.outbox
            WHERE state = 'unknown' AND not_before_at <= statement_timestamp()) AS in_doubt
""")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Effects a dispatch would look at.

    Attributes:
        ready: planned and due.
        sending: claimed; abandoned if no dispatch runs.
        in_doubt: unknown, to be looked up now.
    """

    ready: int
    sending: int
    in_doubt: int


def waiting(conn: sa.Connection) -> Waiting:
    """What waits for a dispatch now."""
    return Waiting(**conn.execute(_WAITING).mappings().one())


def listed(*states: EffectState) -> sa.Select[Any]:
    """Effects in some states, oldest first; without what tells whom they are for."""
    names = ("effect_id", "kind", "state", "order_id", "attempts", "due_at", "not_before_at")
    return (
        sa.select(*(OUTBOX.c[name] for name in names), OUTBOX.c.reference, OUTBOX.c.last_error)
        .where(OUTBOX.c.state.in_([state.value for state in states]))
        .order_by(OUTBOX.c.not_before_at, OUTBOX.c.effect_id)
    )
