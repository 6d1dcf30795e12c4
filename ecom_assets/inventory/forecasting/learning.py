"""The global model: one model for all series, trained on every week of all of them.

It forecasts in units of each series' own level (`features`), so that it learns shapes and not
sizes. Three gradient-boosted models of scikit-learn: the mean under a Poisson loss, the mean under
a squared loss whose rows weigh what they weigh in the scaled error that is measured, and the size
of the error to expect, which scales the intervals.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecom_assets.inventory.forecasting import features
from ecom_assets.inventory.forecasting.panel import Floats, Panel
from ecom_assets.inventory.forecasting.scores import scale_of

HORIZON = 4
"""Weeks ahead that the model is trained for; later weeks are forecast like the last of them."""
MOST_ORIGINS = 26
"""Newest origins that the model is trained on."""
MOST_ROWS = 60_000
"""Training rows beyond which a sample is drawn, the same at every run."""
LEAST_WEEKS = 6
"""Weeks of history before the first origin that is trained on."""
LEAST_ROWS = 200
MOST_TARGET = 4.0
"""A week counts at most this many times the level: one bulk order must not teach the mean."""
MOST_ERROR = 40.0
"""The same for the error to expect, which is to tell who gets bulk orders."""

SETTINGS: dict[str, Any] = {
    "learning_rate": 0.05,
    "max_iter": 120,
    "max_leaf_nodes": 16,
    "min_samples_leaf": 60,
    "l2_regularization": 5.0,
    "max_features": 0.5,
    "random_state": 7,
    "early_stopping": False,
}
"""Settings of all three models: small leaves forbidden, since demand is mostly noise."""


class TooLittleHistory(Exception):
    """There are not enough weeks or series to train on."""


@dataclass(frozen=True, slots=True)
class Trained:
    """Trained models, ready to forecast.

    Attributes:
        poisson: the mean under a Poisson loss.
        squared: the mean under a weighted squared loss.
        error: the absolute error to expect.
        origin: week whose earlier weeks were learnt from.
        rows: rows learnt from.
    """

    poisson: Any
    squared: Any
    error: Any
    origin: int
    rows: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the global model says at an origin, in units, (series, horizon) each.

    Attributes:
        poisson: expected units by the Poisson model.
        squared: expected units by the squared-loss model.
        error: absolute error to expect of a mean forecast.
    """

    poisson: Floats
    squared: Floats
    error: Floats


def train(panel: Panel) -> Trained:
    """Train on all weeks of a panel.

    Args:
        panel: what was known at the origin, stock-outs filled in.

    Raises:
        TooLittleHistory: there are too few weeks or series.
    """
    rows = _rows(panel)
    with _one_thread():
        target = np.minimum(rows.target, MOST_TARGET)
        poisson = _fitted("poisson", rows.columns, target)
        squared = _fitted("squared_error", rows.columns, target, rows.weight)
        mean = (poisson.predict(rows.columns) + squared.predict(rows.columns)) / 2
        missed = np.abs(np.minimum(rows.target, MOST_ERROR) - mean) + 1e-3
        error = _fitted("poisson", rows.columns, missed)
    return Trained(poisson, squared, error, panel.weeks, len(rows.target))


def _one_thread() -> AbstractContextManager[Any]:
    """One core: threads that wait for each other beside other work cost many times more."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1, user_api="openmp")
    return limits


def _fitted(loss: str, columns: Floats, target: Floats, weight: Floats | None = None) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(loss=loss, **SETTINGS)
    return model.fit(columns, target, sample_weight=weight)


@dataclass(frozen=True, slots=True)
class _Rows:
    columns: Floats
    target: Floats
    weight: Floats


def _rows(panel: Panel) -> _Rows:
    newest = panel.weeks - 1
    origins = list(range(max(LEAST_WEEKS, newest - MOST_ORIGINS + 1), newest + 1))
    if not origins or panel.series * len(origins) < LEAST_ROWS:
        raise TooLittleHistory(f"{panel.series} series over {panel.weeks} weeks")
    told = features.tell(panel, origins)
    parts = [
        _rows_of(panel, origin, told[origin], ahead)
        for origin in origins
        for ahead in range(min(HORIZON, panel.weeks - origin))
    ]
    columns, target, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    if len(target) > MOST_ROWS:
        # Drawn with a fixed seed: a forecast made again must come out the same.
        kept = np.random.default_rng(11).choice(len(target), MOST_ROWS, replace=False)
        columns, target, weight = columns[kept], target[kept], weight[kept]
    return _Rows(columns, target, weight)


def _rows_of(
    panel: Panel, origin: int, told: features.Told, ahead: int
) -> tuple[Floats, Floats, Floats]:
    lived = panel.first < origin
    target = panel.sold[:, origin + ahead] / told.scale
    # In the measured error a miss counts in units of the series' week-to-week change.
    weight = np.clip((told.scale / scale_of(panel.until(origin))) ** 2, 0.02, 5.0)
    return _with_ahead(told.columns, ahead)[lived], target[lived], weight[lived]


def _with_ahead(columns: Floats, ahead: int) -> Floats:
    return np.column_stack([columns, np.full(len(columns), ahead, dtype=np.float64)])


def forecast(trained: Trained, panel: Panel, horizon: int) -> Forecast:
    """Forecast from the end of a panel, which may be later than the one trained on.

    Args:
        trained: models trained on the same features, at this origin or before.
        panel: what is known at the origin, stock-outs filled in.
        horizon: weeks ahead.
    """
    told = features.tell(panel, [panel.weeks])[panel.weeks]
    shape = (panel.series, horizon)
    poisson, squared, error = np.empty(shape), np.empty(shape), np.empty(shape)
    columns = [_with_ahead(told.columns, ahead) for ahead in range(min(horizon, HORIZON))]
    pairs = ((trained.poisson, poisson), (trained.squared, squared), (trained.error, error))
    with _one_thread():
        for model, into in pairs:
            for ahead, figures in enumerate(columns):
                into[:, ahead] = np.maximum(model.predict(figures), 0) * told.scale
    for into in (poisson, squared, error):
        into[:, HORIZON:] = into[:, [min(horizon, HORIZON) - 1]]
    return Forecast(poisson, squared, error)
