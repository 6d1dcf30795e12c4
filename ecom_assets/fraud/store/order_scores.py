"""`fraud.order_scores`: scores of claimed orders, month by month."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ecom_assets.fraud.rules import HIGH_FROM, KIND, LOW_BELOW, FraudPolicy
from ecom_assets.fraud.store.figures import months, take_figures
from ecom_assets.fraud.store.frames import figures_of
from ecom_assets.fraud.store.models import StoredModel, model_for
from ecom_assets.fraud.store.sightings import record_claimed
from ecom_assets.shared.flow import NEXT, Stage, hand_on
from ecom_assets.shared.journal import DECISION_COLUMNS, record_decisions
from ecom_assets.shared.versions import Version, by_version

if TYPE_CHECKING:
    import pandas as pd

    from ecom_assets.fraud.scoring import Scores

_FIGURES = sa.table("figures", sa.column("order_id"), sa.column("due_at"), sa.column("features"))

# Arrays, one per column, are one parameter each however many orders there are; reasons are joined,
# because an array of arrays would have to be rectangular.
_SAVE = sa.text("""
    WITH scored AS (
        SELECT *
        FROM unnest(CAST(:order_ids AS bigint[]), CAST(:probabilities AS double precision[]),
            CAST(:reasons AS text[])) AS s (order_id, probability, reasons)
    )
    INSERT INTO fraud.order_scores (
        order_id, probability, method, version, features, reasons, scored_as_of, run_id)
    SELECT order_id, probability, :method, :version, features, string_to_array(reasons, ','),
        placed_at, :run_id
    FROM scored
    JOIN figures USING (order_id)
    ORDER BY order_id
""")

# An edited order is scored anew; few orders are.
_FORGET = sa.text("""
    DELETE FROM fraud.order_scores AS s
    USING claimed AS c JOIN orders.changes AS x USING (order_id)
    WHERE s.order_id = c.order_id AND x.state = 'applied'
""")

_DECISIONS = sa.text("""
    SELECT order_id, '' AS subject, features AS inputs, version,
        CASE WHEN probability >= :high_from THEN 'high' WHEN probability < :low_below THEN 'low'
            ELSE 'medium' END AS outcome,
        reasons, due_at AS decided_as_of
    FROM claimed
    JOIN fraud.order_scores USING (order_id)
    ORDER BY due_at, order_id
""").bindparams(high_from=HIGH_FROM, low_below=LOW_BELOW)

# All go on, however high the score: risk decides, and needs the unpaid and doubtful ones as well.
_PASSED = sa.text("SELECT order_id, due_at FROM claimed").columns(
    sa.column("order_id"), sa.column("due_at")
)

# Held until the transaction ends, and released by the server when a worker dies.
_ALONE = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('fraud.order_scores', 0))")


@contextmanager
def one_at_a_time(
    begin: Callable[[], AbstractContextManager[sa.Connection]],
) -> Iterator[sa.Connection]:
    """A transaction in which no other worker scores.

    A month's model learns from all orders scored before the month; two workers with a chunk each
    would make it depend on who is faster.
    """
    with begin() as conn:
        score_alone(conn)
        yield conn


def score_alone(conn: sa.Connection) -> None:
    """Keep other workers from scoring until the transaction ends."""
    conn.execute(_ALONE)


def score_orders(conn: sa.Connection, run: str) -> Mapping[str, int]:
    """Score the claimed orders month by month and hand them on.

    Args:
        conn: connection with `claimed` filled for `Stage.SCORE`.
        run: Dagster run id.

    Returns:
        Orders scored by a model and by rules.
    """
    return by_version(conn, KIND, FraudPolicy, partial(_score, conn, run))


def _score(conn: sa.Connection, run: str, rules: Version[FraudPolicy]) -> dict[str, int]:
    # Own sightings first: the look-back of an order starts from what it shows itself.
    record_claimed(conn)
    conn.execute(_FORGET)
    take_figures(conn)
    counts = {"by_model": 0, "by_rules": 0}
    # Months in order: the model of a later one may learn from orders of this very chunk.
    for month in months(conn):
        model = model_for(conn, month, run)
        counts["by_model" if model else "by_rules"] += _score_month(
            conn, month, model or rules, run
        )
    record_decisions(
        conn,
        "fraud_score",
        _DECISIONS.columns(*(sa.column(name) for name in DECISION_COLUMNS)),
        run,
    )
    hand_on(conn, NEXT[Stage.SCORE], _PASSED)
    return counts


def _score_month(
    conn: sa.Connection, month: datetime, by: StoredModel | Version[FraudPolicy], run: str
) -> int:
    from ecom_assets.fraud import scoring

    is_due = sa.func.date_trunc("month", _FIGURES.c.due_at, "UTC") == month
    orders = sa.select(_FIGURES.c.order_id, _FIGURES.c.features).where(is_due).subquery()
    figures = figures_of(conn, orders)
    if isinstance(by, Version):
        scores = scoring.score_by_rules(figures, by.policy)
        method, version = "rules", by.label
    else:
        scores = scoring.score_by_model(figures, by.coefficients)
        method, version = "model", by.version
    given = {"method": method, "version": version, "run_id": run}
    return conn.execute(_SAVE, given | _columns(figures, scores)).rowcount


def _columns(figures: pd.DataFrame, scores: Scores) -> dict[str, list[object]]:
    return {
        "order_ids": figures["order_id"].tolist(),
        "probabilities": scores.probability.tolist(),
        "reasons": [",".join(filter(None, row)) for row in scores.reasons.tolist()],
    }
