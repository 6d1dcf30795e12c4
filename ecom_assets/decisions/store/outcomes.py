"""`decisions.replay_outcomes`: what was decided beside what would have been, order by order."""

from __future__ import annotations

import sqlalchemy as sa

# Both sides in one table, so that they are compared by one statement and cannot drift apart. What
# each line gets is kept as a text: two parcels are alike only if every line is.
_OPEN = sa.text("""
    CREATE TEMPORARY TABLE replay_parcels (
        is_after boolean NOT NULL, order_id bigint NOT NULL, site_code text NOT NULL,
        units bigint NOT NULL, lines text NOT NULL, available_at timestamptz NOT NULL,
        service_code text, cost_minor bigint, currency char(3) NOT NULL, eta_at timestamptz,
        is_late boolean NOT NULL
    ) ON COMMIT DROP
""")
_PARCELS = (
    sa.text("""
        INSERT INTO replay_parcels
        WITH parcel AS (
            SELECT a.order_id, a.site_code, sum(a.quantity) AS units,
                string_agg(a.order_line_id || ':' || a.quantity, ',' ORDER BY a.order_line_id)
                    AS lines,
                max(a.available_at) AS available_at
            FROM replay_range
            JOIN warehouse.allocations AS a USING (order_id)
            GROUP BY a.order_id, a.site_code
        )
        SELECT false, p.order_id, p.site_code, p.units, p.lines, p.available_at, x.service_code,
            x.cost_minor, coalesce(x.currency, o.currency), x.eta_at,
            coalesce(x.eta_at > o.promised_at, false)
        FROM parcel AS p
        JOIN orders.orders AS o USING (order_id)
        LEFT JOIN transport.carrier_choices AS x
            ON x.order_id = p.order_id AND x.site_code = p.site_code AND x.is_chosen
    """),
    sa.text("""
        INSERT INTO replay_parcels
        WITH parcel AS (
            SELECT a.order_id, a.site_code, sum(a.quantity) AS units,
                string_agg(a.order_line_id || ':' || a.quantity, ',' ORDER BY a.order_line_id)
                    AS lines,
                max(a.available_at) AS available_at
            FROM replay_allocations AS a
            GROUP BY a.order_id, a.site_code
        )
        SELECT true, p.order_id, p.site_code, p.units, p.lines, p.available_at, x.service_code,
            x.cost_minor, coalesce(x.currency, o.currency), x.eta_at,
            coalesce(x.eta_at > o.promised_at, false)
        FROM parcel AS p
        JOIN orders.orders AS o USING (order_id)
        LEFT JOIN replay_choices AS x
            ON x.order_id = p.order_id AND x.site_code = p.site_code
    """),
    sa.text("ANALYZE replay_parcels"),
)

# The money of an approval is what the order is worth: it is sold, or it is not.
_RISKS = sa.text("""
    INSERT INTO decisions.replay_outcomes
        (replay_id, order_id, kind, currency, decided_as_of, before, after, is_changed,
         amount_before_minor, amount_after_minor, parcels_before, parcels_after, late_before,
         late_after)
    SELECT :replay_id, k.order_id, 'risk_decision', k.currency, r.decided_as_of, k.before, k.after,
        k.before <> k.after,
        CASE WHEN k.before = 'accepted' THEN k.total_minor ELSE 0 END,
        CASE WHEN k.after = 'accepted' THEN k.total_minor ELSE 0 END, 0, 0, 0, 0
    FROM replay_risks AS k
    JOIN replay_range AS r USING (order_id)
    ORDER BY k.order_id
""")
_SITES = sa.text("""
    INSERT INTO decisions.replay_outcomes
        (replay_id, order_id, kind, currency, decided_as_of, before, after, is_changed,
         amount_before_minor, amount_after_minor, parcels_before, parcels_after, late_before,
         late_after)
    SELECT :replay_id, p.order_id, 'allocation', s.currency, r.decided_as_of,
        coalesce(string_agg(p.site_code || ' ' || p.units, ', ' ORDER BY p.site_code)
            FILTER (WHERE NOT is_after), 'none'),
        coalesce(string_agg(p.site_code || ' ' || p.units, ', ' ORDER BY p.site_code)
            FILTER (WHERE is_after), 'none'),
        array_agg((p.site_code, p.lines, p.available_at)::text ORDER BY p.site_code)
            FILTER (WHERE NOT is_after)
        IS DISTINCT FROM
        array_agg((p.site_code, p.lines, p.available_at)::text ORDER BY p.site_code)
            FILTER (WHERE is_after),
        coalesce(sum(s.handling_minor) FILTER (WHERE NOT is_after), 0),
        coalesce(sum(s.handling_minor) FILTER (WHERE is_after), 0),
        count(*) FILTER (WHERE NOT is_after), count(*) FILTER (WHERE is_after), 0, 0
    FROM replay_parcels AS p
    JOIN replay_range AS r USING (order_id)
    JOIN warehouse.sites AS s USING (site_code)
    GROUP BY p.order_id, s.currency, r.decided_as_of
    ORDER BY p.order_id
""")
_SERVICES = sa.text("""
    INSERT INTO decisions.replay_outcomes
        (replay_id, order_id, kind, currency, decided_as_of, before, after, is_changed,
         amount_before_minor, amount_after_minor, parcels_before, parcels_after, late_before,
         late_after)
    SELECT :replay_id, p.order_id, 'carrier_choice', p.currency, r.decided_as_of,
        coalesce(string_agg(p.site_code || ' ' || coalesce(p.service_code, 'without a service'),
            ', ' ORDER BY p.site_code) FILTER (WHERE NOT is_after), 'none'),
        coalesce(string_agg(p.site_code || ' ' || coalesce(p.service_code, 'without a service'),
            ', ' ORDER BY p.site_code) FILTER (WHERE is_after), 'none'),
        array_agg((p.site_code, p.service_code, p.cost_minor, p.eta_at)::text
            ORDER BY p.site_code) FILTER (WHERE NOT is_after)
        IS DISTINCT FROM
        array_agg((p.site_code, p.service_code, p.cost_minor, p.eta_at)::text
            ORDER BY p.site_code) FILTER (WHERE is_after),
        coalesce(sum(p.cost_minor) FILTER (WHERE NOT is_after), 0),
        coalesce(sum(p.cost_minor) FILTER (WHERE is_after), 0),
        count(*) FILTER (WHERE NOT is_after), count(*) FILTER (WHERE is_after),
        count(*) FILTER (WHERE NOT is_after AND p.is_late),
        count(*) FILTER (WHERE is_after AND p.is_late)
    FROM replay_parcels AS p
    JOIN replay_range AS r USING (order_id)
    GROUP BY p.order_id, p.currency, r.decided_as_of
    ORDER BY p.order_id
""")


def compare(conn: sa.Connection, replay_id: int) -> int:
    """Write what was decided beside what would have been.

    Args:
        conn: the replay's transaction, with all its temporary tables filled.
        replay_id: the replay.

    Returns:
        How many rows were written.
    """
    for statement in (_OPEN, *_PARCELS):
        conn.execute(statement)
    given = {"replay_id": replay_id}
    return sum(conn.execute(part, given).rowcount for part in (_RISKS, _SITES, _SERVICES))
