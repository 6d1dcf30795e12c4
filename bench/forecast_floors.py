"""What the field offers: methods of statsforecast, and a plain boosted model over lags."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from ecom_assets.inventory.forecasting import local
from ecom_assets.inventory.forecasting.panel import Floats, Panel

LEAST_WEEKS = 6
LAGS = 8
MEANS = (4, 8, 13)
TRAINED_ORIGINS = 20


def by_library(panel: Panel, horizon: int, name: str, **options: Any) -> Floats:
    """One of statsforecast's models, series by series, each from its first demand on."""
    from statsforecast import models

    model, found = getattr(models, name)(**options), np.zeros((panel.series, horizon))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in range(panel.series):
            series = panel.sold[row, panel.first[row] :]
            # Some of its methods refuse short series; those repeat their mean for all alike.
            found[row] = series.mean() if len(series) else 0.0
            if len(series) >= LEAST_WEEKS and series.any():
                with suppress(NotImplementedError):
                    found[row] = model.forecast(y=series, h=horizon)["mean"]
    return np.nan_to_num(np.maximum(found, 0))


def plain_boosting(panel: Panel, horizon: int) -> Floats:
    """Gradient boosting under a Poisson loss over lags and means in units, as one would begin."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    origins = range(max(13, panel.weeks - TRAINED_ORIGINS), panel.weeks)
    columns, target = [], []
    for origin in origins:
        for ahead in range(min(horizon, panel.weeks - origin)):
            columns.append(_lagged(panel.until(origin), ahead))
            target.append(panel.sold[:, origin + ahead])
    model = HistGradientBoostingRegressor(
        loss="poisson", learning_rate=0.05, max_iter=300, min_samples_leaf=50, random_state=0
    )
    model.fit(np.concatenate(columns), np.concatenate(target))
    return np.column_stack([model.predict(_lagged(panel, ahead)) for ahead in range(horizon)])


def _lagged(panel: Panel, ahead: int) -> Floats:
    sold = panel.sold
    return np.column_stack(
        [
            sold[:, -LAGS:],
            *(sold[:, -weeks:].mean(axis=1) for weeks in MEANS),
            sold.mean(axis=1),
            sold[:, -13:].std(axis=1),
            (sold[:, -13:] > 0).mean(axis=1),
            panel.orders[:, -4:].mean(axis=1),
            panel.weeks - panel.first,
            np.full(panel.series, ahead),
        ]
    )


Floor = Callable[[Panel, int], Floats]

FLOORS: Mapping[str, Floor] = {
    "seasonal_naive (lib)": partial(by_library, name="SeasonalNaive", season_length=local.SEASON),
    "ses .1 (lib)": partial(by_library, name="SimpleExponentialSmoothing", alpha=0.1),
    "ses best (lib)": partial(by_library, name="SimpleExponentialSmoothingOptimized"),
    "croston_sba (lib)": partial(by_library, name="CrostonSBA"),
    "tsb (lib)": partial(by_library, name="TSB", alpha_d=0.2, alpha_p=0.2),
    "imapa (lib)": partial(by_library, name="IMAPA"),
    "auto_ets": partial(by_library, name="AutoETS", season_length=1),
    "plain_boosting": plain_boosting,
}
"""The floors by name."""
