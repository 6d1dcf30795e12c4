"""Segments: which series are alike enough that one method suits them.

The four classes are those of Syntetos, Boylan and Croston, "On the categorization of demand
patterns", Journal of the Operational Research Society 56 (2005): the mean interval between weeks
with demand (cut at 1.32) and the squared coefficient of variation of the demand's size (cut at
0.49). Series with too little history are apart, and those that make most of the revenue too: an
error costs more there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecom_assets.inventory.forecasting.panel import Floats, Panel

INTERVAL_CUT = 1.32
VARIATION_CUT = 0.49
YOUNG_WEEKS = 8
"""Weeks of life below which a series is new."""
CORE_SHARE = 0.8
"""Share of the revenue that the core series make, largest first."""

Words = npt.NDArray[np.str_]

CLASSES = ("smooth", "erratic", "intermittent", "lumpy", "new")


def intervals(panel: Panel) -> Floats:
    """Mean weeks from one week with demand to the next, infinite where there was none."""
    lived = panel.lived()
    with_demand = ((panel.sold > 0) & lived).sum(axis=1)
    weeks = lived.sum(axis=1)
    mean: Floats = np.where(with_demand > 0, weeks / np.maximum(with_demand, 1), np.inf)
    return mean


def variations(panel: Panel) -> Floats:
    """Squared coefficient of variation of the demand of weeks that had any, 0 where none had."""
    had = (panel.sold > 0) & panel.lived()
    count = np.maximum(had.sum(axis=1), 1)
    mean = np.where(had, panel.sold, 0).sum(axis=1) / count
    spread = np.where(had, (panel.sold - mean[:, None]) ** 2, 0).sum(axis=1) / count
    squared: Floats = np.where(mean > 0, spread / np.maximum(mean, 1e-12) ** 2, 0.0)
    return squared


def classes(panel: Panel) -> Words:
    """The class of each series, one of `CLASSES`."""
    often = intervals(panel) < INTERVAL_CUT
    steady = variations(panel) < VARIATION_CUT
    young = panel.weeks - panel.first < YOUNG_WEEKS
    return np.select(
        [young, often & steady, often, steady],
        ["new", "smooth", "erratic", "intermittent"],
        "lumpy",
    )


def is_core(panel: Panel) -> npt.NDArray[np.bool_]:
    """Whether a series is one of the few that make most of the revenue."""
    revenue = panel.revenue.sum(axis=1)
    order = np.argsort(-revenue, kind="stable")
    before = np.cumsum(revenue[order]) - revenue[order]
    core = np.zeros(panel.series, dtype=np.bool_)
    core[order] = before < CORE_SHARE * revenue.sum()
    return core


def segments(panel: Panel) -> Words:
    """The segment of each series: its class, and `core` or `tail`, such as `lumpy/tail`."""
    place = np.where(is_core(panel), "/core", "/tail")
    return np.char.add(classes(panel), place)
