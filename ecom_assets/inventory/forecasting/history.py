"""What every method would have said at past origins, each from the weeks before it alone.

From these come all that is learnt about the methods themselves: their scores, the weights of the
blend and the shape of the intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecom_assets.inventory.forecasting import learning, local
from ecom_assets.inventory.forecasting.panel import Floats, Panel

RETRAIN_WEEKS = 4
"""Weeks for which a trained model is used; older ones know too little of what goes on."""

SMOOTHING = 0.1
"""Weight of the newest week where a series' own errors are measured."""
LEAST_MISSED = 0.3
"""Units that a series is taken to miss by at least: one that never sold may sell one."""

GLOBAL = ("global_typical", "global_poisson")


@dataclass(frozen=True, slots=True)
class Said:
    """What was said at one origin.

    Attributes:
        origin: week whose earlier weeks were known.
        means: expected units by method, (series, horizon) each.
        error: absolute error to expect, (series, horizon).
    """

    origin: int
    means: Mapping[str, Floats]
    error: Floats


def said(
    panel: Panel, origins: Sequence[int], horizon: int, methods: Sequence[str]
) -> dict[int, Said]:
    """Let every method forecast at every origin.

    Args:
        panel: demand with stock-outs filled in; weeks from an origin on are not read for it.
        origins: weeks, counted from 0; the last may be the number of weeks.
        horizon: weeks ahead.
        methods: names out of `local.METHODS` and `GLOBAL`.
    """
    found: dict[int, Said] = {}
    trained: learning.Trained | None = None
    newest = max(origins, default=0)
    for origin in sorted(origins):
        known = panel.until(origin)
        means = {
            name: local.METHODS[name](known, horizon) for name in methods if name in local.METHODS
        }
        error = np.repeat(_missed(known)[:, None], horizon, axis=1)
        if set(methods) & set(GLOBAL):
            # Counted back from the newest origin, whose own forecast a fresh model makes.
            if trained is None or (newest - origin) % RETRAIN_WEEKS == 0:
                trained = _trained(known)
            if trained:
                spoken = learning.forecast(trained, known, horizon)
                means |= {"global_typical": spoken.typical, "global_poisson": spoken.poisson}
                # What the model expects, and what the series did: each knows what the other misses.
                error = np.sqrt(np.maximum(spoken.error, 1e-3) * error)
        found[origin] = Said(origin, means, error)
    return found


def _missed(known: Panel) -> Floats:
    """Root mean squared error of smoothing each series by itself, (series,)."""
    _, errors = local.smoothed(known.sold, known.lived(), SMOOTHING)
    missed: Floats = np.sqrt(errors / np.maximum(known.lived().sum(axis=1) - 1, 1)) + LEAST_MISSED
    return missed


def _trained(known: Panel) -> learning.Trained | None:
    """Models of an origin, None where there is too little to train on."""
    try:
        return learning.train(known)
    except learning.TooLittleHistory:
        return None
