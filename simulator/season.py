"""When orders are placed: growth, season of the year, day of the week and hour of the day.

Order n of N is placed where the cumulated intensity reaches (n + u) / N with u in [0, 1): orders
come in the order of time, whatever block they are made in, and the shape is the intensity's.
"""

from __future__ import annotations

import numpy as np

from simulator.draws import Draws, Floats, Ints
from simulator.spec import ShopSpec

_WEEKDAYS = np.array([1.14, 1.05, 1.00, 0.98, 0.93, 0.84, 1.06])
"""Monday to Sunday: shops on the web sell least on Saturdays."""

_HOURS = np.array([
    0.45, 0.27, 0.17, 0.12, 0.12, 0.18, 0.36, 0.62, 0.90, 1.14, 1.28, 1.30,
    1.28, 1.24, 1.22, 1.20, 1.20, 1.24, 1.36, 1.56, 1.72, 1.62, 1.28, 0.82,
])  # fmt: skip

_GROWTH = 0.25
"""Growth over a year."""

_PEAKS = ((332, 4.0, 1.3), (346, 10.0, 0.75), (196, 25.0, -0.18))
"""Day of the year, width in days, height: the sales at the end of November, Christmas, summer."""

SALE_DAYS = (329, 335)
"""Days of the year from and to which prices are cut."""


def day_of_year(second: Ints) -> Ints:
    """Days since the first of January of the same year, from 1, as an array of the same shape."""
    days = second.astype("datetime64[s]").astype("datetime64[D]")
    new_year = days.astype("datetime64[Y]").astype("datetime64[D]")
    passed: Ints = (days - new_year).astype(np.int64)
    return passed + 1


def _intensity(spec: ShopSpec, draws: Draws) -> Floats:
    """Relative demand of each hour of the span."""
    day = np.arange(spec.days)
    of_year = day_of_year(spec.start_s + day * 86_400)
    yearly = np.ones(spec.days)
    for peak, width, height in _PEAKS:
        yearly += height * np.exp(-0.5 * ((of_year - peak) / width) ** 2)
    trend = 1.0 + _GROWTH * day / 365.0
    luck = draws.around("season/luck", day, 1.0, 0.06)
    daily = yearly * trend * luck * _WEEKDAYS[day % 7]
    return np.outer(daily, _HOURS).ravel()


class Season:
    """The moments of the orders of a shop."""

    def __init__(self, spec: ShopSpec, draws: Draws) -> None:
        self._spec, self._draws = spec, draws
        edges = np.concatenate([[0.0], np.cumsum(_intensity(spec, draws))])
        self._edges = edges / edges[-1]

    def placed(self, order: Ints) -> Ints:
        """Seconds since 1970 at which the orders with these numbers are placed."""
        share = (order + self._draws.uniform("season/jitter", order)) / self._spec.orders
        hour = np.searchsorted(self._edges, share, side="right") - 1
        # A share of exactly one would lie behind the last hour.
        hour = np.clip(hour, 0, len(self._edges) - 2)
        within = (share - self._edges[hour]) / (self._edges[hour + 1] - self._edges[hour])
        second: Ints = np.minimum((within * 3600.0).astype(np.int64), 3599)
        return second + (self._spec.start_s + hour * 3600)
