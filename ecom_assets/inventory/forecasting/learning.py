"""The global model: one model for all series, trained on every week of all of them.

It forecasts in units of each series' own level (`features`), so that it learns shapes and not
sizes. Three gradient-boosted models of scikit-learn: the mean under a Poisson loss, the typical
path of the weeks ahead, and the size of the error to expect, which scales the intervals.

The typical path is what the measured error asks for. RMSSE is the root of a path's squared errors,
and the mean of roots is least at the spatial median of the paths that may come, not at their mean.
It is found by Weiszfeld's rule (1937): fit again, each path weighing as the inverse of its distance
from the fit before. What all forecasts come to together is not the model's to say (`levelling`).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecom_assets.inventory.forecasting import features, levelling
from ecom_assets.inventory.forecasting.panel import Floats, Ints, Panel

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
LEAST_DISTANCE = 0.05
"""Added to a path's distance from the fit, in levels: none that was met exactly weighs all."""
LEAST_SHARE = 0.5
"""Share of the demand that typical paths come to at least."""
DOUBT = 0.95
"""What typical paths are lowered by further: of weeks to come the model knows less than of those it
was fitted to, and the less is known of a lopsided demand, the further its median lies below its
mean. 0.90 and 0.95 did alike over thirteen origins, 1 by 0.3 % worse."""

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
        typical: the spatial median of the weeks ahead.
        error: the absolute error to expect.
        share: what typical paths came to, as a share of the demand, by value.
        origin: week whose earlier weeks were learnt from.
        rows: rows learnt from.
    """

    poisson: Any
    typical: Any
    error: Any
    share: float
    origin: int
    rows: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the global model says at an origin, in units, (series, horizon) each.

    Attributes:
        poisson: expected units by the Poisson model.
        typical: units of the typical path, fewer than expected where demand is lumpy.
        error: absolute error to expect of a mean forecast.
    """

    poisson: Floats
    typical: Floats
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
        poisson = _fitted(rows.columns, np.minimum(rows.target, MOST_TARGET))
        miss = rows.target - poisson.predict(rows.columns)
        typical = _fitted(rows.columns, rows.target, 1 / (_distance(miss, rows) + LEAST_DISTANCE))
        error = _fitted(rows.columns, np.minimum(np.abs(miss), MOST_ERROR) + 1e-3)
        found = rows.value @ typical.predict(rows.columns)
    share = float(np.clip(found / max(rows.value @ rows.target, 1e-9), LEAST_SHARE, 1.0))
    return Trained(poisson, typical, error, share, panel.weeks, len(rows.target))


def _distance(miss: Floats, rows: _Rows) -> Floats:
    """Root mean squared miss of the path that each row belongs to, (rows,)."""
    squares = np.bincount(rows.path, miss**2)
    distance: Floats = np.sqrt(squares / np.maximum(np.bincount(rows.path), 1))[rows.path]
    return distance


def _one_thread() -> AbstractContextManager[Any]:
    """One core: threads that wait for each other beside other work cost many times more."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1, user_api="openmp")
    return limits


def _fitted(columns: Floats, target: Floats, weight: Floats | None = None) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(loss="poisson", **SETTINGS)
    return model.fit(columns, target, sample_weight=weight)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows to train on.

    Attributes:
        columns: features.
        target: units in the series' levels.
        path: number, from 0, that rows of one series at one origin share.
        value: revenue of a week at the series' level.
    """

    columns: Floats
    target: Floats
    path: Ints
    value: Floats


def _rows(panel: Panel) -> _Rows:
    newest = panel.weeks - 1
    origins = list(range(max(LEAST_WEEKS, newest - MOST_ORIGINS + 1), newest + 1))
    if not origins or panel.series * len(origins) < LEAST_ROWS:
        raise TooLittleHistory(f"{panel.series} series over {panel.weeks} weeks")
    told, price = features.tell(panel, origins), levelling.prices(panel)
    parts = [
        _rows_of(panel, origin, told[origin], ahead, price)
        for origin in origins
        for ahead in range(min(HORIZON, panel.weeks - origin))
    ]
    columns, target, path, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    if len(target) > MOST_ROWS:
        # Whole paths, drawn with a fixed seed: a forecast made again must come out the same.
        drawn = np.random.default_rng(11).random(panel.series * panel.weeks)
        kept = drawn[path] < MOST_ROWS / len(target)
        columns, target, path, value = (part[kept] for part in (columns, target, path, value))
    return _Rows(columns, target, path, value)


def _rows_of(
    panel: Panel, origin: int, told: features.Told, ahead: int, price: Floats
) -> tuple[Floats, Floats, Ints, Floats]:
    lived = panel.first < origin
    target = panel.sold[:, origin + ahead] / told.scale
    path = np.arange(panel.series) + panel.series * origin
    columns, value = _with_ahead(told.columns, ahead), price * told.scale
    return columns[lived], target[lived], path[lived], value[lived]


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
    poisson, typical, error = np.empty(shape), np.empty(shape), np.empty(shape)
    columns = [_with_ahead(told.columns, ahead) for ahead in range(min(horizon, HORIZON))]
    pairs = ((trained.poisson, poisson), (trained.typical, typical), (trained.error, error))
    with _one_thread():
        for model, into in pairs:
            for ahead, figures in enumerate(columns):
                into[:, ahead] = np.maximum(model.predict(figures), 0) * told.scale
    for into in (poisson, typical, error):
        into[:, HORIZON:] = into[:, [min(horizon, HORIZON) - 1]]
    level = levelling.factor(panel, poisson)
    below = DOUBT * trained.share * levelling.factor(panel, typical)
    return Forecast(poisson * level, typical * below, error * level)
