"""Effects in doubt: asked for by their reference, or decided by a person who looked."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ecom_assets.effects.model import Doubt
from ecom_assets.effects.store.telling import tell
from ecom_assets.shared.outbox import EffectState

MOST_DOUBTS = 1_000
"""Effects looked up together; what is left waits for the next dispatch."""

_DOUBTS = sa.text("""
    SELECT effect_id, kind, reference, attempts AS attempt, claimed_at, lease_until_at,
        statement_timestamp() AS asked_at
    FROM effects.outbox
    WHERE state = 'unknown' AND not_before_at <= statement_timestamp() AND kind = :kind
    ORDER BY not_before_at, effect_id
    LIMIT :most
""")

# Guarded by attempt and state: another worker may have asked the same at the same time.
_ANSWER = sa.text("""
    WITH given AS (
        SELECT * FROM unnest(CAST(:effect_ids AS bigint[]), CAST(:attempts AS integer[]))
            AS g (effect_id, attempt)
    ), moved AS (
        UPDATE effects.outbox AS e
        SET state = :state, not_before_at = statement_timestamp(),
            last_error = CASE WHEN :state <> 'confirmed' THEN last_error END
        FROM given AS g
        WHERE e.effect_id = g.effect_id AND e.attempts = g.attempt AND e.state = 'unknown'
        RETURNING e.effect_id, e.attempts
    ), noted AS (
        INSERT INTO effects.attempts
            (effect_id, attempt, action, outcome, started_at, ended_at, answer, run_id)
        SELECT effect_id, attempts, :action, :outcome, statement_timestamp(),
            greatest(statement_timestamp(), clock_timestamp()), :answer, :run
        FROM moved
    )
    SELECT effect_id FROM moved ORDER BY effect_id
""")

# As long again as the doubt is old: a fresh one is looked up often, a hopeless one rarely.
_POSTPONE = sa.text("""
    UPDATE effects.outbox
    SET not_before_at = statement_timestamp() + least(greatest(
        statement_timestamp() - claimed_at,
        :least_s * interval '1 second'), :most_s * interval '1 second')
    WHERE effect_id = ANY (:effect_ids) AND state = 'unknown'
""").bindparams(sa.bindparam("least_s", type_=sa.Double), sa.bindparam("most_s", type_=sa.Double))


class NotInDoubt(Exception):
    """Somebody decided about an effect of which there is no doubt; says where it stands."""


def doubts(conn: sa.Connection, kind: str) -> list[Doubt]:
    """Effects of a kind that are to be looked up now, those that waited longest first."""
    rows = conn.execute(_DOUBTS, {"kind": kind, "most": MOST_DOUBTS}).mappings()
    return [Doubt(**row) for row in rows]


def answer(conn: sa.Connection, found: Sequence[Doubt], has_happened: bool, run: str) -> int:
    """Believe a look-up: confirmed where it happened, planned again where it did not.

    Returns:
        How many effects were in doubt until now.
    """
    if not found:
        return 0
    said = "found by its reference" if has_happened else "not found by its reference"
    return _decide(conn, found, has_happened, "look_up", said, run)


def _decide(
    conn: sa.Connection, found: Sequence[Doubt], has_happened: bool, action: str, said: str,
    run: str,
) -> int:  # fmt: skip
    state = EffectState.CONFIRMED if has_happened else EffectState.PLANNED
    given = {
        "effect_ids": [doubt.effect_id for doubt in found],
        "attempts": [doubt.attempt for doubt in found],
        "state": state.value, "outcome": "confirmed" if has_happened else "not_sent",
        "action": action, "answer": said, "run": run,
    }  # fmt: skip
    moved = list(conn.execute(_ANSWER, given).scalars())
    tell(conn, state, moved, run)
    return len(moved)


def postpone(conn: sa.Connection, found: Sequence[Doubt], least_s: float, most_s: float) -> None:
    """Look effects up again later, of which the outside world could not tell yet."""
    if found:
        ids = [doubt.effect_id for doubt in found]
        conn.execute(_POSTPONE, {"effect_ids": ids, "least_s": least_s, "most_s": most_s})


_ONE = sa.text("""
    SELECT effect_id, kind, reference, attempts AS attempt, claimed_at, lease_until_at,
        statement_timestamp() AS asked_at, state
    FROM effects.outbox WHERE effect_id = :effect_id
    FOR UPDATE
""")


def resolve(conn: sa.Connection, effect_id: int, has_happened: bool, by: str) -> None:
    """Let a person decide who has looked whether an effect in doubt happened.

    Args:
        conn: connection inside a transaction.
        effect_id: the effect.
        has_happened: whether it did; if not, it is planned again.
        by: who says so; kept with the effect's attempts.

    Raises:
        NotInDoubt: there is no such effect, or it is not unknown.
    """
    row = conn.execute(_ONE, {"effect_id": effect_id}).mappings().first()
    if row is None:
        raise NotInDoubt(f"there is no effect {effect_id}")
    one = dict(row)
    state = one.pop("state")
    if state != EffectState.UNKNOWN.value:
        raise NotInDoubt(f"effect {effect_id} is {state}; only unknown effects are resolved")
    _decide(conn, [Doubt(**one)], has_happened, "person", f"decided by {by}", f"person {by}")
