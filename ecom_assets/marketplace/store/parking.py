"""Rows of channels that are no orders and cannot be used: parked once, however often they come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ecom_assets.shared import quarantine

REASON = "unreadable_listing"
_MOST_CHARACTERS = 100_000

_NEW = sa.text("""
    SELECT CAST(:source AS text) AS source, g.row_number, g.subject,
        CAST(:reason AS text) AS reason, g.detail, g.row
    FROM jsonb_to_recordset(:rows) AS g (row_number bigint, subject text, detail text, row jsonb)
    WHERE NOT EXISTS (
        SELECT FROM flow.quarantine AS q
        WHERE q.source = :source AND q.row_number = g.row_number AND q.reason = :reason
            AND left(q.subject, 64) = left(g.subject, 64) AND q.row = g.row)
    ORDER BY g.row_number
""").columns(*(sa.column(name) for name in quarantine.PARKED_COLUMNS))


def park(conn: sa.Connection, source: str, faults: Sequence[tuple[Any, str]], run: str) -> int:
    """Put listings that cannot be read into the quarantine.

    Args:
        conn: connection inside a transaction.
        source: what the quarantine calls their origin.
        faults: each row as it came, with what is wrong in it.
        run: run that read them.

    Returns:
        How many are new there.
    """
    if not faults:
        return 0
    rows = [_row(row, why) for row, why in faults]
    given = {"source": source, "reason": REASON}
    statement = _NEW.bindparams(sa.bindparam("rows", rows, type_=JSONB), **given)
    return quarantine.park(conn, statement, run)


def _row(row: Any, why: str) -> dict[str, Any]:
    key = row.get("id") if isinstance(row, dict) else None
    # true is a number to Python, and none to the database.
    is_key = isinstance(key, int) and not isinstance(key, bool) and 0 < key < 2**63
    number = key if is_key else 0
    return {"row_number": number, "subject": str(number), "detail": why, "row": _storable(row)}


def _storable(row: Any) -> Any:
    text = json.dumps(row)
    # PostgreSQL keeps no NUL and no half of a pair; people look at the row all the same.
    if "\\u0000" in text or "\\ud" in text.lower() or len(text) > _MOST_CHARACTERS:
        return text[:_MOST_CHARACTERS].replace("\\u0000", "").encode("ascii", "replace").decode()
    return row
