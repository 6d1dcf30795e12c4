"""Classes of SKUs, by the rules of `inventory.classes`, in one pass over the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from ecom_assets.inventory.classes import CLASS_RULES, CLASSES_VERSION, ClassRules
from ecom_assets.inventory.tables import SKU_CLASSES
from ecom_assets.shared.upsert import upsert

_NAMES = (
    "sku", "abc", "xyz", "units_sold", "sold_at_cost_minor", "currency", "weekly_units",
    "weekly_spread", "on_hand", "days_of_cover", "turnover", "last_sold_at", "is_dead",
)  # fmt: skip

# Weeks are counted back from the moment, so all are whole. A SKU that came within the window is
# judged by the weeks since. Mean stock is what there was at the end, less what every move of the
# window added, for the share of the window before it.
_CLASSES = sa.text("""
    WITH scanned AS (
        SELECT m.sku, min(m.moved_at) AS first_at, sum(m.quantity) AS on_hand,
            max(m.moved_at) FILTER (WHERE m.kind = 'sale') AS last_sold_at,
            max(m.moved_at) FILTER (WHERE m.quantity > 0 AND m.kind <> 'transfer') AS last_came_at,
            sum(m.quantity * extract(epoch FROM m.moved_at - CAST(:begins AS timestamptz)))
                FILTER (WHERE m.moved_at > :begins) AS unit_seconds
        FROM inventory.movements AS m WHERE m.moved_at <= :as_of
        GROUP BY m.sku
    ), by_week AS (
        SELECT sku, -sum(quantity) AS units FROM inventory.movements
        WHERE kind = 'sale' AND moved_at > :begins AND moved_at <= :as_of
        GROUP BY sku, floor(extract(epoch FROM CAST(:as_of AS timestamptz) - moved_at) / 604800)
    ), weekly AS (
        SELECT sku, sum(units) AS units, sum(units * units) AS squares FROM by_week GROUP BY sku
    ), measured AS (
        SELECT s.sku, p.currency, s.on_hand, s.last_sold_at, s.first_at, s.last_came_at,
            coalesce(w.units, 0) AS units_sold, coalesce(w.squares, 0) AS squares,
            coalesce(w.units, 0) * coalesce(p.unit_cost_minor, p.list_price_minor, 0) AS sold_minor,
            least(CAST(:weeks AS bigint), greatest(1, ceil(
                extract(epoch FROM CAST(:as_of AS timestamptz) - s.first_at) / 604800))) AS weeks,
            s.on_hand - coalesce(s.unit_seconds, 0) / (CAST(:weeks AS bigint) * 604800)
                AS mean_stock
        FROM scanned AS s
        JOIN catalog.products AS p ON p.sku = s.sku
        LEFT JOIN weekly AS w ON w.sku = s.sku
    ), spread AS (
        SELECT *, CASE WHEN units_sold > 0 THEN CAST(sqrt(greatest(0,
                squares / weeks - (units_sold / weeks) * (units_sold / weeks))
            ) / (units_sold / weeks) AS double precision) END AS weekly_spread
        FROM measured
    ), ranked AS (
        SELECT *, sum(sold_minor) OVER (PARTITION BY currency) AS total_minor,
            sum(sold_minor) OVER (
                PARTITION BY currency ORDER BY sold_minor DESC, sku ROWS UNBOUNDED PRECEDING
            ) - sold_minor AS before_minor
        FROM spread
    )
    SELECT sku,
        CASE WHEN sold_minor = 0 OR before_minor >= CAST(:b_share AS double precision) * total_minor
            THEN 'C'
            WHEN before_minor < CAST(:a_share AS double precision) * total_minor THEN 'A'
            ELSE 'B' END AS abc,
        CASE WHEN weekly_spread <= :x_spread THEN 'X' WHEN weekly_spread <= :y_spread THEN 'Y'
            WHEN weekly_spread IS NOT NULL THEN 'Z' END AS xyz,
        CAST(units_sold AS bigint) AS units_sold, CAST(sold_minor AS bigint) AS sold_at_cost_minor,
        currency, CAST(units_sold / weeks AS double precision) AS weekly_units, weekly_spread,
        CAST(greatest(0, on_hand) AS bigint) AS on_hand,
        CASE WHEN units_sold > 0 THEN CAST(greatest(0, on_hand) * 7 * weeks / units_sold
            AS double precision) END AS days_of_cover,
        CASE WHEN mean_stock > 0 THEN CAST(units_sold * 365.0 / (7 * CAST(:weeks AS bigint))
            / mean_stock AS double precision) END AS turnover,
        last_sold_at,
        on_hand > 0 AND coalesce(last_sold_at < :long_ago, true)
            AND coalesce(last_came_at, first_at) < :long_ago AS is_dead
    FROM ranked
""").columns(*(SKU_CLASSES.c[name] for name in _NAMES))

CLASS_TABLE = sa.text("""
    SELECT abc || coalesce(xyz, '-') AS class, count(*) AS skus, sum(units_sold) AS units_sold,
        sum(on_hand) AS on_hand, count(*) FILTER (WHERE is_dead) AS dead
    FROM inventory.sku_classes GROUP BY 1 ORDER BY 1
""").columns(*map(sa.column, ("class", "skus", "units_sold", "on_hand", "dead")))
"""SKUs, sales and stock per class."""

DEAD_STOCK = sa.text("""
    SELECT c.sku, p.name, c.on_hand, c.last_sold_at, c.on_hand * p.unit_cost_minor AS cost_minor,
        c.currency
    FROM inventory.sku_classes AS c JOIN catalog.products AS p ON p.sku = c.sku
    WHERE c.is_dead ORDER BY cost_minor DESC NULLS LAST, c.on_hand DESC, c.sku
""").columns(*map(sa.column, ("sku", "name", "on_hand", "last_sold_at", "cost_minor", "currency")))
"""Dead stock, the dearest on top."""

SHORTEST_COVER = sa.text("""
    SELECT sku, abc, xyz, on_hand, round(CAST(weekly_units AS numeric), 2) AS weekly_units,
        round(CAST(days_of_cover AS numeric), 1) AS days_of_cover
    FROM inventory.sku_classes WHERE days_of_cover IS NOT NULL AND abc <> 'C'
    ORDER BY days_of_cover, sku
""").columns(*map(sa.column, ("sku", "abc", "xyz", "on_hand", "weekly_units", "days_of_cover")))
"""A and B SKUs, those that run out first on top."""


def classify_skus(
    conn: sa.Connection, as_of: datetime, run: str, rules: ClassRules = CLASS_RULES
) -> int:
    """Classify every SKU that ever moved, as of a moment; how many rows changed."""
    conn.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('inventory.sku_classes'))"))
    rows = _CLASSES.bindparams(
        as_of=as_of,
        begins=as_of - timedelta(weeks=rules.weeks),
        long_ago=as_of - timedelta(days=rules.dead_days),
        weeks=rules.weeks,
        a_share=rules.a_share,
        b_share=rules.b_share,
        x_spread=rules.x_spread,
        y_spread=rules.y_spread,
    )
    stamps = {"version": CLASSES_VERSION, "classified_as_of": as_of, "run_id": run}
    return upsert(conn, SKU_CLASSES, rows, ("sku",), stamps)


def cover_per_class(conn: sa.Connection) -> tuple[list[str], list[float]]:
    """Median days of cover of each class that sells."""
    rows = conn.execute(
        sa.text("""
            SELECT abc || xyz, percentile_cont(0.5) WITHIN GROUP (ORDER BY days_of_cover)
            FROM inventory.sku_classes WHERE days_of_cover IS NOT NULL GROUP BY 1 ORDER BY 1
        """)
    ).all()
    return [name for name, _ in rows], [float(days) for _, days in rows]
