"""Which runs of Dagster's own database may go, and their removal.

Dagster removes one run per call, its row first and its events in a second transaction, and leaves
the results of its checks for ever. Here a batch of runs goes in one transaction, whole: a purge
that is killed leaves no run in part, and the next one goes on.

The statements know five tables of Dagster's storage (`runs`, `run_tags`, `event_logs`,
`asset_event_tags`, `asset_check_executions`); a test fails when a release changes one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ecom_assets.backoffice.tables import PURGES

BATCH = 500
"""Runs removed in one transaction; a run of the order path has some hundreds of events."""

# A run that goes on is never old. Of what the UI shows of assets and checks nothing is lost: the
# runs that hold the last word about one are kept. A run without an end was cancelled while queued.
_OLD = sa.text("""
    WITH ranked AS (
        SELECT id, run_id, pipeline_name, status, backfill_id,
            coalesce(to_timestamp(end_time), create_timestamp AT TIME ZONE 'UTC') AS ended_at,
            row_number() OVER (PARTITION BY pipeline_name ORDER BY id DESC) AS place,
            row_number() OVER (PARTITION BY pipeline_name, status ORDER BY id DESC) AS status_place
        FROM runs
    ), ended AS (
        SELECT id, run_id, backfill_id FROM ranked
        WHERE status IN ('SUCCESS', 'FAILURE', 'CANCELED')
            AND (ended_at < :ended_before OR status_place > :most_runs)
            AND place > 1 AND NOT (status = 'SUCCESS' AND status_place = 1)
    ), last_words AS (
        SELECT said.run_id
        FROM asset_keys AS a
        CROSS JOIN unnest(ARRAY['ASSET_MATERIALIZATION', 'ASSET_OBSERVATION']) AS k (kind)
        CROSS JOIN LATERAL (
            SELECT e.run_id FROM event_logs AS e
            WHERE e.asset_key = a.asset_key AND e.dagster_event_type = k.kind
            ORDER BY e.id DESC LIMIT 1) AS said
        UNION
        SELECT of_partition.run_id FROM (
            SELECT DISTINCT ON (asset_key, dagster_event_type, partition) run_id
            FROM event_logs
            WHERE asset_key IS NOT NULL AND partition IS NOT NULL
                AND dagster_event_type IN ('ASSET_MATERIALIZATION', 'ASSET_OBSERVATION')
            ORDER BY asset_key, dagster_event_type, partition, id DESC) AS of_partition
        UNION
        SELECT of_check.run_id FROM (
            SELECT DISTINCT ON (asset_key, check_name, partition) run_id
            FROM asset_check_executions WHERE execution_status <> 'PLANNED'
            ORDER BY asset_key, check_name, partition, id DESC) AS of_check
    )
    SELECT run_id FROM ended
    WHERE NOT EXISTS (SELECT FROM last_words WHERE last_words.run_id = ended.run_id)
        AND NOT EXISTS (
            SELECT FROM bulk_actions AS b
            WHERE b.key = ended.backfill_id AND b.status NOT LIKE 'COMPLETED%')
    ORDER BY id
""")
_TAGS = sa.text("""
    DELETE FROM asset_event_tags AS t USING event_logs AS e
    WHERE e.run_id = ANY(:runs) AND t.event_id = e.id
""")
_EVENTS = sa.text("DELETE FROM event_logs WHERE run_id = ANY(:runs)")
# The tags of a run go with it, by its foreign key.
_RUNS = sa.text("DELETE FROM runs WHERE run_id = ANY(:runs)")
# Once and not per batch, since no index leads to them. This also finds what Dagster left where
# somebody deleted a run by hand.
_EVALUATIONS = sa.text("""
    WITH last AS (
        SELECT DISTINCT ON (asset_key, check_name, partition) id FROM asset_check_executions
        WHERE execution_status <> 'PLANNED'
        ORDER BY asset_key, check_name, partition, id DESC
    )
    DELETE FROM asset_check_executions AS c
    WHERE c.run_id <> '' AND NOT EXISTS (SELECT FROM runs AS r WHERE r.run_id = c.run_id)
        AND NOT EXISTS (SELECT FROM last WHERE last.id = c.id)
""")
_SIZE = sa.text("SELECT pg_database_size(current_database())")
_VACUUM = sa.text("VACUUM (ANALYZE) event_logs, asset_check_executions, runs, run_tags")


@dataclass(frozen=True, slots=True)
class Limits:
    """What is kept of the runs that have ended.

    Attributes:
        ended_before: runs that ended before this moment are too old.
        most_runs: runs kept of each job and ending, the newest ones, however young the others are;
            by ending, so that thousands that went well do not push out one that failed.
    """

    ended_before: datetime
    most_runs: int


def purge_runs(
    begin: Callable[[], AbstractContextManager[sa.Connection]],
    limits: Limits,
    forget: Callable[[str], object],
    progress: Callable[[str], object] | None = None,
    batch: int = BATCH,
) -> Counter[str]:
    """Remove the runs beyond the limits with all that was recorded of them.

    Kept are the runs that go on or wait, the newest run and the newest successful run of each job,
    those of backfills that go on, and those that hold the last materialization or observation of an
    asset (of each partition), or the last result of a check.

    Args:
        begin: opens a transaction on Dagster's database.
        limits: which runs may go.
        forget: removes what is kept of a run outside the database, such as its logs.
        progress: told after each batch, in a short line.
        batch: runs per transaction.

    Returns:
        Removed `runs`, `events` and `evaluations` of checks.
    """
    totals: Counter[str] = Counter(runs=0, events=0, evaluations=0)
    given = {"ended_before": limits.ended_before, "most_runs": limits.most_runs}
    with begin() as conn:
        old = list(conn.execute(_OLD, given).scalars())
    for start in range(0, len(old), batch):
        runs = old[start : start + batch]
        # First, for a run whose row is gone is found by nobody: what is left here is found again.
        for run in runs:
            forget(run)
        with begin() as conn:
            totals.update(_remove(conn, runs))
        if progress:
            progress(f"{totals['runs']:,} of {len(old):,} runs removed")
    with begin() as conn:
        totals["evaluations"] = conn.execute(_EVALUATIONS).rowcount
    return totals


def _remove(conn: sa.Connection, runs: Sequence[str]) -> dict[str, int]:
    given = {"runs": list(runs)}
    conn.execute(_TAGS, given)
    events = conn.execute(_EVENTS, given).rowcount
    return {"events": events, "runs": conn.execute(_RUNS, given).rowcount}


def size_bytes(conn: sa.Connection) -> int:
    """Size of the database of a connection, in bytes."""
    return int(conn.execute(_SIZE).scalar_one())


def free_pages(engine: sa.Engine) -> None:
    """Make the room of what was removed usable again, rather than when the server gets to it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(_VACUUM)


def record(
    conn: sa.Connection, limits: Limits, totals: Counter[str], sizes: tuple[int, int], run: str
) -> None:
    """Put a purge on record in the shop's database; `sizes` are bytes before and after."""
    values = {
        "kept_from_at": limits.ended_before, "most_runs": limits.most_runs, **totals,
        "bytes_before": sizes[0], "bytes_after": sizes[1], "run_id": run,
    }  # fmt: skip
    conn.execute(sa.insert(PURGES).values(values))
