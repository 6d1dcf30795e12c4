"""Syncs: one at a time per connection, each going on where the last one ended or was killed.

A run claims a connection for minutes and renews its claim with everything it takes. A run that was
killed renews no more; the next one claims the connection and reads on from the cursor, which moves
in the transactions that take what was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from ecom_assets.marketplace.model import ChannelTrouble, SyncState, Trouble
from ecom_assets.marketplace.rules import USUAL_EVERY_MINUTES, pause
from ecom_assets.marketplace.tables import CONNECTION_STATES, SYNCS, TAKEN_FILES

_S, _R = CONNECTION_STATES.c, SYNCS.c

# The clock of the database, since a claim is between processes and no business of the shop.
_CLAIM = sa.text("""
    UPDATE marketplace.connection_states
    SET claimed_by = :run, claim_ends_at = clock_timestamp() + interval '5 minutes',
        wanted_at = NULL, begun_at = :at
    WHERE connection_id = :connection_id
        AND (claimed_by IS NULL OR claimed_by = :run OR claim_ends_at < clock_timestamp())
        AND EXISTS (
            SELECT FROM marketplace.connections AS c
            WHERE c.connection_id = :connection_id AND c.state = 'active')
    RETURNING cursor, listings_read_at
""").columns(cursor=JSONB, listings_read_at=sa.TIMESTAMP(timezone=True))
_RENEW = sa.text("""
    UPDATE marketplace.connection_states
    SET claim_ends_at = clock_timestamp() + interval '5 minutes',
        cursor = coalesce(:cursor, cursor)
    WHERE connection_id = :connection_id AND claimed_by = :run
""").bindparams(sa.bindparam("cursor", type_=JSONB(none_as_null=True)))
_DUE = sa.text("""
    SELECT c.connection_id, s.wanted_at IS NOT NULL AS is_wanted
    FROM marketplace.connections AS c
    JOIN marketplace.connection_states AS s USING (connection_id)
    WHERE c.state = 'active'
        AND (s.claimed_by IS NULL OR s.claim_ends_at < clock_timestamp())
        AND (s.wanted_at IS NOT NULL OR (
            (s.not_before_at IS NULL OR s.not_before_at <= :now)
            AND coalesce(CAST(c.options ->> 'sync_every_minutes' AS integer), :usual) > 0
            AND (s.begun_at IS NULL OR s.trouble IS NOT NULL OR s.claimed_by IS NOT NULL
                OR s.begun_at <= :now - make_interval(mins =>
                    coalesce(CAST(c.options ->> 'sync_every_minutes' AS integer), :usual)))))
    ORDER BY s.wanted_at NULLS LAST, s.begun_at NULLS FIRST, c.connection_id
""")


def due(conn: sa.Connection, now: datetime) -> list[int]:
    """Connections that are to be synced, those that were asked for first."""
    rows = conn.execute(_DUE, {"now": now, "usual": USUAL_EVERY_MINUTES})
    return [row.connection_id for row in rows]


def begin(
    conn: sa.Connection, connection_id: int, at: datetime, run: str
) -> tuple[int, dict[str, Any], datetime | None] | None:
    """Claim a connection for a run.

    Returns:
        Key of the sync, cursor, and when all listings were last read; None where another run has
        it, or it is not active.
    """
    found = conn.execute(_CLAIM, {"connection_id": connection_id, "at": at, "run": run}).first()
    if found is None:
        return None
    left = sa.and_(_R.connection_id == connection_id, _R.state == SyncState.RUNNING.value)
    conn.execute(sa.update(SYNCS).where(left).values(state=SyncState.ABANDONED.value))
    row = {"connection_id": connection_id, "begun_at": at, "state": SyncState.RUNNING.value,
           "run_id": run}  # fmt: skip
    key = conn.execute(sa.insert(SYNCS).values(row).returning(_R.sync_id)).scalar_one()
    return key, dict(found.cursor), found.listings_read_at


def go_on(
    conn: sa.Connection, connection_id: int, run: str, cursor: Mapping[str, Any] | None = None
) -> None:
    """Renew a claim, and move the cursor in the transaction that takes what was read.

    Raises:
        ChannelTrouble: another run has the connection; the transaction must roll back.
    """
    given = {"connection_id": connection_id, "run": run,
             "cursor": None if cursor is None else dict(cursor)}  # fmt: skip
    if not conn.execute(_RENEW, given).rowcount:
        raise ChannelTrouble(Trouble.TAKEN_OVER, "another run took this sync over")


def end_well(
    conn: sa.Connection, connection_id: int, sync_id: int, run: str, at: datetime,
    ended_at: datetime, counts: Mapping[str, int],
) -> None:  # fmt: skip
    """End a sync that took everything there was."""
    go_on(conn, connection_id, run)
    told = {"synced_at": at, "trouble": None, "trouble_text": "", "failures": 0,
            "not_before_at": None, "parked": counts.get("parked", 0)}  # fmt: skip
    conn.execute(_mine(connection_id, run).values({**told, **_FREE}))
    done = {"state": SyncState.DONE.value, "ended_at": ended_at, "counts": dict(counts)}
    conn.execute(sa.update(SYNCS).where(_R.sync_id == sync_id).values(done))


def end_badly(
    conn: sa.Connection, connection_id: int, sync_id: int, run: str, ended_at: datetime,
    counts: Mapping[str, int], trouble: ChannelTrouble,
) -> None:  # fmt: skip
    """End a sync that failed; what it took before stays taken, and it is tried again later."""
    mine = sa.and_(_S.connection_id == connection_id, _S.claimed_by == run)
    before = conn.execute(sa.select(_S.failures).where(mine).with_for_update()).scalar()
    if before is None:
        # Who took the connection over has called the sync abandoned.
        return
    told = {"trouble": trouble.trouble.value, "trouble_text": str(trouble),
            "failures": before + 1, "parked": counts.get("parked", 0),
            "not_before_at": ended_at + pause(before + 1, trouble.wait_s)}  # fmt: skip
    conn.execute(_mine(connection_id, run).values({**told, **_FREE}))
    failed = {"state": SyncState.FAILED.value, "ended_at": ended_at, "counts": dict(counts),
              "trouble": trouble.trouble.value, "trouble_text": str(trouble)}  # fmt: skip
    conn.execute(sa.update(SYNCS).where(_R.sync_id == sync_id).values(failed))


_FREE = {"claimed_by": None, "claim_ends_at": None}


def _mine(connection_id: int, run: str) -> sa.Update:
    mine = sa.and_(_S.connection_id == connection_id, _S.claimed_by == run)
    return sa.update(CONNECTION_STATES).where(mine)


def note_read(conn: sa.Connection, connection_id: int, at: datetime) -> None:
    """All listings were read."""
    mine = _S.connection_id == connection_id
    conn.execute(sa.update(CONNECTION_STATES).where(mine).values(listings_read_at=at))


_TOLD = ("sync_id", "connection_id", "begun_at", "ended_at", "state", "counts", "trouble",
         "trouble_text", "run_id")  # fmt: skip


def latest(
    conn: sa.Connection, connection_id: int, before: int | None, most: int
) -> list[sa.RowMapping]:
    """Syncs of a connection, the newest first, from before the one of a key."""
    rows = sa.select(*(_R[name] for name in _TOLD)).where(_R.connection_id == connection_id)
    if before is not None:
        rows = rows.where(_R.sync_id < before)
    return list(conn.execute(rows.order_by(_R.sync_id.desc()).limit(most)).mappings())


def known_files(conn: sa.Connection, connection_id: int, digests: list[str]) -> frozenset[str]:
    """Those of the files, by digest, that were taken."""
    rows = sa.select(TAKEN_FILES.c.digest).where(
        TAKEN_FILES.c.connection_id == connection_id, TAKEN_FILES.c.digest.in_(digests)
    )
    return frozenset(conn.execute(rows).scalars())


def note_file(conn: sa.Connection, row: Mapping[str, Any]) -> None:
    """Keep that a file was taken, in the transaction that takes it."""
    conn.execute(insert(TAKEN_FILES).values(dict(row)).on_conflict_do_nothing())
