"""The blend: a weighted mean of methods, weighed by how they did on the last weeks.

Weights are not negative and sum to one; they are those of least squares on scaled errors of
forecasts that were made before their truth was known (Wolpert, "Stacked generalization", 1992; with
the sign constraint of Breiman, "Stacked regressions", 1996), drawn halfway to equal weights, which
few methods beat for long (Clemen, "Combining forecasts", 1989).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ecom_assets.inventory.forecasting.history import Said
from ecom_assets.inventory.forecasting.panel import Floats, Panel
from ecom_assets.inventory.forecasting.scores import scale_of

DRAWN = 0.5
"""How far the weights are drawn to equal ones."""
MOST_SCALED = 6.0
"""A truth counts at most this many scales: no single order decides about the weights."""


def weights(
    panel: Panel, past: Sequence[Said], names: Sequence[str], drawn: float = DRAWN
) -> dict[str, float]:
    """Weights of the methods, learnt from past forecasts whose truth a panel knows.

    Args:
        panel: what is known at the origin.
        past: what was said before it.
        names: methods to blend.
        drawn: 0 for the least squares alone, 1 for equal weights.
    """
    from scipy.optimize import nnls

    parts = [part for each in past if (part := _scaled(panel, each, names)) is not None]
    equal = np.full(len(names), 1 / len(names))
    if not parts:
        return dict(zip(names, equal.tolist(), strict=True))
    columns = np.concatenate([part[0] for part in parts])
    truth = np.concatenate([part[1] for part in parts])
    # Solved in the normal equations' small triangle: as exact here, and free of the rows' number.
    gram = columns.T @ columns + 1e-6 * np.eye(len(names)) * len(truth)
    root = np.linalg.cholesky(gram).T
    found, _ = nnls(root, np.linalg.solve(root.T, columns.T @ truth))
    total = found.sum()
    best = found / total if total > 0 else equal
    return dict(zip(names, ((1 - drawn) * best + drawn * equal).tolist(), strict=True))


def _scaled(panel: Panel, each: Said, names: Sequence[str]) -> tuple[Floats, Floats] | None:
    if any(name not in each.means for name in names):
        return None
    ahead = min(panel.weeks - each.origin, next(iter(each.means.values())).shape[1])
    if ahead < 1:
        return None
    known = panel.until(each.origin)
    born = known.first < each.origin
    scale = scale_of(known)[born, None]
    truth = panel.sold[born, each.origin : each.origin + ahead] / scale
    columns = [(each.means[name][born, :ahead] / scale).ravel() for name in names]
    return np.column_stack(columns), np.minimum(truth, MOST_SCALED).ravel()


def blend(means: Mapping[str, Floats], weighed: Mapping[str, float]) -> Floats:
    """The weighted mean of methods."""
    total: Floats = np.sum([weight * means[name] for name, weight in weighed.items()], axis=0)
    return total
