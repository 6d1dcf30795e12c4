"""When sites work, as people keep it, and what they ship per day against their capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom_assets.warehouse.calendar import Calendar, Hours
from ecom_assets.warehouse.tables import SITE_CLOSURES, SITE_HOURS, SITES

Row = sa.RowMapping

_HOURS = (SITE_HOURS.c.weekday, SITE_HOURS.c.opens, SITE_HOURS.c.cut_off)
_CLOSURES = (SITE_CLOSURES.c.site_code, SITE_CLOSURES.c.closed_date, SITE_CLOSURES.c.reason)

# Orders that are allocated and have not left wait for one of the two steps, held or not.
_LOADS = sa.text("""
    WITH site AS (
        SELECT site_code, time_zone, daily_capacity,
            CAST(:from_date AS timestamp) AT TIME ZONE time_zone AS from_at,
            CAST(CAST(:to_date AS date) + 1 AS timestamp) AT TIME ZONE time_zone AS before_at
        FROM warehouse.sites WHERE site_code = :site_code
    ), shipped AS (
        SELECT CAST(p.shipped_at AT TIME ZONE s.time_zone AS date) AS day,
            count(*) AS parcels, sum(p.units) AS units
        FROM site AS s
        JOIN transport.shipments AS p ON p.site_code = s.site_code
            AND p.shipped_at >= s.from_at AND p.shipped_at < s.before_at
        GROUP BY 1
    ), waiting AS (
        SELECT a.order_id, max(a.available_at) AS ready_at, sum(a.quantity) AS units
        FROM site AS s
        JOIN (SELECT DISTINCT order_id FROM flow.pending WHERE stage IN ('carrier', 'ship')) AS w
            ON true
        JOIN warehouse.allocations AS a
            ON a.order_id = w.order_id AND a.site_code = s.site_code
        WHERE NOT EXISTS (
            SELECT FROM transport.shipments AS p
            WHERE p.order_id = a.order_id AND p.site_code = a.site_code
        )
        GROUP BY a.order_id
    ), promised AS (
        SELECT CAST(w.ready_at AT TIME ZONE s.time_zone AS date) AS day,
            count(*) AS parcels, sum(w.units) AS units
        FROM waiting AS w CROSS JOIN site AS s
        GROUP BY 1
    )
    SELECT d.day, s.daily_capacity, coalesce(l.parcels, 0) AS shipped_parcels,
        coalesce(l.units, 0) AS shipped_units, coalesce(p.parcels, 0) AS promised_parcels,
        coalesce(p.units, 0) AS promised_units,
        (coalesce(l.parcels, 0) + coalesce(p.parcels, 0))
            / CAST(nullif(s.daily_capacity, 0) AS double precision) AS load,
        c.reason AS closed_because,
        c.closed_date IS NULL AND (h.weekday IS NOT NULL OR NOT EXISTS (
            SELECT FROM warehouse.site_hours WHERE site_code = s.site_code
        )) AS is_working_day
    FROM site AS s
    CROSS JOIN LATERAL (
        SELECT CAST(:from_date AS date) + n AS day
        FROM generate_series(0, CAST(:to_date AS date) - CAST(:from_date AS date)) AS n
    ) AS d
    LEFT JOIN shipped AS l ON l.day = d.day
    LEFT JOIN promised AS p ON p.day = d.day
    LEFT JOIN warehouse.site_closures AS c ON c.site_code = s.site_code AND c.closed_date = d.day
    LEFT JOIN warehouse.site_hours AS h
        ON h.site_code = s.site_code AND h.weekday = extract(isodow FROM d.day)
    ORDER BY d.day
""")


def loads_per_day(conn: sa.Connection, site_code: str, from_date: date, to_date: date) -> list[Row]:
    """Parcels that left or are to leave a site per local day, against its capacity.

    Args:
        conn: connection.
        site_code: the site.
        from_date: first day.
        to_date: last day, included.
    """
    given = {"site_code": site_code, "from_date": from_date, "to_date": to_date}
    return list(conn.execute(_LOADS, given).mappings())


def hours_of(conn: sa.Connection, site_code: str) -> list[Row]:
    """The working hours of a site by weekday."""
    rows = sa.select(*_HOURS).where(SITE_HOURS.c.site_code == site_code)
    return list(conn.execute(rows.order_by(SITE_HOURS.c.weekday)).mappings())


def keep_hours(conn: sa.Connection, site_code: str, week: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Let a week be the working week of a site that the transaction has locked.

    Args:
        conn: connection inside a transaction.
        site_code: the site.
        week: `weekday`, `opens` and `cut_off` of each working day; none for a site that works
            always.
    """
    days = [day["weekday"] for day in week]
    others = SITE_HOURS.c.weekday.not_in(days)
    conn.execute(sa.delete(SITE_HOURS).where(SITE_HOURS.c.site_code == site_code, others))
    if week:
        kept = insert(SITE_HOURS).values([{"site_code": site_code, **day} for day in week])
        said = {name: kept.excluded[name] for name in ("opens", "cut_off")}
        differs = sa.or_(*(SITE_HOURS.c[name] != value for name, value in said.items()))
        conn.execute(kept.on_conflict_do_update(
            index_elements=["site_code", "weekday"], set_=said, where=differs
        ))  # fmt: skip
    return hours_of(conn, site_code)


def closures_of(
    conn: sa.Connection, site_code: str, from_date: date | None, after: date | None, most: int
) -> list[Row]:
    """Days on which a site does not work, in their order."""
    day = SITE_CLOSURES.c.closed_date
    rows = sa.select(*_CLOSURES).where(SITE_CLOSURES.c.site_code == site_code)
    if from_date is not None:
        rows = rows.where(day >= from_date)
    if after is not None:
        rows = rows.where(day > after)
    return list(conn.execute(rows.order_by(day).limit(most)).mappings())


def find_closure(
    conn: sa.Connection, site_code: str, day: date, is_locked: bool = False
) -> Row | None:
    """A closed day of a site; locked, it stays as it is until the transaction ends."""
    row = sa.select(*_CLOSURES).where(
        SITE_CLOSURES.c.site_code == site_code, SITE_CLOSURES.c.closed_date == day
    )
    return conn.execute(row.with_for_update() if is_locked else row).mappings().first()


def add_closure(conn: sa.Connection, site_code: str, day: date, reason: str) -> Row | None:
    """Close a site on a day; None where it is closed then already."""
    values = {"site_code": site_code, "closed_date": day, "reason": reason}
    made = insert(SITE_CLOSURES).values(values).on_conflict_do_nothing().returning(*_CLOSURES)
    return conn.execute(made).mappings().first()


def remove_closure(conn: sa.Connection, site_code: str, day: date) -> None:
    """Let a site work on a day as on others of its weekday."""
    conn.execute(sa.delete(SITE_CLOSURES).where(
        SITE_CLOSURES.c.site_code == site_code, SITE_CLOSURES.c.closed_date == day
    ))  # fmt: skip


def calendar_of(conn: sa.Connection, site_code: str, from_date: date) -> Calendar:
    """When a site works, with its closed days from a day on."""
    zone = conn.execute(sa.select(SITES.c.time_zone).where(SITES.c.site_code == site_code))
    week = {row["weekday"]: Hours(row["opens"], row["cut_off"])
            for row in hours_of(conn, site_code)}  # fmt: skip
    day = SITE_CLOSURES.c.closed_date
    closed = sa.select(day).where(SITE_CLOSURES.c.site_code == site_code, day >= from_date)
    return Calendar(zone.scalar_one(), week, frozenset(conn.scalars(closed)))
