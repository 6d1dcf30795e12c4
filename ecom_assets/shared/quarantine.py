"""Rows that could not be used: kept with the reason, never in the way of good ones."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    METADATA,
    Rows,
    document,
    identity,
    recorded_at,
    reference,
    run_id,
    text,
)

QUARANTINE = sa.Table(
    "quarantine",
    METADATA,
    identity("quarantine_id", "surrogate key"),
    text("source", "file or table the row came from"),
    reference("row_number", "row in the source, counted from 1 without the header; 0 if unknown"),
    text("subject", "business key of the row where it has one, such as channel/external id"),
    text("reason", "a code such as order_without_lines"),
    text("detail", "what is wrong, naming the field"),
    document("row", "the row as it came"),
    text("state", "parked, replayed or discarded", server_default="parked"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("state IN ('parked', 'replayed', 'discarded')", name="state_known"),
    # People look for what is parked, by reason; the rest of the table is history.
    sa.Index(None, "state", "reason"),
    # What comes again asks whether it was parked before. Only the beginning of the subject: an
    # index holds no key of thousands of characters, and a row with one must be parked as well.
    sa.Index("quarantine_place_idx", "source", "row_number", sa.text("left(subject, 64)")),
    schema="flow",
    comment="Rows that could not be used, each with its reason.",
)

PARKED_COLUMNS = ("source", "row_number", "subject", "reason", "detail", "row")
"""Columns, in this order, that a select given to `park` must have."""


def park(conn: sa.Connection, rows: Rows, run: str) -> int:
    """Put one row per row of the select (`PARKED_COLUMNS`) into the quarantine.

    Returns:
        How many rows were parked.
    """
    given = rows.subquery()
    source = sa.select(*(given.c[name] for name in PARKED_COLUMNS), sa.literal(run))
    columns = [*PARKED_COLUMNS, "run_id"]
    return conn.execute(sa.insert(QUARANTINE).from_select(columns, source)).rowcount


def settle(conn: sa.Connection, source: str, row_numbers: Rows, state: str = "replayed") -> int:
    """Take rows of a source off the list of parked ones: their cause is gone.

    Args:
        conn: connection inside the transaction that uses the rows after all.
        source: the source they were parked under.
        row_numbers: a select of one column, the rows' numbers in the source.
        state: `replayed`, or `discarded` where a person gave the rows up.

    Returns:
        How many rows were parked until now.
    """
    given = row_numbers.subquery()
    # Only what is still parked: what a person discarded must not come back as replayed.
    is_given = QUARANTINE.c.row_number.in_(sa.select(*given.c))
    parked = sa.and_(QUARANTINE.c.state == "parked", QUARANTINE.c.source == source, is_given)
    return conn.execute(sa.update(QUARANTINE).where(parked).values(state=state)).rowcount


_SHOWN = ("quarantine_id", "source", "row_number", "subject", "reason", "detail", "row", "state",
          "run_id", "recorded_at")  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows a list shows; what is None does not matter."""

    state: str | None = None
    source: str | None = None
    reason: str | None = None
    subject: str | None = None


def listed(
    conn: sa.Connection, wanted: RowFilter, before: int | None, most: int
) -> list[sa.RowMapping]:
    """Rows, the newest first, from before the one of a key."""
    rows = sa.select(*(QUARANTINE.c[name] for name in _SHOWN))
    for name in ("state", "source", "reason", "subject"):
        if (value := getattr(wanted, name)) is not None:
            rows = rows.where(QUARANTINE.c[name] == value)
    if before is not None:
        rows = rows.where(QUARANTINE.c.quarantine_id < before)
    newest = rows.order_by(QUARANTINE.c.quarantine_id.desc())
    return list(conn.execute(newest.limit(most)).mappings())


def find(conn: sa.Connection, quarantine_id: int, is_locked: bool = False) -> sa.RowMapping | None:
    """A row, which stays as it is until the transaction ends where it is locked; None if none."""
    row = sa.select(*(QUARANTINE.c[name] for name in _SHOWN)).where(
        QUARANTINE.c.quarantine_id == quarantine_id
    )
    return conn.execute(row.with_for_update() if is_locked else row).mappings().one_or_none()


def settle_one(conn: sa.Connection, quarantine_id: int, state: str) -> None:
    """Take a row off the list of parked ones: `replayed`, or `discarded` where it was given up."""
    is_parked = sa.and_(QUARANTINE.c.quarantine_id == quarantine_id, QUARANTINE.c.state == "parked")
    conn.execute(sa.update(QUARANTINE).where(is_parked).values(state=state))
