"""Warm workers: who lives, which runs they are offered, which they hold.

A worker is a long-lived process that has imported everything and runs the jobs of one lane. Offers
are rows, taken with `FOR UPDATE SKIP LOCKED`, so each run starts once however many workers there
are. The database's clock says who was heard of when; no rule of the business reads any of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import sqlalchemy as sa

from ecom_assets.shared.columns import METADATA, flag, integer, moment, text

LANE_TAG = "ecom/lane"
"""Tag of a job, and so of its runs, that names the lane of the workers that may run it."""

BEAT_S = 1.0
"""Seconds between two signs of life of a worker."""

LOST_AFTER = timedelta(seconds=5)
"""A worker not heard of for so long is taken for lost; others do its work."""

FORGOTTEN_AFTER = timedelta(hours=1)
"""Lost workers, and claims of runs that ended, are forgotten after this."""

OFFERS = "ecom_runs"
"""Channel on which workers are told that a run is offered or to be ended."""


class Lane(StrEnum):
    """What a worker is there for.

    Attributes:
        DECISIONS: short runs that somebody waits for.
        CHORES: everything else, one after the other.
    """

    DECISIONS = "decisions"
    CHORES = "chores"


WORKERS = sa.Table(
    "workers",
    METADATA,
    text("worker_id", "host and process", primary_key=True),
    text("lane", "decisions or chores"),
    integer("process", "process id on its host"),
    moment("started_at", "when it was ready"),
    moment("seen_at", "last sign of life"),
    integer("runs", "runs it has ended", server_default="0"),
    schema="flow",
    comment="Warm worker processes and when they were last heard of.",
)

RUN_CLAIMS = sa.Table(
    "run_claims",
    METADATA,
    text("run_id", "Dagster run", primary_key=True),
    text("lane", "lane it is offered to"),
    moment("offered_at", "when it was handed over"),
    text("worker_id", "worker that took it; empty while it is on offer", nullable=True),
    moment("claimed_at", "when it was taken", nullable=True),
    moment("ended_at", "when its worker was done with it", nullable=True),
    flag("is_cancelled", "whether its worker is asked to end it", server_default="false"),
    sa.Index(
        "run_claims_open_idx", "lane", "offered_at", postgresql_where=sa.text("worker_id IS NULL")
    ),
    schema="flow",
    comment="Runs that were handed to warm workers; each is taken by one worker, once.",
)

_BEAT = sa.text("""
    INSERT INTO flow.workers (worker_id, lane, process, started_at, seen_at)
    VALUES (:worker_id, :lane, :process, clock_timestamp(), clock_timestamp())
    ON CONFLICT (worker_id) DO UPDATE SET seen_at = excluded.seen_at, runs = :runs
""")
_FORGET = (
    sa.text("DELETE FROM flow.workers WHERE seen_at < clock_timestamp() - :age"),
    sa.text("DELETE FROM flow.run_claims WHERE ended_at < clock_timestamp() - :age"),
)
_ALIVE = sa.text("""
    SELECT count(*) FROM flow.workers
    WHERE lane = :lane AND seen_at > clock_timestamp() - :lost_after
""")
_LISTED = sa.text("""
    SELECT w.worker_id, w.lane, w.seen_at > clock_timestamp() - :lost_after AS is_alive,
        EXTRACT(epoch FROM clock_timestamp() - w.seen_at) AS silent_s, w.runs,
        (SELECT min(c.run_id) FROM flow.run_claims AS c
         WHERE c.worker_id = w.worker_id AND c.ended_at IS NULL) AS run_id
    FROM flow.workers AS w
    ORDER BY w.lane, w.seen_at DESC
""")
_OFFER = sa.text("""
    INSERT INTO flow.run_claims (run_id, lane, offered_at)
    VALUES (:run_id, :lane, clock_timestamp())
    ON CONFLICT (run_id) DO NOTHING
""")
_OWN = sa.text("""
    INSERT INTO flow.run_claims (run_id, lane, offered_at, worker_id, claimed_at)
    VALUES (:run_id, :lane, clock_timestamp(), :worker_id, clock_timestamp())
""")
_TAKE = sa.text("""
    UPDATE flow.run_claims SET worker_id = :worker_id, claimed_at = clock_timestamp()
    WHERE run_id = (
        SELECT run_id FROM flow.run_claims
        WHERE lane = :lane AND worker_id IS NULL AND NOT is_cancelled
        ORDER BY offered_at, run_id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING run_id
""")
_END_ALL = sa.text("""
    UPDATE flow.run_claims SET ended_at = clock_timestamp()
    WHERE worker_id = :worker_id AND ended_at IS NULL
    RETURNING run_id
""")
_END = sa.text("UPDATE flow.run_claims SET ended_at = clock_timestamp() WHERE run_id = :run_id")
# Only of runs that nobody has ended: asking twice, or too late, is answered with no.
_CANCEL = sa.text("""
    UPDATE flow.run_claims SET is_cancelled = true
    WHERE run_id = :run_id AND ended_at IS NULL
    RETURNING worker_id IS NOT NULL
""")
_IS_CANCELLED = sa.text("SELECT is_cancelled FROM flow.run_claims WHERE run_id = :run_id")
# An offer may wait long for a worker that is busy; it is lost when no worker of its lane lives.
_HOLDER = sa.text("""
    SELECT c.worker_id, c.ended_at IS NOT NULL AS has_ended,
        EXISTS (
            SELECT FROM flow.workers AS w
            WHERE CASE WHEN c.worker_id IS NULL THEN w.lane = c.lane
                ELSE w.worker_id = c.worker_id END
              AND w.seen_at > clock_timestamp() - :lost_after
        ) OR (c.worker_id IS NULL AND c.offered_at > clock_timestamp() - :lost_after) AS is_alive
    FROM flow.run_claims AS c
    WHERE c.run_id = :run_id
""")
# Offers are left: whoever asks serves the lane, and takes them.
_ABANDONED = sa.text("""
    UPDATE flow.run_claims AS c SET ended_at = clock_timestamp()
    WHERE c.lane = :lane AND c.ended_at IS NULL AND c.worker_id IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM flow.workers AS w
          WHERE w.worker_id = c.worker_id AND w.seen_at > clock_timestamp() - :lost_after)
    RETURNING c.run_id
""")
_TELL = sa.text("SELECT pg_notify(:channel, '')")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a run that was handed over.

    Attributes:
        worker_id: the worker; None while the run is on offer.
        has_ended: whether the worker is done with it.
        is_alive: whether the worker was heard of within `LOST_AFTER`; while the run is on offer,
            whether any of its lane was, or the offer is as young.
    """

    worker_id: str | None
    has_ended: bool
    is_alive: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A worker as it was last seen.

    Attributes:
        worker_id: host and process.
        lane: what it is there for.
        is_alive: whether it was heard of within `LOST_AFTER`.
        silent_s: seconds since then.
        runs: runs it has ended.
        run_id: the run it holds, if any.
    """

    worker_id: str
    lane: str
    is_alive: bool
    silent_s: float
    runs: int
    run_id: str | None


def beat(conn: sa.Connection, worker_id: str, lane: Lane, process: int, runs: int) -> None:
    """Leave a sign of life; the first one makes the worker known."""
    given = {"worker_id": worker_id, "lane": lane.value, "process": process, "runs": runs}
    conn.execute(_BEAT, given)


def leave(conn: sa.Connection, worker_id: str) -> None:
    """Forget a worker that ends, so that nobody offers it a run or waits for it."""
    conn.execute(sa.delete(WORKERS).where(WORKERS.c.worker_id == worker_id))


def forget(conn: sa.Connection) -> None:
    """Forget workers lost and claims ended `FORGOTTEN_AFTER` ago."""
    for statement in _FORGET:
        conn.execute(statement, {"age": FORGOTTEN_AFTER})


def is_served(conn: sa.Connection, lane: str) -> bool:
    """Whether a living worker serves the lane."""
    given = {"lane": lane, "lost_after": LOST_AFTER}
    return bool(conn.execute(_ALIVE, given).scalar_one())


def listed(conn: sa.Connection) -> list[Seen]:
    """All known workers, per lane the one last heard of first."""
    rows = conn.execute(_LISTED, {"lost_after": LOST_AFTER}).mappings()
    return [Seen(**{**row, "silent_s": float(row["silent_s"])}) for row in rows]


def offer(conn: sa.Connection, run_id: str, lane: str) -> None:
    """Offer a run to the workers of a lane, and wake them."""
    conn.execute(_OFFER, {"run_id": run_id, "lane": lane})
    conn.execute(_TELL, {"channel": OFFERS})


def own(conn: sa.Connection, run_id: str, lane: Lane, worker_id: str) -> None:
    """Note a run that a worker began by itself."""
    conn.execute(_OWN, {"run_id": run_id, "lane": lane.value, "worker_id": worker_id})


def take(conn: sa.Connection, lane: Lane, worker_id: str) -> str | None:
    """Take the oldest run on offer in the lane; None if there is none."""
    found: str | None = conn.execute(_TAKE, {"lane": lane.value, "worker_id": worker_id}).scalar()
    return found


def end(conn: sa.Connection, run_id: str) -> None:
    """Note that a worker is done with a run."""
    conn.execute(_END, {"run_id": run_id})


def end_all(conn: sa.Connection, worker_id: str) -> list[str]:
    """Note that a worker holds no run any more; returns the runs it had."""
    return list(conn.execute(_END_ALL, {"worker_id": worker_id}).scalars())


def cancel(conn: sa.Connection, run_id: str) -> bool | None:
    """Ask for the end of a run that was handed over.

    Returns:
        Whether a worker has it (and will end it) or it is on offer still (and will never start);
        None where it was not handed over or has ended.
    """
    is_held: bool | None = conn.execute(_CANCEL, {"run_id": run_id}).scalar()
    conn.execute(_TELL, {"channel": OFFERS})
    return is_held


def is_cancelled(conn: sa.Connection, run_id: str) -> bool:
    """Whether the end of a run was asked for."""
    return bool(conn.execute(_IS_CANCELLED, {"run_id": run_id}).scalar())


def holder(conn: sa.Connection, run_id: str) -> Holder | None:
    """Who has a run; None if it was not handed over."""
    given = {"run_id": run_id, "lost_after": LOST_AFTER}
    row = conn.execute(_HOLDER, given).mappings().first()
    return Holder(**row) if row else None


def abandoned(conn: sa.Connection, lane: Lane) -> list[str]:
    """Take away the runs of lost workers of a lane; returns their ids."""
    given = {"lane": lane.value, "lost_after": LOST_AFTER}
    return list(conn.execute(_ABANDONED, given).scalars())
