"""`inventory.policy_simulations`: policies played through on the history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ecom_assets.inventory.tables import POLICY_SIMULATIONS

if TYPE_CHECKING:
    from ecom_assets.inventory.forecasting.panel import Floats
    from ecom_assets.inventory.forecasting.trials import Point

_S = POLICY_SIMULATIONS.c

_COSTS = sa.text("""
    SELECT p.unit_cost_minor, p.list_price_minor
    FROM unnest(CAST(:skus AS text[])) WITH ORDINALITY AS g (sku, place)
    LEFT JOIN catalog.products AS p USING (sku)
    ORDER BY g.place
""")


def costs_of(conn: sa.Connection, skus: list[str], price: Floats) -> Floats:
    """Cost of a unit of each SKU in minor units; its price where no cost is known.

    Args:
        conn: connection to read with.
        skus: one per series.
        price: what a unit brought, minor units, (series,).
    """
    import numpy as np

    rows = conn.execute(_COSTS, {"skus": skus}).all()
    return np.array(
        [
            float(row.unit_cost_minor if row.unit_cost_minor is not None else paid)
            for row, paid in zip(rows, price, strict=True)
        ]
    )


def save_simulation(
    conn: sa.Connection, origin: date, points: Sequence[Point], told: dict[str, int], run: str
) -> int:
    """Put the trial that ended at a Monday in the place of an earlier one of it.

    Args:
        conn: connection inside the caller's transaction.
        origin: Monday after the last week played.
        points: what policies did.
        told: `series`, `weeks` and `lead_weeks`.
        run: Dagster run id.
    """
    conn.execute(sa.delete(POLICY_SIMULATIONS).where(_S.origin_date == origin))
    rows = [
        {
            "origin_date": origin,
            "policy": each.policy,
            "service_level": each.service_level,
            "fill_rate": each.played.fill_rate,
            "value_fill_rate": each.played.value_fill_rate,
            "stock_units": each.played.stock_units,
            "stock_value": each.played.stock_value,
            "run_id": run,
            **told,
        }
        for each in points
    ]
    if rows:
        conn.execute(sa.insert(POLICY_SIMULATIONS), rows)
    return len(rows)
