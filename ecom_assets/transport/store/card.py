"""Carriers, services and zones as people keep them: listed, added, changed, archived.

What is archived stays, since past choices name it; no new choice takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom_assets.transport import tables
from ecom_assets.transport.model import CardRefused

Row = sa.RowMapping


@dataclass(frozen=True, slots=True)
class Part:
    """A table of the rate card that people keep.

    Attributes:
        table: the table.
        key: column that names a row.
    """

    table: sa.Table
    key: str

    @property
    def columns(self) -> list[sa.Column[Any]]:
        """What is shown of a row."""
        return [column for column in self.table.c if column.name != "recorded_at"]

    def named(self, code: str) -> sa.ColumnElement[bool]:
        """The row of a code."""
        return self.table.c[self.key] == code


CARRIERS = Part(tables.CARRIERS, "carrier_code")
SERVICES = Part(tables.SERVICES, "service_code")
ZONES = Part(tables.ZONES, "zone_code")

_RATED = sa.text("""
    SELECT count(*) FROM transport.rates
    WHERE zone_code = :code AND (valid_to_at IS NULL OR valid_to_at > :at)
""")


def listed(
    conn: sa.Connection, part: Part, wanted: Mapping[str, str | None],
    is_archived: bool | None, after: str | None, most: int,
) -> list[Row]:  # fmt: skip
    """Rows by code.

    Args:
        conn: connection.
        part: which table.
        wanted: values by column; None for any.
        is_archived: None for both.
        after: code of the row before the first one.
        most: how many.
    """
    key = part.table.c[part.key]
    rows = sa.select(*part.columns).order_by(key).limit(most)
    for name, value in wanted.items():
        if value is not None:
            rows = rows.where(part.table.c[name] == value)
    if is_archived is not None:
        rows = rows.where(part.table.c.archived_at.is_not(None) == is_archived)
    if after is not None:
        rows = rows.where(key > after)
    return list(conn.execute(rows).mappings())


def find(conn: sa.Connection, part: Part, code: str, is_locked: bool = False) -> Row | None:
    """A row by its code.

    Args:
        conn: connection.
        part: which table.
        code: of the row.
        is_locked: whether it is to stay as it is until the transaction ends.
    """
    row = sa.select(*part.columns).where(part.named(code))
    return conn.execute(row.with_for_update() if is_locked else row).mappings().first()


def add(
    conn: sa.Connection, part: Part, values: Mapping[str, Any], may_overlap: bool = False
) -> Row:
    """Add a row.

    Args:
        conn: connection inside a transaction.
        part: which table.
        values: all columns.
        may_overlap: whether a zone may share distances with another one in use.

    Raises:
        CardRefused: the code is taken, or the values make no sense beside what is there.
    """
    _check(conn, part, values, may_overlap)
    made = insert(part.table).values(values).on_conflict_do_nothing().returning(*part.columns)
    row = conn.execute(made).mappings().first()
    if row is None:
        raise CardRefused(part.key, "taken", f"{values[part.key]} is there already")
    return row


def change(
    conn: sa.Connection, part: Part, code: str, values: Mapping[str, Any], may_overlap: bool = False
) -> Row:
    """Change a row that the transaction has locked.

    Raises:
        CardRefused: the values make no sense beside what is there.
    """
    before = find(conn, part, code)
    _check(conn, part, {**(before or {}), **values}, may_overlap)
    return _set(conn, part, code, values or {part.key: code})


def archive(conn: sa.Connection, part: Part, code: str, at: datetime) -> Row:
    """Let no new choice take it from now on; what is archived already stays as it is.

    Raises:
        CardRefused: rates of the zone go on, so its parcels would silently take the farthest zone.
    """
    rates = conn.execute(_RATED, {"code": code, "at": at}).scalar_one() if part is ZONES else 0
    if rates:
        raise CardRefused(
            "zone_code", "still_rated", f"{rates} rates of it are in force or to come; end them"
        )
    return _set(conn, part, code, {"archived_at": sa.func.coalesce(part.table.c.archived_at, at)})


def restore(conn: sa.Connection, part: Part, code: str) -> Row:
    """Let choices take it again."""
    return _set(conn, part, code, {"archived_at": None})


def _set(conn: sa.Connection, part: Part, code: str, values: Mapping[str, Any]) -> Row:
    changed = sa.update(part.table).where(part.named(code)).values(values)
    return conn.execute(changed.returning(*part.columns)).mappings().one()


def _check(conn: sa.Connection, part: Part, values: Mapping[str, Any], may_overlap: bool) -> None:
    if part is SERVICES:
        carrier = find(conn, CARRIERS, values["carrier_code"])
        if carrier is None:
            raise CardRefused("carrier_code", "unknown_carrier", "there is no such carrier")
    if part is ZONES:
        if not values["from_km"] < values["to_km"]:
            raise CardRefused("to_km", "bad_range", "must be more than from_km")
        if not may_overlap:
            _refuse_overlap(conn, values)


def _refuse_overlap(conn: sa.Connection, values: Mapping[str, Any]) -> None:
    zones = tables.ZONES.c
    other = conn.execute(
        sa.select(zones.zone_code).where(
            zones.zone_code != values["zone_code"], zones.archived_at.is_(None),
            zones.from_km < values["to_km"], zones.to_km > values["from_km"],
        ).order_by(zones.zone_code).limit(1)
    ).scalar()  # fmt: skip
    if other is not None:
        raise CardRefused(
            "from_km", "overlapping_zone",
            f"shares distances with zone {other}; say may_overlap where no service has both",
        )  # fmt: skip
