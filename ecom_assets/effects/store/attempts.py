"""Claims and what became of them: every attempt begins and ends in a transaction of its own."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ecom_assets.effects.model import Effect, Outcome
from ecom_assets.effects.rules import Policy
from ecom_assets.effects.store.presence import LOCK_CLASS
from ecom_assets.effects.store.telling import tell
from ecom_assets.shared.outbox import EffectState

_CLAIM = sa.text("""
    WITH next AS (
        SELECT effect_id FROM effects.outbox
        WHERE state = 'planned' AND not_before_at <= statement_timestamp() AND kind = ANY (:kinds)
        ORDER BY not_before_at, effect_id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    UPDATE effects.outbox AS e
    SET state = 'sending', attempts = attempts + 1, claimed_at = statement_timestamp(),
        lease_until_at = statement_timestamp() + :lease_s * interval '1 second',
        worker = :worker, sent_run_id = :run
    FROM next
    WHERE e.effect_id = next.effect_id
    RETURNING e.effect_id, e.kind, e.reference, e.payload, e.due_at, e.attempts AS attempt,
        e.refusals
""").bindparams(sa.bindparam("lease_s", type_=sa.Double))

# Only while it is this very attempt: one taken for dead may have been looked up and made again.
_SETTLE = sa.text("""
    WITH moved AS (
        UPDATE effects.outbox
        SET state = :state, refusals = refusals + :refused,
            not_before_at = statement_timestamp() + :pause_s * interval '1 second',
            last_error = CASE WHEN :state <> 'confirmed' THEN CAST(:answer AS text) END
        WHERE effect_id = :effect_id AND attempts = :attempt AND state IN ('sending', 'unknown')
        RETURNING effect_id
    ), noted AS (
        INSERT INTO effects.attempts
            (effect_id, attempt, action, outcome, started_at, ended_at, answer, run_id)
        SELECT effect_id, :attempt, 'send',
            CASE WHEN EXISTS (SELECT FROM moved) THEN :outcome ELSE 'late' END,
            claimed_at, greatest(claimed_at, clock_timestamp()), :answer, :run
        FROM effects.outbox WHERE effect_id = :effect_id
    )
    SELECT count(*) FROM moved
""").bindparams(sa.bindparam("pause_s", type_=sa.Double))

_ABANDON = sa.text("""
    WITH lost AS (
        SELECT effect_id, lease_until_at <= statement_timestamp() AS is_over
        FROM effects.outbox AS e
        WHERE state = 'sending' AND (
            lease_until_at <= statement_timestamp()
            OR NOT EXISTS (
                SELECT FROM pg_locks AS l
                WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                    AND l.database = (
                        SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                    AND l.classid = CAST(:class AS oid) AND l.objid = CAST(e.worker AS oid)
            )
        )
        FOR UPDATE SKIP LOCKED
    ), moved AS (
        UPDATE effects.outbox AS e
        SET state = 'unknown', not_before_at = statement_timestamp(),
            last_error = CASE WHEN is_over THEN 'its time was over' ELSE 'its worker ended' END
        FROM lost WHERE e.effect_id = lost.effect_id
        RETURNING e.effect_id, e.attempts, e.claimed_at, e.last_error
    ), noted AS (
        INSERT INTO effects.attempts
            (effect_id, attempt, action, outcome, started_at, ended_at, answer, run_id)
        SELECT effect_id, attempts, 'send', 'abandoned', claimed_at,
            greatest(claimed_at, clock_timestamp()), last_error, :run
        FROM moved
    )
    SELECT effect_id FROM moved ORDER BY effect_id
""").bindparams(**{"class": LOCK_CLASS})


def claim(
    conn: sa.Connection, kinds: list[str], worker: int, lease_s: float, run: str
) -> Effect | None:
    """Take the planned effect that has waited longest; commit before anything leaves.

    One at a time: of what a worker holds when it is killed, nobody knows what became.

    Args:
        conn: connection inside a transaction of its own.
        kinds: kinds that can be sent at present.
        worker: number of the worker, see `present`.
        lease_s: seconds within which everything must have left.
        run: Dagster run id.
    """
    given: dict[str, Any] = {"kinds": kinds, "worker": worker, "lease_s": lease_s, "run": run}
    row = conn.execute(_CLAIM, given).mappings().first()
    return Effect(**row) if row else None


def settle(
    conn: sa.Connection, effect: Effect, outcome: Outcome, answer: str, policy: Policy,
    pause_s: float, run: str,
) -> EffectState | None:  # fmt: skip
    """Write down what became of an attempt.

    Args:
        conn: connection inside a transaction of its own.
        effect: what was attempted.
        outcome: what became of it.
        answer: what the other side said.
        policy: says after how many refusals it has failed.
        pause_s: seconds until it may be tried again, if it may.
        run: Dagster run id.

    Returns:
        The new state; None where the answer came so late that others had decided about it.
    """
    is_refused = outcome is Outcome.REFUSED
    state = _state(outcome, effect.refusals + is_refused >= policy.most_refusals)
    given = {
        "effect_id": effect.effect_id, "attempt": effect.attempt, "state": state.value,
        "outcome": outcome.value, "answer": answer, "refused": int(is_refused),
        "pause_s": pause_s, "run": run,
    }  # fmt: skip
    if not conn.execute(_SETTLE, given).scalar_one():
        return None
    tell(conn, state, [effect.effect_id], run)
    return state


def _state(outcome: Outcome, is_given_up: bool) -> EffectState:
    if outcome is Outcome.REFUSED:
        return EffectState.FAILED if is_given_up else EffectState.PLANNED
    return {
        Outcome.CONFIRMED: EffectState.CONFIRMED,
        Outcome.FAILED: EffectState.FAILED,
        Outcome.UNREACHABLE: EffectState.PLANNED,
        Outcome.UNANSWERED: EffectState.UNKNOWN,
    }[outcome]


def abandon(conn: sa.Connection, run: str) -> int:
    """Take effects whose worker is gone, or whose time is over, for unknown; returns how many."""
    lost = list(conn.execute(_ABANDON, {"run": run}).scalars())
    tell(conn, EffectState.UNKNOWN, lost, run)
    return len(lost)
