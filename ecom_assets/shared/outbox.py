"""The outbox: everything that is to leave the platform, planned with the decision it follows.

An area plans effects in the transaction that decides them; the effects area sends them later and
writes down what became of each attempt. The states, and why a time-out is its own state, stand at
`EffectState`; the database refuses every move that `TRANSITIONS` does not list.
"""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom_assets.shared.columns import (
    METADATA,
    PERSONAL,
    Rows,
    document,
    identity,
    integer,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
)


class EffectState(StrEnum):
    """Where an effect stands.

    `SENDING` is committed before anything leaves, so what a killed process may have done is known
    afterwards. `UNKNOWN` is an effect of which nobody can say whether it happened: it is never sent
    again before the outside world was asked for it by its reference, or a person has looked.
    """

    PLANNED = "planned"
    SENDING = "sending"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNKNOWN = "unknown"


TRANSITIONS: dict[EffectState, frozenset[EffectState]] = {
    EffectState.PLANNED: frozenset({EffectState.SENDING}),
    # Back to planned where the other side refused for now and surely took nothing.
    EffectState.SENDING: frozenset(
        {EffectState.CONFIRMED, EffectState.FAILED, EffectState.UNKNOWN, EffectState.PLANNED}
    ),
    EffectState.UNKNOWN: frozenset(
        {EffectState.CONFIRMED, EffectState.PLANNED, EffectState.FAILED}
    ),
    EffectState.CONFIRMED: frozenset(),
    EffectState.FAILED: frozenset(),
}
"""The legal moves; a trigger of the database holds the same list."""

OUTBOX = sa.Table(
    "outbox",
    METADATA,
    identity("effect_id", "surrogate key"),
    text("kind", "what kind of effect, such as email: decides who sends it"),
    text("idempotency_key", "what makes the effect the only one of its sort; planned once"),
    text("reference", "what the outside world knows it by, such as a Message-ID; fixed for ever"),
    reference("order_id", "order it is about, if any", "orders.orders.order_id", nullable=True),
    document("payload", "all that is needed to send it", info=PERSONAL),
    moment("due_at", "business moment from which it may happen"),
    text("state", "planned, sending, confirmed, failed or unknown", server_default="planned"),
    integer("attempts", "attempts begun; the last one's number", server_default="0"),
    integer("refusals", "times it was refused; too many, and it has failed", server_default="0"),
    moment("not_before_at", "when to try next, or to look up next what became of it"),
    moment("claimed_at", "when the last attempt began", nullable=True),
    moment("lease_until_at", "until when the last attempt may send anything", nullable=True),
    integer("worker", "who makes the last attempt; alive while it holds its lock", nullable=True),
    text("last_error", "what went wrong last", nullable=True, info=PERSONAL),
    text("sent_run_id", "Dagster run of the last attempt", nullable=True),
    run_id(),
    recorded_at(),
    sa.UniqueConstraint("idempotency_key"),
    # Two effects with one reference: the proof that one happened would pass for the other's.
    sa.UniqueConstraint("kind", "reference"),
    sa.CheckConstraint(
        "state IN ('planned', 'sending', 'confirmed', 'failed', 'unknown')", name="state_known"
    ),
    sa.CheckConstraint(
        "attempts >= 0 AND refusals BETWEEN 0 AND attempts", name="refusals_within_attempts"
    ),
    sa.CheckConstraint(
        "state = 'planned' OR num_nulls(claimed_at, lease_until_at, worker) = 0",
        name="claimed_before_sent",
    ),
    sa.Index(None, "order_id"),
    # Most effects are confirmed and never looked at again; what is open stays quick to find.
    sa.Index(
        "outbox_open_idx",
        "state",
        "not_before_at",
        "effect_id",
        postgresql_where=sa.text("state <> 'confirmed'"),
    ),
    schema="effects",
    comment="What is to leave the platform, once each, and where every effect stands.",
)

ATTEMPTS = sa.Table(
    "attempts",
    METADATA,
    identity("attempt_id", "surrogate key"),
    reference("effect_id", "effect", "effects.outbox.effect_id"),
    integer("attempt", "number of the attempt to send, 1 for the first"),
    text("action", "send, look_up (asked what became of it) or person (somebody decided)"),
    text(
        "outcome",
        "confirmed, refused, failed, unreachable, unanswered, abandoned, not_sent or late",
    ),
    moment("started_at", "when the attempt or the look-up began"),
    moment("ended_at", "when its outcome was known or given up"),
    text("answer", "what the other side or the person said", info=PERSONAL),
    run_id(),
    sa.CheckConstraint("action IN ('send', 'look_up', 'person')", name="action_known"),
    sa.CheckConstraint(
        "outcome IN ('confirmed', 'refused', 'failed', 'unreachable', 'unanswered', 'abandoned',"
        " 'not_sent', 'late')",
        name="outcome_known",
    ),
    sa.CheckConstraint("ended_at >= started_at", name="ended_after_started"),
    sa.Index(None, "effect_id"),
    schema="effects",
    comment="Every attempt at an effect and how it ended; append-only, which the database holds.",
)

PLANNED_COLUMNS = ("idempotency_key", "reference", "order_id", "payload", "due_at")
"""Columns that a select given to `plan` must have."""


def plan(conn: sa.Connection, kind: str, rows: Rows, run: str) -> int:
    """Plan effects in the transaction of the decision they follow, all in one statement.

    Args:
        conn: connection inside that transaction.
        kind: what kind of effect.
        rows: a select with `PLANNED_COLUMNS`; a key that was planned before is left alone.
        run: Dagster run id.

    Returns:
        How many effects are new.
    """
    given = rows.subquery()
    source = sa.select(
        sa.literal(kind),
        *(given.c[name] for name in PLANNED_COLUMNS),
        given.c.due_at,
        sa.literal(run),
    ).order_by(given.c.due_at, given.c.idempotency_key)
    columns = ["kind", *PLANNED_COLUMNS, "not_before_at", "run_id"]
    statement = insert(OUTBOX).from_select(columns, source)
    planned = statement.on_conflict_do_nothing(index_elements=["idempotency_key"])
    return conn.execute(planned).rowcount


def open_effects(conn: sa.Connection) -> dict[str, int]:
    """Effects that are not confirmed, by state; states without any are left out."""
    rows = conn.execute(
        sa.select(OUTBOX.c.state, sa.func.count())
        .where(OUTBOX.c.state != EffectState.CONFIRMED.value)
        .group_by(OUTBOX.c.state)
    ).tuples()
    counts = dict(rows.all())
    return {state.value: counts[state.value] for state in EffectState if state.value in counts}
