"""Scores of a past range by another model, from the features as they were stored then."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ecom_assets.fraud.rules import FraudPolicy
from ecom_assets.fraud.store.frames import figures_of
from ecom_assets.fraud.tables import MODELS, ORDER_SCORES
from ecom_assets.shared.replays import CHUNK, RANGE

if TYPE_CHECKING:
    import pandas as pd

    from ecom_assets.fraud.scoring import Scores

_SAVE = sa.text("""
    INSERT INTO replay_scores (order_id, probability)
    SELECT * FROM unnest(CAST(:order_ids AS bigint[]), CAST(:probabilities AS double precision[]))
""")


def model_versions(conn: sa.Connection) -> list[str]:
    """The models that were trained, oldest first."""
    return list(conn.scalars(sa.select(MODELS.c.model_version).order_by(MODELS.c.trained_as_of)))


def score_anew(
    conn: sa.Connection, version: str, progress: Callable[[str], object], chunk: int = CHUNK
) -> None:
    """Score the orders of `replay_range` with a model of the registry, into `replay_scores`.

    Args:
        conn: the replay's transaction; nothing live is written.
        version: of the model, one of `model_versions`.
        progress: told after each chunk.
        chunk: orders at once.
    """
    from ecom_assets.fraud import scoring

    model = sa.select(MODELS.c.coefficients).where(MODELS.c.model_version == version)
    coefficients = conn.execute(model).scalar_one()
    score = partial(scoring.score_by_model, coefficients=coefficients)
    _score_anew(conn, score, sa.true(), progress, chunk)


def score_by_rules_anew(
    conn: sa.Connection,
    policy: FraudPolicy,
    progress: Callable[[str], object],
    chunk: int = CHUNK,
) -> None:
    """Score those orders of `replay_range` that rules scored by other rules.

    Args:
        conn: the replay's transaction; nothing live is written.
        policy: the rules.
        progress: told after each chunk.
        chunk: orders at once.
    """
    from ecom_assets.fraud import scoring

    score = partial(scoring.score_by_rules, policy=policy)
    _score_anew(conn, score, ORDER_SCORES.c.method == "rules", progress, chunk)


def _score_anew(
    conn: sa.Connection,
    score: Callable[[pd.DataFrame], Scores],
    chosen: sa.ColumnElement[bool],
    progress: Callable[[str], object],
    chunk: int,
) -> None:
    after, count = 0, 0
    while True:
        orders = (
            sa.select(ORDER_SCORES.c.order_id, ORDER_SCORES.c.features)
            .join(RANGE, RANGE.c.order_id == ORDER_SCORES.c.order_id)
            .where(ORDER_SCORES.c.order_id > after, chosen)
            .order_by(ORDER_SCORES.c.order_id)
            .limit(chunk)
        )
        figures = figures_of(conn, orders.subquery())
        if figures.empty:
            return
        probability = score(figures).probability
        order_ids = figures["order_id"].tolist()
        conn.execute(_SAVE, {"order_ids": order_ids, "probabilities": probability.tolist()})
        after, count = max(order_ids), count + len(order_ids)
        progress(f"scores: {count:,} orders")
