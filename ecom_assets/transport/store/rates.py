"""Rates as people keep them: listed, added one by one, ended; never overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.transport.model import CardRefused
from ecom_assets.transport.rules import PROBLEMS
from ecom_assets.transport.store.planning import FIELDS, Planned, hold_rates, plan, write
from ecom_assets.transport.tables import RATES

Row = sa.RowMapping

_SHOWN = [column for column in RATES.c if column.name != "recorded_at"]


@dataclass(frozen=True, slots=True)
class RateFilter:
    """Which rates are wanted; None for any.

    Attributes:
        service_code: service.
        zone_code: zone.
        currency: ISO 4217 code.
        in_force_at: moment at which it must hold.
    """

    service_code: str | None = None
    zone_code: str | None = None
    currency: str | None = None
    in_force_at: datetime | None = None


def listed(
    conn: sa.Connection, wanted: RateFilter, after: tuple[Any, ...] | None, most: int
) -> list[Row]:
    """Rates by service, zone, band and key."""
    keys = (RATES.c.service_code, RATES.c.zone_code, RATES.c.from_g, RATES.c.rate_id)
    rows = sa.select(*_SHOWN).order_by(*keys).limit(most)
    for name in ("service_code", "zone_code", "currency"):
        if (value := getattr(wanted, name)) is not None:
            rows = rows.where(RATES.c[name] == value)
    if wanted.in_force_at is not None:
        end = sa.func.coalesce(RATES.c.valid_to_at, sa.literal_column("'infinity'::timestamptz"))
        rows = rows.where(RATES.c.valid_from_at <= wanted.in_force_at, end > wanted.in_force_at)
    if after is not None:
        rows = rows.where(sa.tuple_(*keys) > sa.tuple_(*map(sa.literal, after)))
    return list(conn.execute(rows).mappings())


def find(conn: sa.Connection, rate_id: int, is_locked: bool = False) -> Row | None:
    """A rate by its key; locked, it stays as it is until the transaction ends."""
    row = sa.select(*_SHOWN).where(RATES.c.rate_id == rate_id)
    return conn.execute(row.with_for_update() if is_locked else row).mappings().first()


def add(conn: sa.Connection, values: Mapping[str, Any]) -> Row:
    """Add a rate that holds beside all others.

    Raises:
        CardRefused: it makes no sense, or its band and period overlap another rate's.
    """
    hold_rates(conn)
    (found,) = plan(conn, [(1, values)])
    _refuse(found)
    write(conn)
    made = sa.select(*_SHOWN).where(
        *(RATES.c[name] == values[name] for name in ("service_code", "zone_code", "from_g")),
        RATES.c.valid_from_at == values["valid_from_at"],
    )
    return conn.execute(made).mappings().one()


def _refuse(found: Planned) -> None:
    if found.problem:
        words = found.message or PROBLEMS.get(found.problem, found.problem)
        raise CardRefused(found.field, found.problem, words)
    if found.outcome == "unchanged":
        raise CardRefused("valid_from_at", "known_rate", "the rate card says this already")
    if found.replaces:
        other = found.replaces[0]
        raise CardRefused(
            FIELDS["overlapping_band"], "overlapping_rate",
            f"rate {other['rate_id']} ({other['from_g']} to {other['to_g']} g, from"
            f" {other['valid_from_at']}) holds then; end it first, or upload a price list",
        )  # fmt: skip


def end(conn: sa.Connection, rate: Row, at: datetime) -> Row:
    """End a rate that the transaction has locked, at a moment after it begins.

    Raises:
        CardRefused: it would begin later than it ends, or end later than it did.
    """
    if at <= rate["valid_from_at"]:
        raise CardRefused("valid_to_at", "empty_period", PROBLEMS["empty_period"])
    if rate["valid_to_at"] is not None and at > rate["valid_to_at"]:
        raise CardRefused(
            "valid_to_at", "later_end", "a rate ends earlier, never later; add another one"
        )
    changed = sa.update(RATES).where(RATES.c.rate_id == rate["rate_id"]).values(valid_to_at=at)
    return conn.execute(changed.returning(*_SHOWN)).mappings().one()
