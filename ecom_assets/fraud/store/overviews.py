"""What the assets show of scores and models."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ecom_assets.fraud.tables import MODELS, ORDER_SCORES

_EDGES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.9)
"""Upper edges of the histogram's bars: most orders are far below one percent."""

_SHOWN = (
    "held_out_rows", "held_out_frauds", "roc_auc", "roc_auc_rules", "roc_auc_without_account_age",
    "average_precision", "brier", "precision_at_1_percent",
)  # fmt: skip


def histogram(conn: sa.Connection) -> dict[str, int]:
    """Orders per range of probability, lowest first; each range is named by its upper edge."""
    edges = sa.cast(sa.literal(list(_EDGES), sa.ARRAY(sa.Double)), sa.ARRAY(sa.Double))
    bar = sa.func.width_bucket(ORDER_SCORES.c.probability, edges).label("bar")
    # Empty ranges are shown too, or bars of two runs could not be compared.
    found = dict(conn.execute(sa.select(bar, sa.func.count()).group_by(bar)).tuples().all())
    names = [f"< {edge:.1%}" for edge in _EDGES] + [f"≥ {_EDGES[-1]:.0%}"]
    return {name: found.get(number, 0) for number, name in enumerate(names)}


def model_figures() -> sa.Select[Any]:
    """The models, newest first, with what was measured on their held-out orders."""
    columns = (MODELS.c.model_version, MODELS.c.rows_used, MODELS.c.positives)
    figures = (MODELS.c.metrics[name].as_string().label(name) for name in _SHOWN)
    return sa.select(*columns, *figures).order_by(MODELS.c.trained_as_of.desc())
