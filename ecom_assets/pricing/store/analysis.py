"""Estimating elasticities, drawing price tests, planning markdowns: kept with their inputs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ecom_assets.pricing.store.observations import observe
from ecom_assets.pricing.tables import ELASTICITIES, MARKDOWN_PLANS, PRICE_TESTS

USABLE_WIDTH = 2.0
"""Widest 95% interval with which a price may be set by an elasticity."""


def estimate_channel(
    conn: sa.Connection, channel: str, currency: str, at: datetime, run: str, weeks: int = 104
) -> int:
    """Estimate and keep the elasticities of a channel; returns how many products have one."""
    import numpy as np

    from ecom_assets.pricing.elasticity import estimate
    from ecom_assets.pricing.elasticity.estimating import OBSERVED

    seen = observe(conn, channel, currency, at, weeks)
    if not seen.skus:
        return 0
    found = estimate(seen.panel)
    weeks_seen = seen.panel.seen.sum(axis=1)
    units = (seen.panel.units * seen.panel.seen).sum(axis=1)
    rows = [
        {
            "channel": channel, "currency": currency, "sku": sku, "estimated_as_of": at,
            "category": seen.categories[seen.panel.category[i]],
            "raw": None if np.isnan(found.raw[i]) else float(found.raw[i]),
            "raw_error": None if np.isnan(found.raw[i]) else float(found.raw_error[i]),
            "category_mean": float(found.mean[i]), "weight": float(found.weight[i]),
            "elasticity": float(found.value[i]), "low": float(found.low[i]),
            "high": float(found.high[i]), "weeks": int(weeks_seen[i]), "units": int(units[i]),
            "method": found.method[i],
            "is_usable": found.method[i] != OBSERVED and bool(found.value[i] < 0)
            and float(found.high[i] - found.low[i]) <= USABLE_WIDTH,
            "run_id": run,
        }
        for i, sku in enumerate(seen.skus)
    ]  # fmt: skip
    same = sa.and_(
        ELASTICITIES.c.channel == channel, ELASTICITIES.c.currency == currency,
        ELASTICITIES.c.estimated_as_of == at,
    )  # fmt: skip
    conn.execute(sa.delete(ELASTICITIES).where(same))
    conn.execute(sa.insert(ELASTICITIES), rows)
    return len(rows)


def draw_test(
    conn: sa.Connection, name: str, price_list_id: int, skus: list[str], starts_at: datetime,
    weeks: int, arm_bps: int, seed: int, run: str,
) -> int:  # fmt: skip
    """Draw by lot which product deviates in which week, and by how much: up, down or not at all.

    Args:
        conn: connection inside a transaction.
        name: name of the test.
        price_list_id: list whose prices deviate.
        skus: products.
        starts_at: first moment.
        weeks: how long.
        arm_bps: size of a deviation in basis points.
        seed: the same seed draws the same lots.
        run: command or Dagster run.

    Returns:
        How many weeks of products were drawn.
    """
    import numpy as np

    lot = np.random.default_rng(seed)
    rows = [
        {
            "name": name, "price_list_id": price_list_id, "sku": sku,
            "starts_at": starts_at + timedelta(weeks=week),
            "ends_at": starts_at + timedelta(weeks=week + 1),
            "arm_bps": int(lot.choice((-arm_bps, 0, arm_bps))), "run_id": run,
        }
        for sku in sorted(skus) for week in range(weeks)
    ]  # fmt: skip
    conn.execute(sa.insert(PRICE_TESTS), rows)
    return len(rows)


# Expected units of a week at the price in force: those of the last four weeks.
_TASKS = sa.text("""
    WITH sold AS (
        SELECT line.sku, sum(line.quantity) / 4.0 AS weekly_units
        FROM orders.orders AS o JOIN orders.order_lines AS line USING (order_id)
            JOIN pricing.price_lists AS l ON l.channel = o.channel AND l.currency = o.currency
        WHERE l.price_list_id = :price_list_id AND o.placed_at >= :at - interval '28 days'
            AND o.placed_at < :at AND line.sku = ANY (:skus)
        GROUP BY line.sku
    ), held AS (
        SELECT sku, sum(quantity) AS stock FROM inventory.movements
        WHERE moved_at <= :at AND sku = ANY (:skus) GROUP BY sku
    ), newest AS (
        SELECT DISTINCT ON (e.sku) e.sku, e.elasticity, e.high - e.low AS width, e.method
        FROM pricing.elasticities AS e
            JOIN pricing.price_lists AS l ON l.channel = e.channel AND l.currency = e.currency
        WHERE l.price_list_id = :price_list_id AND e.estimated_as_of <= :at
            AND e.sku = ANY (:skus)
        ORDER BY e.sku, e.estimated_as_of DESC
    )
    SELECT p.sku, p.regular_minor, greatest(held.stock, 0) AS stock,
        CAST(coalesce(sold.weekly_units, 0) AS double precision) AS weekly_units,
        newest.elasticity, newest.width, newest.method <> 'association' AS is_caused
    FROM pricing.prices AS p JOIN held USING (sku) JOIN newest USING (sku)
        LEFT JOIN sold USING (sku)
    WHERE p.price_list_id = :price_list_id AND p.min_quantity = 1 AND p.sku = ANY (:skus)
        AND p.valid_from_at <= :at AND (p.valid_to_at IS NULL OR p.valid_to_at > :at)
        AND held.stock > 0
    ORDER BY p.sku
""")


def plan_markdowns(
    conn: sa.Connection, price_list_id: int, skus: list[str], weeks: int, at: datetime, run: str
) -> int:
    """Plan how to clear the stock of products within some weeks; returns how many plans were made.

    A product without a price, stock or elasticity gets none.
    """
    from ecom_assets.pricing.markdown import Clearance, is_automated, ladder_takings, plan_clearance

    values = {"price_list_id": price_list_id, "skus": skus, "at": at}
    rows: list[dict[str, Any]] = []
    for found in conn.execute(_TASKS, values):
        task = Clearance(found.stock, weeks, found.regular_minor, found.weekly_units,
                         found.elasticity, found.width / (2 * 1.96))  # fmt: skip
        policy = plan_clearance(task)
        automated, reasons = is_automated(task, found.is_caused)
        rows.append({
            "price_list_id": price_list_id, "sku": found.sku, "planned_as_of": at, "weeks": weeks,
            "stock": found.stock, "weekly_units": found.weekly_units,
            "elasticity": found.elasticity, "interval_width": found.width,
            "prices": policy.path(task), "expected_minor": round(policy.expected_minor),
            "ladder_minor": round(ladder_takings(task)), "is_automated": automated,
            "reasons": list(reasons), "run_id": run,
        })  # fmt: skip
    if rows:
        conn.execute(sa.insert(MARKDOWN_PLANS), rows)
    return len(rows)
