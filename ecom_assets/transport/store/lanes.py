"""The rate card laid out for the parcels at hand: which zone and which rate, cell by cell.

Between two ends of zones, two moments at which rates begin or end, and two ends of weight bands
nothing on the card changes. Zone and rate are therefore looked for once per such cell and not once
per parcel and service; a parcel finds its cells by bisection (`width_bucket`).
"""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.working import analyse

_OPEN = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS card_marks (
        km double precision[], moments timestamptz[], grams integer[]
    ) ON COMMIT PRESERVE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS zone_of (
        km_cell integer, moment_cell integer, service_code text, zone_code text,
        max_weight_g integer, dim_divisor integer, quality double precision, note text
    ) ON COMMIT PRESERVE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS rate_of (
        service_code text, zone_code text, moment_cell integer, gram_cell integer,
        rate_id bigint, price_minor bigint, currency char(3), transit_days double precision,
        transit_spread_days double precision
    ) ON COMMIT PRESERVE ROWS;
    DELETE FROM card_marks; DELETE FROM zone_of; DELETE FROM rate_of;
""")

# A cell begins with its mark; what lies before the first mark is cell 0.
_MARK = sa.text("""
    INSERT INTO card_marks
    SELECT
        ARRAY(
            SELECT from_km FROM transport.zones UNION SELECT to_km FROM transport.zones ORDER BY 1
        ),
        ARRAY(
            SELECT valid_from_at FROM transport.rates
            UNION SELECT valid_to_at FROM transport.rates WHERE valid_to_at IS NOT NULL
            UNION SELECT archived_at FROM transport.carriers WHERE archived_at IS NOT NULL
            UNION SELECT archived_at FROM transport.services WHERE archived_at IS NOT NULL
            UNION SELECT archived_at FROM transport.zones WHERE archived_at IS NOT NULL
            ORDER BY 1
        ),
        ARRAY(SELECT from_g FROM transport.rates UNION SELECT to_g FROM transport.rates ORDER BY 1)
""")

# A service's zone is looked for where it has a rate at the moment, so that shops with zones of
# their own can share the tables: `reach` knows when each service is rated in each zone. What is
# rated nowhere still gets a zone, for its reason to name. COLLATE "C" and a total order: ties must
# not fall with the language of the database or with the plan.
_FIND_ZONES = sa.text("""
    WITH reach AS MATERIALIZED (
        SELECT s.service_code, s.max_weight_g, s.dim_divisor, s.quality,
            z.zone_code, z.from_km, z.to_km,
            least(s.archived_at, c.archived_at, z.archived_at) AS archived_at,
            range_agg(tstzrange(r.valid_from_at, r.valid_to_at)) FILTER (
                WHERE r.valid_from_at < COALESCE(r.valid_to_at, 'infinity')
            ) AS rated_at
        FROM transport.services AS s JOIN transport.carriers AS c USING (carrier_code)
        CROSS JOIN transport.zones AS z
        LEFT JOIN transport.rates AS r USING (service_code, zone_code)
        GROUP BY s.service_code, c.carrier_code, z.zone_code
    ), cells AS (
        -- Any parcel speaks for its cell.
        SELECT COALESCE(width_bucket(distance_km, km), -1) AS km_cell,
            width_bucket(ready_at, moments) AS moment_cell,
            min(distance_km) AS distance_km, min(ready_at) AS ready_at
        FROM parcels CROSS JOIN card_marks
        GROUP BY 1, 2
    )
    INSERT INTO zone_of
    SELECT DISTINCT ON (c.km_cell, c.moment_cell, service_code)
        c.km_cell, c.moment_cell, service_code, zone_code, max_weight_g, dim_divisor, quality,
        CASE
            WHEN c.distance_km IS NULL THEN '; distance unknown, farthest zone assumed'
            WHEN covers THEN '' ELSE '; no zone covers the distance, farthest assumed'
            END
    FROM cells AS c CROSS JOIN reach CROSS JOIN LATERAL (SELECT
        COALESCE(from_km <= c.distance_km AND c.distance_km < to_km, false) AS covers,
        COALESCE(rated_at @> c.ready_at, false) AS is_rated
    ) AS fit
    WHERE archived_at IS NULL OR (:as_then AND c.ready_at < archived_at)
    ORDER BY c.km_cell, c.moment_cell, service_code, is_rated DESC, covers DESC,
        CASE WHEN covers THEN to_km - from_km ELSE -from_km END, zone_code COLLATE "C"
""")

# A band excludes its lightest weight and includes its heaviest: a gram less, and it begins with the
# one and ends before the other, as cells do.
_FIND_RATES = sa.text("""
    WITH moments AS (
        SELECT width_bucket(ready_at, moments) AS moment_cell, min(ready_at) AS ready_at
        FROM parcels CROSS JOIN card_marks
        GROUP BY 1
    )
    INSERT INTO rate_of
    SELECT DISTINCT ON (r.service_code, r.zone_code, t.moment_cell, gram_cell)
        r.service_code, r.zone_code, t.moment_cell, gram_cell, r.rate_id, r.price_minor,
        r.currency, r.transit_days, r.transit_spread_days
    FROM moments AS t
    JOIN transport.rates AS r ON r.valid_from_at <= t.ready_at
        AND (r.valid_to_at IS NULL OR t.ready_at < r.valid_to_at)
    CROSS JOIN card_marks
    CROSS JOIN LATERAL generate_series(
        width_bucket(r.from_g, grams), width_bucket(r.to_g - 1, grams)
    ) AS gram_cell
    ORDER BY r.service_code, r.zone_code, t.moment_cell, gram_cell, r.valid_from_at DESC,
        r.from_g DESC
""")


def lay_out_card(conn: sa.Connection, parcels: int, as_then: bool = False) -> None:
    """Fill `card_marks`, `zone_of` and `rate_of` for the rows of `parcels`.

    Args:
        conn: connection with `parcels` filled.
        parcels: how many rows it has.
        as_then: whether what was archived since a parcel was ready still counts for it, as in a
            replay.
    """
    conn.execute(_OPEN)
    conn.execute(_MARK)
    conn.execute(_FIND_ZONES, {"as_then": as_then})
    conn.execute(_FIND_RATES)
    # Without figures the choice is planned for tables of any size, and compares all with all.
    analyse(conn, sa.text("ANALYZE card_marks, zone_of, rate_of"), parcels)
