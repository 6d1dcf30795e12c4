"""Uploaded price lists: a preview that is kept, then applied once, whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.transport.model import CardRefused
from ecom_assets.transport.price_file import ReadRow
from ecom_assets.transport.store.planning import Planned, hold_rates, plan, write
from ecom_assets.transport.tables import RATE_LIST_ROWS, RATE_LISTS

Row = sa.RowMapping

COUNTED = {"create": "created", "change": "changed", "unchanged": "unchanged", "error": "failed"}
"""Column that counts the rows of an outcome."""

_RATE = (
    "service_code", "zone_code", "from_g", "to_g", "price_minor", "currency", "transit_days",
    "transit_spread_days", "valid_from_at", "valid_to_at",
)  # fmt: skip
_LISTS = [column for column in RATE_LISTS.c if column.name != "recorded_at"]
_ROWS = [
    column for column in RATE_LIST_ROWS.c if column.name not in ("recorded_at", "rate_list_id")
]


def preview(
    conn: sa.Connection, file_name: str, content: bytes, rows: Sequence[ReadRow], by: str,
    at: datetime,
) -> Row:  # fmt: skip
    """Keep what a price list would do; the rate card stays as it is.

    Args:
        conn: connection inside a transaction.
        file_name: as the caller named it.
        content: the file, for its hash.
        rows: what was read from it.
        by: who uploaded it.
        at: business moment.
    """
    unread = [_unread(row) for row in rows if row.problem]
    readable = [(row.number, row.values) for row in rows if not row.problem]
    planned = sorted([*plan(conn, readable), *unread], key=lambda row: row.row_no)
    counts = Counter(row.outcome for row in planned)
    values = {
        "file_name": file_name, "content_hash": hashlib.sha256(content).hexdigest(),
        "plan_hash": _hash(planned), "state": "previewed", "previewed_by": by, "previewed_at": at,
        **{column: counts[outcome] for outcome, column in COUNTED.items()},
    }  # fmt: skip
    kept = sa.insert(RATE_LISTS).values(values).returning(*_LISTS)
    made = conn.execute(kept).mappings().one()
    conn.execute(sa.insert(RATE_LIST_ROWS), [
        {"rate_list_id": made["rate_list_id"], **_row(row)} for row in planned
    ])  # fmt: skip
    return made


def apply(conn: sa.Connection, rate_list_id: int, plan_hash: str, by: str, at: datetime) -> Row:
    """Write what a preview said, if that is still what it would do.

    Raises:
        LookupError: there is no such list.
        CardRefused: it was decided already, another preview is meant, a row has an error, or the
            rate card has changed since.
    """
    found = _open(conn, rate_list_id)
    if found["plan_hash"] != plan_hash:
        raise CardRefused("plan_hash", "other_preview", "is not the hash of this preview")
    if found["failed"]:
        raise CardRefused("failed", "has_errors", f"{found['failed']} rows cannot be used")
    # From here on nobody changes a rate, so what is judged is what is written upon.
    hold_rates(conn)
    kept = conn.execute(
        sa.select(RATE_LIST_ROWS.c.row_number, *(RATE_LIST_ROWS.c[name] for name in _RATE))
        .where(RATE_LIST_ROWS.c.rate_list_id == rate_list_id)
        .order_by(RATE_LIST_ROWS.c.row_number)
    ).mappings()
    planned = plan(conn, [(row["row_number"], {name: row[name] for name in _RATE})
                          for row in kept])  # fmt: skip
    if _hash(planned) != plan_hash:
        words = "the rate card has changed since the preview; upload it again"
        raise CardRefused("plan_hash", "rates_changed", words)
    write(conn)
    return _decide(conn, rate_list_id, "applied", by, at)


def discard(conn: sa.Connection, rate_list_id: int, by: str, at: datetime) -> Row:
    """Give a preview up.

    Raises:
        LookupError: there is no such list.
        CardRefused: it was decided already.
    """
    _open(conn, rate_list_id)
    return _decide(conn, rate_list_id, "discarded", by, at)


def listed(conn: sa.Connection, state: str | None, before: int | None, most: int) -> list[Row]:
    """Price lists, the newest first."""
    rows = sa.select(*_LISTS).order_by(RATE_LISTS.c.rate_list_id.desc()).limit(most)
    if state is not None:
        rows = rows.where(RATE_LISTS.c.state == state)
    if before is not None:
        rows = rows.where(RATE_LISTS.c.rate_list_id < before)
    return list(conn.execute(rows).mappings())


def find(conn: sa.Connection, rate_list_id: int) -> Row | None:
    """A price list by its key."""
    row = sa.select(*_LISTS).where(RATE_LISTS.c.rate_list_id == rate_list_id)
    return conn.execute(row).mappings().first()


def rows_of(
    conn: sa.Connection, rate_list_id: int, outcome: str | None, after: int | None, most: int
) -> list[Row]:
    """Rows of a price list in the order of the file."""
    number = RATE_LIST_ROWS.c.row_number
    rows = sa.select(*_ROWS).where(RATE_LIST_ROWS.c.rate_list_id == rate_list_id)
    if outcome is not None:
        rows = rows.where(RATE_LIST_ROWS.c.outcome == outcome)
    if after is not None:
        rows = rows.where(number > after)
    return list(conn.execute(rows.order_by(number).limit(most)).mappings())


def _open(conn: sa.Connection, rate_list_id: int) -> Row:
    row = sa.select(*_LISTS).where(RATE_LISTS.c.rate_list_id == rate_list_id).with_for_update()
    found = conn.execute(row).mappings().first()
    if found is None:
        raise LookupError(f"there is no price list {rate_list_id}")
    if found["state"] != "previewed":
        raise CardRefused("state", "decided", f"it was {found['state']} already")
    return found


def _decide(conn: sa.Connection, rate_list_id: int, state: str, by: str, at: datetime) -> Row:
    decided = sa.update(RATE_LISTS).where(RATE_LISTS.c.rate_list_id == rate_list_id)
    values = {"state": state, "decided_by": by, "decided_at": at}
    return conn.execute(decided.values(values).returning(*_LISTS)).mappings().one()


def _unread(row: ReadRow) -> Planned:
    return Planned(row.number, {}, "error", row.column, row.problem, row.message, [])


def _row(row: Planned) -> dict[str, Any]:
    values: Mapping[str, Any] = row.values
    return {
        "row_number": row.row_no, "outcome": row.outcome, "field": row.field,
        "problem": row.problem, "message": row.message, "replaces": list(row.replaces),
        **{name: values.get(name) for name in _RATE},
    }  # fmt: skip


def _hash(planned: Sequence[Planned]) -> str:
    """A name of what the rows would do, whatever the clock says."""
    told = [[row.row_no, row.outcome, row.problem, row.values, row.replaces] for row in planned]
    text = json.dumps(told, default=_plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> str:
    # Moments come in the time zone of the session, which another session need not share.
    return repr(value.timestamp()) if isinstance(value, datetime) else str(value)
