"""`inventory.demand_history`: what was asked for per week, computed anew for a range of weeks.

The plain form of the rules stands in `inventory.demand`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.inventory.tables import DEMAND_HISTORY
from ecom_assets.shared.upsert import upsert

KEY = ("sku", "site_code", "week_date")

# Orders of the range that were not given up, with what their customers took back at once. A fact
# about an order without lines or a moment, such as Olist's, takes back all of it.
_OPEN = (
    sa.text("DROP TABLE IF EXISTS asked, found_weeks"),
    sa.text("""
        CREATE TEMPORARY TABLE asked ON COMMIT DROP AS
        WITH wanted AS (
            SELECT o.order_id, o.channel, o.external_id, o.currency,
                date_trunc('week', o.placed_at, 'UTC') AS week_at
            FROM orders.orders AS o
            JOIN flow.order_states AS s USING (order_id)
            WHERE o.placed_at >= :from_at AND o.placed_at < :to_at
                AND s.fulfilment_state <> 'cancelled' AND s.risk_state <> 'rejected'
        ), gone AS (
            SELECT w.order_id, e.detail -> 'lines' AS lines
            FROM wanted AS w
            JOIN orders.observed_events AS e
                ON e.channel = w.channel AND e.external_id = w.external_id
            WHERE e.kind IN ('cancelled', 'returned')
                AND (e.happened_at < w.week_at + interval '168 hours'
                    OR e.kind = 'cancelled' AND e.happened_at IS NULL)
        ), given_up AS (
            SELECT DISTINCT order_id FROM gone WHERE lines IS NULL
        ), taken_back AS (
            SELECT g.order_id, l ->> 'sku' AS sku, sum((l ->> 'quantity')::bigint) AS units
            FROM gone AS g, jsonb_array_elements(g.lines) AS l
            WHERE g.lines IS NOT NULL
            GROUP BY 1, 2
        ), homes AS (
            SELECT DISTINCT ON (sku) sku, site_code FROM inventory.balances
            ORDER BY sku, on_hand + sold DESC, site_code
        ), served AS (
            SELECT a.order_line_id, a.site_code, sum(a.quantity) AS units
            FROM warehouse.allocations AS a JOIN wanted USING (order_id)
            GROUP BY 1, 2
        ), lines AS (
            SELECT w.order_id, w.week_at, w.currency, l.order_line_id, l.line_no, l.sku,
                l.quantity, l.line_total_minor,
                l.quantity - coalesce((
                    SELECT sum(s.units) FROM served AS s WHERE s.order_line_id = l.order_line_id
                ), 0) AS unserved
            FROM wanted AS w
            JOIN orders.order_lines AS l USING (order_id)
            WHERE w.order_id NOT IN (SELECT order_id FROM given_up)
        ), parts AS (
            SELECT l.*, s.site_code, s.units FROM lines AS l JOIN served AS s USING (order_line_id)
            UNION ALL
            SELECT l.*, coalesce(h.site_code, (SELECT min(site_code) FROM warehouse.sites)),
                l.unserved
            FROM lines AS l LEFT JOIN homes AS h USING (sku)
            WHERE l.unserved > 0
        ), summed AS (
            SELECT order_id, week_at, currency, order_line_id, line_no, sku, quantity,
                line_total_minor, site_code, sum(units) AS units
            FROM parts WHERE site_code IS NOT NULL
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
        ), turns AS (
            SELECT p.*, sum(p.units) OVER (PARTITION BY p.order_id, p.sku) AS ordered,
                sum(p.units) OVER (
                    PARTITION BY p.order_id, p.sku ORDER BY p.line_no, p.site_code
                    ROWS UNBOUNDED PRECEDING
                ) - p.units AS before
            FROM summed AS p
        )
        SELECT t.sku, t.site_code, t.week_at, t.order_line_id, t.currency,
            greatest(0, least(t.units, t.ordered - coalesce(b.units, 0) - t.before)) AS units,
            t.line_total_minor::numeric / t.quantity AS unit_minor
        FROM turns AS t
        LEFT JOIN taken_back AS b ON b.order_id = t.order_id AND b.sku = t.sku
    """),
    # Who asks for a kit asks for what is in it; the revenue is the kit's. The depth ends a cycle.
    sa.text("""
        INSERT INTO asked
        WITH RECURSIVE within AS (
            SELECT kit_sku, component_sku, CAST(quantity AS bigint) AS takes, 1 AS depth
            FROM catalog.kits
            UNION ALL
            SELECT w.kit_sku, k.component_sku, w.takes * k.quantity, w.depth + 1
            FROM within AS w JOIN catalog.kits AS k ON k.kit_sku = w.component_sku
            WHERE w.depth < 10
        )
        SELECT w.component_sku, a.site_code, a.week_at, a.order_line_id, a.currency,
            a.units * w.takes, 0
        FROM asked AS a JOIN within AS w ON w.kit_sku = a.sku
    """),
)
_WEEKS = sa.text("""
    CREATE TEMPORARY TABLE found_weeks ON COMMIT DROP AS
    WITH sold AS (
        SELECT a.sku, a.site_code, a.week_at, sum(a.units)::integer AS sold_units,
            count(DISTINCT a.order_line_id)::integer AS order_lines,
            coalesce(round(sum(a.units * a.unit_minor)
                FILTER (WHERE a.currency = p.currency)), 0)::bigint AS revenue_minor
        FROM asked AS a JOIN catalog.products AS p USING (sku)
        WHERE a.units > 0
        GROUP BY 1, 2, 3
    ), returned AS (
        SELECT sku, site_code, date_trunc('week', moved_at, 'UTC') AS week_at,
            sum(quantity)::integer AS units
        FROM inventory.movements
        WHERE kind = 'return' AND moved_at >= :from_at AND moved_at < :to_at
        GROUP BY 1, 2, 3
    ), levels AS (
        SELECT sku, site_code, moved_at AS from_at,
            lead(moved_at, 1, CAST(:to_at AS timestamptz)) OVER turn AS to_at,
            sum(quantity) OVER (turn ROWS UNBOUNDED PRECEDING) AS on_hand
        FROM inventory.movements WHERE moved_at < :to_at
        WINDOW turn AS (PARTITION BY sku, site_code ORDER BY moved_at, movement_id)
    ), outs AS (
        SELECT sku, site_code, greatest(from_at, :from_at) AS from_at, to_at
        FROM levels WHERE on_hand <= 0 AND to_at > from_at AND to_at > :from_at
    ), out_weeks AS (
        SELECT o.sku, o.site_code, w.week_at,
            least(1, sum(extract(epoch FROM least(o.to_at, w.week_at + interval '168 hours')
                - greatest(o.from_at, w.week_at))) / 604800) AS share
        FROM outs AS o, generate_series(
            date_trunc('week', o.from_at, 'UTC'), o.to_at - interval '1 microsecond',
            interval '168 hours'
        ) AS w (week_at)
        GROUP BY 1, 2, 3
    ), waiting AS (
        -- Orders were taken without stock: what was asked for is known, nothing was hidden.
        SELECT DISTINCT sku, date_trunc('week', reserved_as_of, 'UTC') AS week_at
        FROM inventory.reservations
        WHERE backordered > 0 AND reserved_as_of >= :from_at AND reserved_as_of < :to_at
    )
    SELECT sku, site_code, (week_at AT TIME ZONE 'UTC')::date AS week_date,
        coalesce(s.sold_units, 0) AS sold_units, coalesce(s.order_lines, 0) AS order_lines,
        coalesce(s.revenue_minor, 0) AS revenue_minor, p.currency,
        coalesce(r.units, 0) AS returned_units,
        coalesce(o.share, 0)::double precision AS stockout_share,
        coalesce(o.share, 0) > 0 AND w.sku IS NULL AS is_censored
    FROM sold AS s
    FULL JOIN returned AS r USING (sku, site_code, week_at)
    FULL JOIN out_weeks AS o USING (sku, site_code, week_at)
    JOIN catalog.products AS p USING (sku)
    LEFT JOIN waiting AS w USING (sku, week_at)
""")
_COLUMNS = (
    *KEY, "sold_units", "order_lines", "revenue_minor", "currency", "returned_units",
    "stockout_share", "is_censored",
)  # fmt: skip
_FOUND = sa.text("SELECT * FROM found_weeks").columns(
    *(sa.column(name, DEMAND_HISTORY.c[name].type) for name in _COLUMNS)
)
_GONE = sa.text("""
    DELETE FROM inventory.demand_history AS d
    WHERE d.week_date >= :from_date AND d.week_date < :to_date AND NOT EXISTS (
        SELECT FROM found_weeks AS f
        WHERE f.sku = d.sku AND f.site_code = d.site_code AND f.week_date = d.week_date
    )
""")
_SPAN = sa.text("""
    SELECT (date_trunc('week', min(placed_at), 'UTC') AT TIME ZONE 'UTC')::date, max(placed_at),
        (SELECT max(week_date) FROM inventory.demand_history)
    FROM orders.orders
""")


def span(conn: sa.Connection) -> tuple[date | None, datetime | None, date | None]:
    """Monday of the first order's week, moment of the last order, newest week in the history."""
    first, last, known = conn.execute(_SPAN).tuples().one()
    return first, last, known


def refresh_history(conn: sa.Connection, begin: date, end: date, run: str) -> dict[str, int]:
    """Bring whole weeks of the history up to date; rows that did not change are not written.

    Args:
        conn: connection inside the caller's transaction.
        begin: Monday of the first week.
        end: Monday after the last week.
        run: Dagster run id.

    Returns:
        `weeks_written`, new or changed rows, and `weeks_removed`.
    """
    moments = sa.text("""
        SELECT CAST(:begin AS timestamp) AT TIME ZONE 'UTC',
            CAST(:end AS timestamp) AT TIME ZONE 'UTC'
    """)
    from_at, to_at = conn.execute(moments, {"begin": begin, "end": end}).tuples().one()
    given: dict[str, Any] = {"from_at": from_at, "to_at": to_at}
    conn.execute(_OPEN[0])
    conn.execute(_OPEN[1], given)
    conn.execute(_OPEN[2])
    conn.execute(_WEEKS, given)
    conn.execute(sa.text("ANALYZE found_weeks"))
    removed = conn.execute(_GONE, {"from_date": begin, "to_date": end}).rowcount
    written = upsert(conn, DEMAND_HISTORY, _FOUND, KEY, {"run_id": run})
    return {"weeks_written": written, "weeks_removed": removed}


COVER = sa.text("""
    WITH newest AS (
        SELECT max(week_date) AS week_date FROM inventory.demand_history
    ), lately AS (
        SELECT d.sku, d.site_code, sum(d.sold_units) / 56.0 AS daily
        FROM inventory.demand_history AS d, newest AS n
        WHERE d.week_date > n.week_date - 56
        GROUP BY 1, 2
    )
    SELECT l.sku, l.site_code, b.on_hand, round(l.daily, 2) AS asked_per_day,
        round(b.on_hand / nullif(l.daily, 0), 1) AS days_of_cover
    FROM lately AS l JOIN inventory.balances AS b USING (sku, site_code)
    WHERE l.daily > 0
    ORDER BY days_of_cover, asked_per_day DESC, sku, site_code
""").columns(*map(sa.column, ("sku", "site_code", "on_hand", "asked_per_day", "days_of_cover")))
"""Stock in days of the demand of the last eight weeks, shortest first."""

MOST_HIDDEN = sa.text("""
    SELECT sku, site_code, count(*) AS weeks, round(avg(stockout_share)::numeric, 2) AS share_out,
        sum(sold_units) AS sold_units
    FROM inventory.demand_history WHERE is_censored
    GROUP BY 1, 2 ORDER BY weeks DESC, share_out DESC, sku, site_code
""").columns(*map(sa.column, ("sku", "site_code", "weeks", "share_out", "sold_units")))
"""SKUs at sites whose demand was hidden by stock-outs in most weeks."""
