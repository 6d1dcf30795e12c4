"""Policies tried on the kept history: how much stock each needs for how much service.

Every week of the trial is decided on the weeks before it: method, blend and intervals of the
platform's policy are those that its own past would have chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ecom_assets.inventory.forecasting import choosing, history, local
from ecom_assets.inventory.forecasting.judging import past_of
from ecom_assets.inventory.forecasting.panel import Floats, Panel
from ecom_assets.inventory.forecasting.segments import Words, segments
from ecom_assets.inventory.forecasting.simulating import Played, play

SERVICE = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)
"""Service levels that are tried."""
COVERS = tuple(np.round(np.geomspace(0.6, 6.0, len(SERVICE)), 3).tolist())
"""Multiples of the expected demand that the cover policy fills up to, in the levels' places."""
PLAYED_WEEKS = 16
LEAST_KNOWN = 12
"""Weeks that must be known before the first week that is played."""
SES_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Point:
    """What a policy did at one service level."""

    policy: str
    service_level: float
    played: Played


Levels = Mapping[int, Floats]
"""What to fill up to before each week, (series, service levels)."""


def seen_at(
    panel: Panel, spoken: Mapping[int, history.Said], week: int
) -> tuple[choosing.Outlook, Words, Mapping[str, str]]:
    """The outlook before a week, the method of each series, and that of each segment."""
    known = panel.until(week).with_demand()
    past = [spoken[origin] for origin in past_of(week) if origin in spoken]
    seen = choosing.outlook(known, past, spoken[week])
    segment = segments(panel.until(week))
    best = choosing.best_per_segment(known, seen.past, segment, list(seen.means))
    return seen, np.array([best[str(name)] for name in segment]), best


def own_levels(
    panel: Panel, spoken: Mapping[int, history.Said], weeks: Sequence[int], protected: int
) -> Levels:
    """The platform's levels: the quantile of the demand of the protected weeks."""
    found = {}
    for week in weeks:
        seen, methods, _ = seen_at(panel, spoken, week)
        found[week] = choosing.sum_quantiles(seen, methods, protected, SERVICE)[1]
    return found


def textbook_levels(panel: Panel, protected: int, weight: float | None = SES_WEIGHT) -> Floats:
    """Exponential smoothing with normal errors that grow with the root of the weeks.

    Args:
        panel: what is known.
        protected: weeks that stock must last for.
        weight: of the newest week; the one that fits best where none is given.
    """
    lived = panel.lived()
    if weight is None:
        level = local.ses(panel, 1)[:, 0]
        errors = np.min([local.smoothed(panel.sold, lived, each)[1] for each in local.WEIGHTS], 0)
    else:
        level, errors = local.smoothed(panel.sold, lived, weight)
    spread = np.sqrt(errors / np.maximum(lived.sum(axis=1) - 1, 1) * protected)
    factors = np.array([NormalDist().inv_cdf(level) for level in SERVICE])
    found: Floats = np.maximum(level[:, None] * protected + spread[:, None] * factors, 0)
    return found


def cover_levels(panel: Panel, protected: int) -> Floats:
    """So many weeks of the mean of the last eight, whatever the spread: the rule of thumb."""
    mean: Floats = local.window_mean(panel, 1) * protected * np.array(COVERS)
    return mean


def played_weeks(panel: Panel) -> range:
    """Weeks that a trial plays: the last ones that leave enough history before them."""
    return range(max(panel.weeks - PLAYED_WEEKS, LEAST_KNOWN), panel.weeks)


def try_policies(
    panel: Panel,
    price: Floats,
    cost: Floats,
    lead_weeks: int,
    spoken: Mapping[int, history.Said] | None = None,
) -> list[Point]:
    """Play all policies at all service levels.

    Args:
        panel: demand as it was seen; what stock-outs hid is filled in for all policies alike.
        price: of a unit, (series,).
        cost: of a unit, (series,).
        lead_weeks: weeks from order to arrival.
        spoken: what methods said at the played weeks and before them, if somebody asked already.
    """
    weeks = played_weeks(panel)
    if not weeks:
        return []
    origins = range(max(weeks[0] - choosing.PAST_WEEKS, 1), panel.weeks)
    whole, protected = panel.with_demand(), lead_weeks + 1
    if spoken is None:
        spoken = history.said(whole, origins, choosing.HORIZON, choosing.METHODS)
    known = {week: whole.until(week) for week in weeks}
    policies: dict[str, Levels] = {
        "platform": own_levels(panel, spoken, weeks, protected),
        "ses_normal": {week: textbook_levels(each, protected) for week, each in known.items()},
        "ses_best": {week: textbook_levels(each, protected, None) for week, each in known.items()},
        "weeks_of_cover": {week: cover_levels(each, protected) for week, each in known.items()},
    }
    return [
        Point(name, service, played)
        for name, levels in policies.items()
        for service, played in _play(whole, levels, weeks, price, cost, lead_weeks)
    ]


def _play(
    panel: Panel, levels: Levels, weeks: range, price: Floats, cost: Floats, lead_weeks: int
) -> list[tuple[float, Played]]:
    demand = panel.sold[:, weeks[0] :]
    return [
        (
            service,
            play(
                demand,
                np.column_stack([levels[week][:, place] for week in weeks]),
                price,
                cost,
                lead_weeks,
            ),
        )
        for place, service in enumerate(SERVICE)
    ]
