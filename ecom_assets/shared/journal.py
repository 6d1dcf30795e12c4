"""What was decided and what happened: the decision ledger and the order timeline.

The ledger keeps every decision with its inputs, the version of the rule or model, the outcome and
the reasons, so that it can be explained and replayed. The timeline keeps one line per event of an
order. Both are append-only and written in the transaction that moves the state they explain.
"""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    METADATA,
    Rows,
    document,
    identity,
    integer,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
    texts,
)

LEDGER = sa.Table(
    "ledger",
    METADATA,
    identity("decision_id", "surrogate key"),
    text("kind", "what was decided, such as risk_decision"),
    reference("order_id", "order the decision is about"),
    # Empty and not NULL: NULLs would be distinct to the unique constraint below.
    text("subject", "part of the order the decision is about; empty for the whole order"),
    integer("attempt", "1 for the first decision, 2 for the next about the same subject"),
    document("inputs", "what the rule or model was given"),
    text("version", "version of the rule or model"),
    text("outcome", "what was decided, in one word"),
    texts("reasons", "why, each a code that the rule documents"),
    moment("decided_as_of", "business moment: only what was known then was used"),
    run_id(),
    recorded_at(),
    sa.UniqueConstraint("kind", "order_id", "subject", "attempt"),
    sa.Index(None, "order_id"),
    # Written nearly in the order of time, so a few pages of BRIN find any range to replay.
    sa.Index("ledger_decided_as_of_brin", "decided_as_of", postgresql_using="brin"),
    schema="decisions",
    comment="Every decision with its inputs, version, outcome and reasons; append-only.",
)

TIMELINE = sa.Table(
    "timeline",
    METADATA,
    identity("event_id", "surrogate key"),
    reference("order_id", "order the event belongs to"),
    text("event", "what happened, such as order_accepted"),
    moment("happened_at", "business moment of the event"),
    document("detail", "what a reader needs to understand the event"),
    run_id(),
    recorded_at(),
    sa.Index(None, "order_id", "happened_at"),
    schema="decisions",
    comment="What happened to each order, one line per event; append-only.",
)

DECISION_COLUMNS = (
    "order_id", "subject", "inputs", "version", "outcome", "reasons", "decided_as_of",
)  # fmt: skip
"""Columns, in this order, that a select given to `record_decisions` must have."""

EVENT_COLUMNS = ("order_id", "happened_at", "detail")
"""Columns, in this order, that a select given to `record_events` must have."""

# Statements around constant selects are built once; the run is all that changes.
_RUN = sa.bindparam("recorded_by", type_=sa.Text)


def record_decisions(conn: sa.Connection, kind: str, rows: Rows, run: str) -> int:
    """Append one decision per row to the ledger, all in one statement.

    Args:
        conn: connection inside the transaction that acts on the decisions.
        kind: what was decided.
        rows: a select with `DECISION_COLUMNS`.
        run: Dagster run id.

    Returns:
        How many decisions were recorded.
    """
    return conn.execute(_decisions(kind, rows), {"recorded_by": run}).rowcount


@lru_cache(maxsize=256)
def _decisions(kind: str, rows: Rows) -> sa.Insert:
    given = rows.subquery()
    # Looked up order by order in the unique index: a join would be planned on statistics that do
    # not know the decisions of a run under way, and compare all of them with all rows.
    earlier = (
        sa.select(sa.func.coalesce(sa.func.max(LEDGER.c.attempt), 0))
        .where(
            LEDGER.c.kind == kind,
            LEDGER.c.order_id == given.c.order_id,
            LEDGER.c.subject == given.c.subject,
        )
        .scalar_subquery()
    )
    attempt = (earlier + 1).label("attempt")
    # Sorting by what was looked up ends all look-ups before the first row is written: on a ledger
    # that is still empty they are scans, which would otherwise read the rows this statement adds.
    source = sa.select(
        sa.literal(kind),
        *(given.c[name] for name in DECISION_COLUMNS),
        attempt,
        _RUN,
    ).order_by(attempt, given.c.decided_as_of, given.c.order_id, given.c.subject)
    columns = ["kind", *DECISION_COLUMNS, "attempt", "run_id"]
    return sa.insert(LEDGER).from_select(columns, source)


def record_events(conn: sa.Connection, event: str, rows: Rows, run: str) -> int:
    """Append one `event` per row to the timeline, all in one statement.

    Args:
        conn: connection inside the transaction that the events explain.
        event: what happened.
        rows: a select with `EVENT_COLUMNS`.
        run: Dagster run id.

    Returns:
        How many events were recorded.
    """
    return conn.execute(_events(event, rows), {"recorded_by": run}).rowcount


@lru_cache(maxsize=256)
def _events(event: str, rows: Rows) -> sa.Insert:
    given = rows.subquery()
    source = sa.select(sa.literal(event), *(given.c[name] for name in EVENT_COLUMNS), _RUN)
    columns = ["event", *EVENT_COLUMNS, "run_id"]
    return sa.insert(TIMELINE).from_select(columns, source)
