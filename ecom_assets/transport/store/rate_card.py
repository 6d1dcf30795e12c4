"""Taking a rate card from the feeds: carriers, services, zones and rates.

Each feed is judged into a temporary table, its unusable rows go to the quarantine, and the others
are upserted where something changed. Rate cards have thousands of rows, not millions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ecom_assets.shared import feeds
from ecom_assets.shared.imports import IMPORTS
from ecom_assets.shared.quarantine import QUARANTINE, park
from ecom_assets.shared.upsert import upsert
from ecom_assets.transport import tables
from ecom_assets.transport.rules import PROBLEMS


@dataclass(frozen=True, slots=True)
class _Taking:
    """How one feed is taken.

    Attributes:
        feed: where the rows come from.
        judge: fills the temporary table `judged_<table>`: the feed's columns, `subject`, `row`
            and `problem`, which is null for usable rows.
        table: where the usable rows go.
        key: columns that identify a row of `table`.
    """

    feed: sa.Table
    judge: tuple[sa.TextClause, ...]
    table: sa.Table
    key: tuple[str, ...]


_CARRIERS = _Taking(
    feeds.CARRIERS,
    (
        sa.text("""
    CREATE TEMPORARY TABLE judged_carriers ON COMMIT DROP AS
    SELECT f.*, f.carrier_code AS subject, to_jsonb(f) AS "row",
        CASE WHEN row_number() OVER (PARTITION BY carrier_code ORDER BY name COLLATE "C") > 1
            THEN 'duplicate_key' END AS problem
    FROM feed_carriers AS f
"""),
    ),
    tables.CARRIERS,
    ("carrier_code",),
)

_SERVICES = _Taking(
    feeds.SERVICES,
    (
        sa.text("""
    CREATE TEMPORARY TABLE judged_services ON COMMIT DROP AS
    WITH judged AS (
        SELECT f.*, CASE
            WHEN c.carrier_code IS NULL THEN 'unknown_carrier'
            WHEN f.max_weight_g NOT BETWEEN 1 AND 2147483647
                OR f.dim_divisor NOT BETWEEN 0 AND 2147483647
                OR f.quality NOT BETWEEN 0 AND 1 THEN 'bad_figures'
            END AS problem, to_jsonb(f) AS "row"
        FROM feed_services AS f LEFT JOIN transport.carriers AS c USING (carrier_code)
    )
    SELECT service_code, carrier_code, name, max_weight_g, dim_divisor, quality, "row",
        service_code AS subject,
        CASE WHEN problem IS NULL AND row_number() OVER (
            PARTITION BY service_code, problem
            ORDER BY carrier_code COLLATE "C", name COLLATE "C", max_weight_g, dim_divisor, quality
        ) > 1 THEN 'duplicate_key' ELSE problem END AS problem
    FROM judged
"""),
    ),
    tables.SERVICES,
    ("service_code",),
)

_ZONES = _Taking(
    feeds.ZONES,
    (
        sa.text("""
    CREATE TEMPORARY TABLE judged_zones ON COMMIT DROP AS
    WITH judged AS (
        SELECT f.*, to_jsonb(f) AS "row",
            CASE WHEN f.from_km >= 0 AND f.from_km < f.to_km AND f.to_km <> 'NaN' THEN NULL
                ELSE 'bad_range' END
                AS problem
        FROM feed_zones AS f
    )
    SELECT zone_code, from_km, to_km, "row", zone_code AS subject,
        CASE WHEN problem IS NULL AND row_number() OVER (
            PARTITION BY zone_code, problem ORDER BY from_km, to_km
        ) > 1 THEN 'duplicate_key' ELSE problem END AS problem
    FROM judged
"""),
    ),
    tables.ZONES,
    ("zone_code",),
)

_RATES = _Taking(
    feeds.RATES,
    (
        # NaN is not between anything, so NOT BETWEEN refuses it too; a comparison alone would not.
        # A stored band comes before every band of the feed, except the one it is the update of.
        sa.text("""
    CREATE TEMPORARY TABLE judged_rates ON COMMIT DROP AS
    SELECT f.*, to_jsonb(f) AS "row", f.service_code || '/' || f.zone_code AS subject,
        row_number() OVER (
            ORDER BY f.from_g, f.price_minor, f.to_g, f.currency, f.transit_days,
                f.transit_spread_days, f.valid_to_at
        ) AS position,
        CASE
            WHEN s.service_code IS NULL THEN 'unknown_service'
            WHEN z.zone_code IS NULL THEN 'unknown_zone'
            WHEN f.from_g < 0 OR f.from_g >= f.to_g OR f.to_g > 2147483647 THEN 'empty_band'
            WHEN f.price_minor < 0 THEN 'negative_price'
            WHEN f.currency !~ '^[A-Z]{3}$' THEN 'bad_currency'
            WHEN f.transit_days NOT BETWEEN 0 AND 365 OR f.transit_spread_days NOT BETWEEN 0 AND 365
                THEN 'bad_transit_time'
            WHEN f.valid_to_at <= f.valid_from_at THEN 'empty_period'
            WHEN EXISTS (
                SELECT FROM transport.rates AS r
                WHERE (r.service_code, r.zone_code, r.valid_from_at)
                    = (f.service_code, f.zone_code, f.valid_from_at)
                    AND r.from_g <> f.from_g AND r.from_g < f.to_g AND f.from_g < r.to_g
            ) THEN 'overlapping_band'
        END AS problem
    FROM feed_rates AS f
    LEFT JOIN transport.services AS s USING (service_code)
    LEFT JOIN transport.zones AS z USING (zone_code)
"""),
        # The recursion below probes once per kept band; without both it would scan every time.
        sa.text("CREATE INDEX ON judged_rates (service_code, zone_code, valid_from_at, position)"),
        sa.text("ANALYZE judged_rates"),
        # From each kept band to the first that starts at its end or later (`keep_first_bands`).
        sa.text("""
    WITH RECURSIVE kept AS (
        (
            SELECT DISTINCT ON (service_code, zone_code, valid_from_at)
                service_code, zone_code, valid_from_at, to_g, position
            FROM judged_rates WHERE problem IS NULL
            ORDER BY service_code, zone_code, valid_from_at, position
        )
        UNION ALL
        SELECT following.*
        FROM kept CROSS JOIN LATERAL (
            SELECT r.service_code, r.zone_code, r.valid_from_at, r.to_g, r.position
            FROM judged_rates AS r
            WHERE r.service_code = kept.service_code AND r.zone_code = kept.zone_code
                AND r.valid_from_at = kept.valid_from_at AND r.from_g >= kept.to_g
                AND r.position > kept.position AND r.problem IS NULL
            ORDER BY r.position
            LIMIT 1
        ) AS following
    )
    UPDATE judged_rates SET problem = 'overlapping_band'
    WHERE problem IS NULL AND position NOT IN (SELECT position FROM kept)
"""),
    ),
    tables.RATES,
    ("service_code", "zone_code", "from_g", "valid_from_at"),
)

_TAKEN_IN_ORDER = (_CARRIERS, _SERVICES, _ZONES, _RATES)
"""Services need their carrier, rates their service and zone."""


def judge_rates(conn: sa.Connection) -> None:
    """Fill the temporary table `judged_rates` from `feed_rates`: its columns, and what is wrong.

    `problem` is a key of `rules.PROBLEMS`, or null where a row is usable.
    """
    for statement in _RATES.judge:
        conn.execute(statement)


def take_rate_card(conn: sa.Connection, import_id: int | None) -> int:
    """Bring the rate card of the feeds into the tables; unusable rows go to the quarantine.

    Args:
        conn: connection inside the transaction of the import, with the feeds open.
        import_id: import the rows came with, if any.

    Returns:
        Rows inserted or changed; unchanged rows are not rewritten.
    """
    run = conn.scalar(sa.select(IMPORTS.c.run_id).where(IMPORTS.c.import_id == import_id))
    return sum(_take(conn, taking, run or "import") for taking in _TAKEN_IN_ORDER)


def _take(conn: sa.Connection, taking: _Taking, run: str) -> int:
    for statement in taking.judge:
        conn.execute(statement)
    judged = _judged(taking)
    columns = [judged.c[column.name] for column in taking.feed.columns]
    # A row that is refused leaves the stored one of its key as it was: no bad price, no lost price.
    usable = sa.select(*columns).where(judged.c.problem.is_(None))
    park(conn, _unusable(judged, taking.table.fullname), run)
    changed = upsert(conn, taking.table, usable, taking.key)
    judged.drop(conn)
    return changed


def _judged(taking: _Taking) -> sa.Table:
    typed = [sa.Column(column.name, column.type) for column in taking.feed.columns]
    verdict = [sa.Column("subject", sa.Text), sa.Column("problem", sa.Text)]
    name = f"judged_{taking.table.name}"
    return sa.Table(name, sa.MetaData(), *typed, *verdict, sa.Column("row", JSONB))


def _unusable(judged: sa.Table, source: str) -> sa.Select[Any]:
    # A feed that comes again must not park its bad rows again: an operator sees each once.
    known = sa.select(QUARANTINE.c.quarantine_id).where(
        QUARANTINE.c.source == source,
        QUARANTINE.c.reason == judged.c.problem,
        QUARANTINE.c.subject == judged.c.subject,
        QUARANTINE.c.row == judged.c.row,
    )
    return sa.select(
        sa.literal(source).label("source"),
        sa.literal(0).label("row_number"),
        judged.c.subject,
        judged.c.problem.label("reason"),
        sa.case(PROBLEMS, value=judged.c.problem).label("detail"),
        judged.c.row,
    ).where(judged.c.problem.is_not(None), ~known.exists())
