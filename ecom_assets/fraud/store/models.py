"""`fraud.models`: one model per calendar month, trained on what was known when the month began."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ecom_assets.fraud.store.frames import figures_of
from ecom_assets.fraud.tables import LABELS, MODELS, ORDER_SCORES
from ecom_assets.orders.tables import ORDERS

if TYPE_CHECKING:
    from ecom_assets.fraud.training import Trained

MATURITY = timedelta(days=90)
"""Age from which an order is trained on. Frauds become known within weeks, harmlessness only with
time: of younger orders mostly the frauds are labelled, and a model would learn that all are."""

MOST_ROWS = 30_000
"""Newest labelled orders a model is trained on."""


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model to score with."""

    version: str
    coefficients: dict[str, Any]


def model_for(conn: sa.Connection, month: datetime, run: str) -> StoredModel | None:
    """The model of a month, trained now where the month has none yet.

    Args:
        conn: connection inside the step's transaction.
        month: first moment of the month; labels known before it are used.
        run: Dagster run id.

    Returns:
        The model, or None where too few labels were known when the month began.
    """
    # A stored model is never trained again: labels that come late would change scores on a re-run.
    return _find(conn, month) or _train(conn, month, run)


def _find(conn: sa.Connection, month: datetime) -> StoredModel | None:
    statement = sa.select(MODELS.c.model_version, MODELS.c.coefficients)
    found = conn.execute(statement.where(MODELS.c.trained_as_of == month)).first()
    return StoredModel(found[0], found[1]) if found else None


def _train(conn: sa.Connection, month: datetime, run: str) -> StoredModel | None:
    labelled = _labelled(month)
    if not _is_enough(conn, labelled):
        return None
    # Imported late: most chunks train nothing and need not wait for scikit-learn.
    from ecom_assets.fraud import training

    figures = figures_of(conn, labelled.subquery())
    # The newest rows were chosen, but the held-out part must be the last in time.
    oldest_first = figures.sort_values(["decided_as_of", "order_id"], ignore_index=True)
    return _save(conn, month, training.train(oldest_first), run)


def _labelled(month: datetime) -> sa.Select[Any]:
    """The newest mature orders whose label was known before the month began."""
    return (
        sa.select(
            ORDERS.c.order_id,
            ORDERS.c.decided_as_of,
            (LABELS.c.label == "fraud").label("is_fraud"),
            ORDER_SCORES.c.features,
        )
        .join(ORDERS, sa.tuple_(LABELS.c.channel, LABELS.c.external_id)
              == sa.tuple_(ORDERS.c.channel, ORDERS.c.external_id))
        .join(ORDER_SCORES, ORDER_SCORES.c.order_id == ORDERS.c.order_id)
        .where(LABELS.c.known_at < month, ORDERS.c.decided_as_of < month - MATURITY)
        .order_by(ORDERS.c.decided_as_of.desc(), ORDERS.c.order_id.desc())
        .limit(MOST_ROWS)
    )  # fmt: skip


def _is_enough(conn: sa.Connection, labelled: sa.Select[Any]) -> bool:
    from ecom_assets.fraud.training import is_enough

    given = labelled.subquery()
    frauds = sa.func.count().filter(given.c.is_fraud)
    return is_enough(*conn.execute(sa.select(sa.func.count(), frauds).select_from(given)).one())


def _save(conn: sa.Connection, month: datetime, trained: Trained, run: str) -> StoredModel:
    version = f"logistic/{month:%Y-%m}"
    conn.execute(
        sa.insert(MODELS).values(
            model_version=version,
            trained_as_of=month,
            rows_used=trained.rows_used,
            positives=trained.positives,
            coefficients=trained.coefficients,
            metrics=trained.metrics,
            run_id=run,
        )
    )
    return StoredModel(version, trained.coefficients)
