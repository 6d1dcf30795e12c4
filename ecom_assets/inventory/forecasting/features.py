"""What the global model is told about a series at an origin: figures of the weeks before it.

All are ratios to the series' own level or plain shares and counts, so that one model serves series
that sell one unit a month and a thousand a week. The level is units over weeks of life, the newest
weighing most; it is also the scale in which the model forecasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecom_assets.inventory.forecasting.panel import Floats, Ints, Panel

LEVEL = 0.1
"""Weight of the newest week in the level that scales a series."""
SPEEDS = (0.03, 0.2, 0.4, 0.7)
"""Weights of further levels, slow to fast, told as ratios to the scale."""
WINDOWS = (1, 2, 4, 8, 13)
"""Lengths in weeks of plain means, told likewise."""
KIN_WINDOWS = (2, 4, 13)
MEDIAN_WINDOW = 9
LEAST_SCALE = 1e-3
"""Units per week that the scale is at least."""
SMALL = 0.05
"""Added to both sides of a ratio before its logarithm, in units of the scale."""
PRIOR_KIN = 4.0
"""Weeks' worth of average growth that is mixed into what kin show, for few of them."""

YEAR = 52
LEAST_YEAR = YEAR + 8
"""Weeks of history from which last year's same season is told."""

NAMES = (
    "log_level",
    *(f"level_{int(speed * 100)}" for speed in SPEEDS),
    *(f"mean_{weeks}" for weeks in WINDOWS),
    "median", "highest", "variation", "share_of_weeks", "share_lately", "weeks_since_demand",
    "age", "orders", "orders_lately", "units_per_order", "price", "kin_2", "kin_4", "kin_least",
    "ahead",
)  # fmt: skip
SEASON_NAMES = ("season", "season_around")


@dataclass(frozen=True, slots=True)
class Told:
    """Features of all series at one origin.

    Attributes:
        columns: (series, features) without `ahead`, which differs per week ahead.
        scale: units per week that forecasts and targets are told in, (series,).
    """

    columns: Floats
    scale: Floats


def names(panel: Panel) -> tuple[str, ...]:
    """Names of the features that a panel of its length has, `ahead` last."""
    return (*NAMES[:-1], *(SEASON_NAMES if panel.weeks >= LEAST_YEAR else ()), NAMES[-1])


def tell(panel: Panel, origins: list[int]) -> dict[int, Told]:
    """The features at several origins, in one pass over the weeks.

    Args:
        panel: demand with stock-outs filled in (`Panel.with_demand`).
        origins: weeks counted from 0; week `origin` and later ones are not read.
    """
    with_season = panel.weeks >= LEAST_YEAR
    wanted, told = set(origins), {}
    levels = _Levels(panel)
    for week in range(max(origins) + 1):
        if week in wanted:
            told[week] = _at(panel.until(week), levels, with_season)
        if week < panel.weeks:
            levels.take(week)
    return told


class _Levels:
    """Sums over weeks that forget, carried from week to week."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.lived = panel, panel.lived()
        speeds = (LEVEL, *SPEEDS)
        self.keep = 1 - np.array(speeds)[:, None]
        shape = (len(speeds), panel.series)
        self.units, self.orders, self.weeks = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.squares, self.had, self.revenue = np.zeros(shape), np.zeros(shape), np.zeros(shape)

    def take(self, week: int) -> None:
        """Add a week."""
        sold = self.panel.sold[:, week]
        for kept, new in (
            (self.units, sold),
            (self.orders, self.panel.orders[:, week]),
            (self.weeks, self.lived[:, week]),
            (self.squares, sold**2),
            (self.had, sold > 0),
            (self.revenue, self.panel.revenue[:, week]),
        ):
            kept *= self.keep
            kept += new

    def mean(self, kept: Floats) -> Floats:
        """Per week of life, (speeds, series)."""
        per_week: Floats = kept / np.maximum(self.weeks, 1e-9)
        return per_week


def _at(panel: Panel, levels: _Levels, with_season: bool) -> Told:
    means = levels.mean(levels.units)
    scale = np.maximum(means[0], LEAST_SCALE)
    had, orders = levels.mean(levels.had), levels.mean(levels.orders)
    spread = np.maximum(levels.mean(levels.squares)[0] - scale**2, 0)
    age = panel.weeks - panel.first
    columns = [
        np.log(scale),
        *(_ratio(mean, scale) for mean in means[1:]),
        *_windows(panel, scale),
        np.sqrt(spread) / scale,
        had[0],
        had[3],
        np.minimum(_weeks_since_demand(panel), age),
        age,
        np.log(orders[0] + SMALL),
        _ratio(orders[3], orders[0]),
        np.log((scale + SMALL) / (orders[0] + SMALL)),
        _price(levels),
        *_kin(panel, scale),
        *(_season(panel, scale) if with_season else ()),
    ]
    return Told(np.column_stack(columns).astype(np.float64), scale)


def _ratio(value: Floats, scale: Floats) -> Floats:
    logged: Floats = np.log((value / np.maximum(scale, LEAST_SCALE) + SMALL) / (1 + SMALL))
    return logged


def _windows(panel: Panel, scale: Floats) -> list[Floats]:
    told = [_ratio(_mean_of_last(panel, weeks), scale) for weeks in WINDOWS]
    if not panel.weeks:
        return [*told, np.zeros(panel.series), np.zeros(panel.series)]
    told.append(_ratio(np.median(panel.sold[:, -MEDIAN_WINDOW:], axis=1), scale))
    told.append(_ratio(panel.sold[:, -26:].max(axis=1), scale))
    return told


def _mean_of_last(panel: Panel, weeks: int) -> Floats:
    lived = np.clip(panel.weeks - panel.first, 1, weeks)
    mean: Floats = panel.sold[:, max(panel.weeks - weeks, 0) :].sum(axis=1) / lived
    return mean


def _weeks_since_demand(panel: Panel) -> Floats:
    backwards = panel.sold[:, ::-1] > 0
    since: Floats = np.where(
        backwards.any(axis=1), np.argmax(backwards, axis=1) if panel.weeks else 0, panel.weeks
    ).astype(np.float64)
    return since


def _price(levels: _Levels) -> Floats:
    """The price of late against the price of always; 0 where it did not move or is not known."""
    units, revenue = levels.units, levels.revenue
    known = (units[3] > 1e-6) & (revenue[3] > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.log((revenue[3] / units[3]) / (revenue[1] / units[1]))
    price: Floats = np.where(known, np.clip(moved, -2, 2), 0.0)
    return price


def _kin(panel: Panel, scale: Floats) -> list[Floats]:
    """Growth among series that share a word of their name, against that of the whole shop."""
    short, middle, long = (
        np.minimum(_mean_of_last(panel, weeks) / scale, 4.0) for weeks in KIN_WINDOWS
    )
    by_group = [_group_means(panel.kin, part) for part in (short, middle, long)]
    growth_2, growth_4 = (np.log((part + 0.2) / (by_group[2] + 0.2)) for part in by_group[:2])
    own = panel.kin >= 0
    count = np.maximum(own.sum(axis=1), 1)
    told = [
        np.where(own, growth[panel.kin], 0).sum(axis=1) / count for growth in (growth_2, growth_4)
    ]
    # The smallest group says most: the word that few share.
    told.append(np.where(own[:, 0], growth_4[panel.kin[:, 0]], 0.0))
    return told


def _group_means(kin: Ints, values: Floats) -> Floats:
    """Mean per group, drawn to the mean of all where a group is small; one more row for -1."""
    groups = int(kin.max(initial=-1)) + 2
    sums, counts = np.zeros(groups), np.zeros(groups)
    flat = np.where(kin >= 0, kin, groups - 1).ravel()
    np.add.at(sums, flat, np.repeat(values, kin.shape[1]))
    np.add.at(counts, flat, 1.0)
    everyone = values.mean() if len(values) else 0.0
    means: Floats = (sums + PRIOR_KIN * everyone) / (counts + PRIOR_KIN)
    return means


def _season(panel: Panel, scale: Floats) -> list[Floats]:
    """The four weeks a year before those to come, and the month around; missing where too young."""
    ended = panel.weeks - YEAR
    ahead = panel.sold[:, max(ended, 0) : ended + 4] if ended >= 0 else panel.sold[:, :0]
    around = panel.sold[:, max(ended - 8, 0) : max(ended, 0)]
    lived = (panel.first <= ended - 4) & (ahead.shape[1] > 0) & (around.shape[1] > 0)
    return [
        np.where(lived, _ratio(part.mean(axis=1) if part.shape[1] else scale, scale), np.nan)
        for part in (ahead, around)
    ]
