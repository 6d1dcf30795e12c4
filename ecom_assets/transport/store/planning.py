"""What rows of a price list would do to the rate card, judged as a feed of rates is.

A new price never overwrites an old one: the rates it replaces end where it begins, so that past
choices still find what they were priced by. A row is refused where that would leave weights or
times without a price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ecom_assets.shared import feeds
from ecom_assets.transport.rules import PROBLEMS
from ecom_assets.transport.store.rate_card import judge_rates

FIELDS = {
    "unknown_service": "service_code", "unknown_zone": "zone_code", "empty_band": "to_g",
    "negative_price": "price_minor", "bad_currency": "currency",
    "bad_transit_time": "transit_days", "empty_period": "valid_to_at",
    "overlapping_band": "from_g", "archived_service": "service_code",
    "archived_zone": "zone_code", "no_transit_time": "transit_days",
    "overlapping_row": "valid_from_at", "later_rate": "valid_from_at",
    "ends_too_early": "valid_to_at", "part_of_band": "to_g",
}  # fmt: skip
"""Column that a problem of a row is about."""

_FEED = sa.Table(
    "feed_rates",
    sa.MetaData(),
    sa.Column("row_no", sa.Integer, nullable=False),
    *(sa.Column(each.name, each.type) for each in feeds.RATES.c),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)

_DROP = sa.text("DROP TABLE IF EXISTS pg_temp.judged_rates, pg_temp.feed_rates,"
                " pg_temp.replaced_rates")  # fmt: skip

# A list that knows no transit times changes prices only: they stay what they are for the lane.
_FILL = sa.text("""
    UPDATE feed_rates AS f
    SET transit_days = coalesce(f.transit_days, r.transit_days),
        transit_spread_days = coalesce(f.transit_spread_days, r.transit_spread_days)
    FROM (
        SELECT DISTINCT ON (n.row_no) n.row_no, r.transit_days, r.transit_spread_days
        FROM feed_rates AS n
        JOIN transport.rates AS r USING (service_code, zone_code)
        WHERE n.transit_days IS NULL OR n.transit_spread_days IS NULL
        ORDER BY n.row_no, (r.from_g < n.to_g AND n.from_g < r.to_g) DESC,
            r.valid_from_at DESC, r.from_g
    ) AS r
    WHERE r.row_no = f.row_no
""")
_REFINE = sa.text("""
    UPDATE judged_rates AS j
    SET problem = CASE
        WHEN least(s.archived_at, c.archived_at) IS NOT NULL THEN 'archived_service'
        WHEN z.archived_at IS NOT NULL THEN 'archived_zone'
        ELSE 'no_transit_time' END
    FROM transport.services AS s JOIN transport.carriers AS c USING (carrier_code),
        transport.zones AS z
    WHERE j.problem IS NULL AND s.service_code = j.service_code AND z.zone_code = j.zone_code
        AND (s.archived_at IS NOT NULL OR c.archived_at IS NOT NULL OR z.archived_at IS NOT NULL
            OR j.transit_days IS NULL OR j.transit_spread_days IS NULL)
""")

# Rates whose band and period overlap a row's, and whether the newest says just the same.
_REPLACED = sa.text("""
    CREATE TEMPORARY TABLE replaced_rates ON COMMIT DROP AS
    SELECT j.row_no, r.*, (r.from_g, r.to_g, r.price_minor, r.currency, r.transit_days,
            r.transit_spread_days) = (j.from_g, j.to_g, j.price_minor, j.currency,
            j.transit_days, j.transit_spread_days)
            AND r.valid_from_at <= j.valid_from_at
            AND r.valid_to_at IS NOT DISTINCT FROM j.valid_to_at
            AND row_number() OVER (PARTITION BY j.row_no ORDER BY r.valid_from_at DESC) = 1
            AS is_same
    FROM judged_rates AS j
    JOIN transport.rates AS r USING (service_code, zone_code)
    WHERE j.problem IS NULL AND r.from_g < j.to_g AND j.from_g < r.to_g
        AND coalesce(r.valid_to_at > j.valid_from_at, true)
        AND coalesce(r.valid_from_at < j.valid_to_at, true)
""")
_SAME = sa.text("""
    DELETE FROM replaced_rates AS other
    WHERE NOT other.is_same AND EXISTS (
        SELECT FROM replaced_rates AS same WHERE same.row_no = other.row_no AND same.is_same
    )
""")
_CONFLICTS = sa.text("""
    WITH found AS (
        SELECT j.row_no, CASE
                WHEN r.valid_from_at >= j.valid_from_at THEN 'later_rate'
                WHEN coalesce(r.valid_to_at, 'infinity') > coalesce(j.valid_to_at, 'infinity')
                    THEN 'ends_too_early'
                WHEN covered.grams < r.to_g - r.from_g THEN 'part_of_band'
            END AS problem,
            r.rate_id
        FROM judged_rates AS j
        JOIN replaced_rates AS r USING (row_no)
        CROSS JOIN LATERAL (
            SELECT sum(least(p.to_g, r.to_g) - greatest(p.from_g, r.from_g)) AS grams
            FROM judged_rates AS p
            WHERE p.problem IS NULL AND p.service_code = j.service_code
                AND p.zone_code = j.zone_code AND p.valid_from_at = j.valid_from_at
                AND p.from_g < r.to_g AND r.from_g < p.to_g
        ) AS covered
        WHERE NOT r.is_same
    ), within AS (
        SELECT j.row_no, 'overlapping_row' AS problem, o.row_no AS other
        FROM judged_rates AS j
        JOIN judged_rates AS o USING (service_code, zone_code)
        WHERE j.problem IS NULL AND o.problem IS NULL AND o.row_no <> j.row_no
            AND o.from_g < j.to_g AND j.from_g < o.to_g
            AND coalesce(o.valid_to_at > j.valid_from_at, true)
            AND coalesce(o.valid_from_at < j.valid_to_at, true)
    )
    SELECT DISTINCT ON (row_no) row_no, problem, other FROM (
        SELECT row_no, problem, other FROM within
        UNION ALL SELECT row_no, problem, rate_id FROM found WHERE problem IS NOT NULL
    ) AS every
    ORDER BY row_no, problem, other
""")
_READ = sa.text("""
    SELECT j.row_no, j.problem, j.service_code, j.zone_code, j.from_g, j.to_g, j.price_minor,
        j.currency, j.transit_days, j.transit_spread_days, j.valid_from_at, j.valid_to_at,
        coalesce(bool_or(r.is_same), false) AS is_same,
        coalesce(jsonb_agg(jsonb_build_object(
            'rate_id', r.rate_id, 'from_g', r.from_g, 'to_g', r.to_g,
            'price_minor', r.price_minor, 'currency', r.currency,
            'valid_from_at', r.valid_from_at, 'valid_to_at', r.valid_to_at
        ) ORDER BY r.rate_id) FILTER (WHERE NOT r.is_same), '[]') AS replaces
    FROM judged_rates AS j LEFT JOIN replaced_rates AS r USING (row_no)
    GROUP BY j.row_no, j.problem, j.service_code, j.zone_code, j.from_g, j.to_g, j.price_minor,
        j.currency, j.transit_days, j.transit_spread_days, j.valid_from_at, j.valid_to_at
    ORDER BY j.row_no
""")
_END = sa.text("""
    UPDATE transport.rates AS r SET valid_to_at = e.at
    FROM (
        SELECT d.rate_id, min(j.valid_from_at) AS at
        FROM replaced_rates AS d JOIN judged_rates AS j USING (row_no)
        WHERE NOT d.is_same GROUP BY d.rate_id
    ) AS e
    WHERE r.rate_id = e.rate_id
""")
_BEGIN = sa.text("""
    INSERT INTO transport.rates (service_code, zone_code, from_g, to_g, price_minor, currency,
        transit_days, transit_spread_days, valid_from_at, valid_to_at)
    SELECT service_code, zone_code, from_g, to_g, price_minor, currency, transit_days,
        transit_spread_days, valid_from_at, valid_to_at
    FROM judged_rates AS j
    WHERE NOT EXISTS (SELECT FROM replaced_rates AS r WHERE r.row_no = j.row_no AND r.is_same)
    ORDER BY row_no
""")
_WORDS = {
    "archived_service": "the service or its carrier is archived; restore it first",
    "archived_zone": "the zone is archived; restore it first",
    "no_transit_time": "no rate of the lane tells the transit time; give it in days",
    "overlapping_row": "row {other} holds for the same weights at the same time",
    "later_rate": "rate {other} begins then or later; begin after it, or end this row before",
    "ends_too_early": "rate {other}, which it replaces, would go on after it; end that first",
    "part_of_band": "replaces only a part of the weights of rate {other}; give the rest too",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """What a row would do.

    Attributes:
        row_no: number of the row.
        values: the rate it says, by column.
        outcome: `create`, `change`, `unchanged` or `error`.
        field: column that is wrong.
        problem: code of what is wrong.
        message: the same in words.
        replaces: rates that end where it begins.
    """

    row_no: int
    values: Mapping[str, Any]
    outcome: str
    field: str
    problem: str
    message: str
    replaces: Sequence[Mapping[str, Any]]


def hold_rates(conn: sa.Connection) -> None:
    """Let nobody else write rates until the transaction ends; everybody may read them."""
    conn.execute(sa.text("LOCK TABLE transport.rates IN SHARE ROW EXCLUSIVE MODE"))


def plan(conn: sa.Connection, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Planned]:
    """Judge rows, each with its number and the columns of a rate; nothing that lasts is written.

    Leaves temporary tables behind, which `write` writes from.
    """
    conn.execute(_DROP)
    _FEED.create(conn, checkfirst=False)
    if rows:
        conn.execute(sa.insert(_FEED), [{"row_no": number, **values} for number, values in rows])
    conn.execute(_FILL)
    judge_rates(conn)
    for statement in (_REFINE, _REPLACED, _SAME):
        conn.execute(statement)
    conflicts = {row.row_no: row for row in conn.execute(_CONFLICTS)}
    return [_planned(dict(row), conflicts.get(row["row_no"]))
            for row in conn.execute(_READ).mappings()]  # fmt: skip


def _planned(row: dict[str, Any], conflict: Any) -> Planned:
    row_no, problem = row.pop("row_no"), row.pop("problem")
    is_same, replaces = row.pop("is_same"), row.pop("replaces")
    other = ""
    if problem is None and conflict is not None:
        problem, other = conflict.problem, conflict.other
    if problem is not None:
        words = _WORDS.get(problem) or PROBLEMS[problem]
        message = words.format(other=other)
        return Planned(row_no, row, "error", FIELDS[problem], problem, message, [])
    outcome = "unchanged" if is_same else "change" if replaces else "create"
    return Planned(row_no, row, outcome, "", "", "", replaces)


def write(conn: sa.Connection) -> None:
    """Do what was planned last, which must be without problems; `hold_rates` first."""
    conn.execute(_END)
    conn.execute(_BEGIN)
