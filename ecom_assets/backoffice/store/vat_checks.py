"""Questions to the EU's register of VAT ids: what was answered, and what waits for an answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from ecom_assets.backoffice.tables import VAT_CHECKS
from ecom_assets.backoffice.taxation import VatState
from ecom_assets.backoffice.vat import normal, pause, problem_of
from ecom_assets.shared import shop_settings

_C = VAT_CHECKS.c
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('vat/' || :vat_id, 0))")


def want(conn: sa.Connection, vat_id: str, at: datetime, run: str) -> VatState:
    """What is known of an id; where that is nothing, or too old, the register is to be asked.

    Args:
        conn: connection inside a transaction.
        vat_id: as the customer wrote it.
        at: business moment.
        run: Dagster run id.
    """
    name = normal(vat_id)
    conn.execute(_LOCK, {"vat_id": name})
    known = state_of(conn, name, at)
    if known is not VatState.NONE:
        return known
    problem = problem_of(name)
    state = VatState.MALFORMED if problem else VatState.PENDING
    conn.execute(
        sa.insert(VAT_CHECKS).values(
            vat_id=name, state=state, asked_as_of=at, next_at=None if problem else at,
            detail=problem or "", run_id=run,
        )
    )  # fmt: skip
    return state


def state_of(conn: sa.Connection, vat_id: str, at: datetime) -> VatState:
    """The newest that is known of an id at a moment; nothing, where the answer is too old."""
    found = conn.execute(
        sa.select(_C.state, _C.answered_at)
        .where(_C.vat_id == normal(vat_id), _C.asked_as_of <= at)
        .order_by(_C.asked_as_of.desc(), _C.vat_check_id.desc())
        .limit(1)
    ).first()
    if found is None:
        return VatState.NONE
    [days] = shop_settings.read(conn, shop_settings.VAT_ANSWER_DAYS)
    if found.answered_at and found.answered_at <= at - timedelta(days=days):
        return VatState.NONE
    # What was answered later than the moment was not known then.
    if found.answered_at and found.answered_at > at:
        return VatState.PENDING
    return VatState(found.state)


def due(conn: sa.Connection, at: datetime, most: int = 100) -> list[tuple[int, str]]:
    """Keys and ids of what the register is to be asked now, longest waiting first."""
    query = sa.select(_C.vat_check_id, _C.vat_id).where(_C.state == "pending", _C.next_at <= at)
    rows = conn.execute(query.order_by(_C.next_at, _C.vat_check_id).limit(most))
    return [(row.vat_check_id, row.vat_id) for row in rows]


def answered(
    conn: sa.Connection, check: int, is_valid: bool, consultation: str | None, at: datetime
) -> None:
    """Keep an answer; an answer that is there already stays."""
    state = VatState.VALID if is_valid else VatState.INVALID
    conn.execute(
        _pending(check).values(
            state=state, answered_at=at, consultation=consultation, next_at=None, detail="",
            attempts=_C.attempts + 1,
        )
    )  # fmt: skip


def unanswered(conn: sa.Connection, check: int, problem: str, at: datetime) -> None:
    """Keep why there was no answer, and ask again later: nothing is claimed meanwhile."""
    attempts = conn.execute(sa.select(_C.attempts).where(_C.vat_check_id == check)).scalar_one()
    conn.execute(
        _pending(check).values(
            attempts=attempts + 1, next_at=at + pause(attempts + 1), detail=problem[:500]
        )
    )


def _pending(check: int) -> sa.Update:
    return sa.update(VAT_CHECKS).where(_C.vat_check_id == check, _C.state == "pending")
