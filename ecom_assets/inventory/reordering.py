"""When to order and how much, for all SKUs at sites at once.

The policy is the periodic-review one with a reorder point, (R, s, S): at each review whose stock
position (what is free and what is on order) is at or below s is ordered up to S (Silver, Pyke and
Thomas, Inventory and Production Management, 4th edition, chapter 6). The reorder point protects the
demand of the lead time and of the time until the next review.

Safety stock has two parts that are independent, hence added as squares: what the forecast's own
quantile lies above its mean, and what a lead time longer than usual costs (ibid., section 6.10:
the variance of demand over a random lead time is E[L] var(D) + E[D]^2 var(L)). The first part needs
no normal distribution: it comes from quantiles of errors that were measured.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from ecom_assets.inventory.forecasting.panel import Flags, Floats, Ints

VERSION = "reorder/1"

REVIEW_DAYS = 7.0
LEAD_SPREAD_DAYS = 4.0
"""Of suppliers that say nothing; the lead time itself and the service level are settings."""
CYCLE_DAYS = 14.0
"""Days of demand that an order brings beyond the reorder point."""
MOST_EXTRA_DAYS = 60
"""Days of further demand that an order may bring to reach a supplier's minimum."""


@dataclass(frozen=True, slots=True)
class Safety:
    """Safety stock and what it is made of, units.

    Attributes:
        demand: what the forecast's quantile adds to its mean.
        lead: what the spread of the lead time adds.
        total: both together.
    """

    demand: Floats
    lead: Floats
    total: Floats


@dataclass(frozen=True, slots=True)
class Policy:
    """Reorder point and order-up-to level, whole units."""

    safety: Safety
    reorder_point: Ints
    order_up_to: Ints


def safety_stock(
    mean: Floats, quantile: Floats, daily: Floats, lead_spread_days: Floats, level: Floats
) -> Safety:
    """Safety stock for a service level.

    Args:
        mean: units to expect over lead time and review.
        quantile: the service level's quantile of the same units.
        daily: units to expect per day.
        lead_spread_days: standard deviation of the lead time.
        level: service level, above 0 and below 1.
    """
    demand = np.maximum(quantile - mean, 0)
    factors = np.array([max(NormalDist().inv_cdf(float(each)), 0.0) for each in np.unique(level)])
    factor = factors[np.searchsorted(np.unique(level), level)]
    lead = factor * daily * lead_spread_days
    return Safety(demand, lead, np.hypot(demand, lead))


def policy(mean: Floats, safety: Safety, daily: Floats) -> Policy:
    """Levels of the policy: whole units, rounded up, so that rounding never costs service."""
    # Rounded before rounding up: 7.000000001 of a sum that should be 7 is not 8.
    point = np.ceil(np.round(mean + safety.total, 6))
    up_to = np.ceil(np.round(mean + safety.total + daily * CYCLE_DAYS, 6))
    return Policy(safety, point.astype(np.int64), np.maximum(up_to, point).astype(np.int64))


def in_packs(needed: Ints, pack: Ints, minimum: Ints) -> Ints:
    """Units to order: at least what is needed and the minimum, in whole packs; 0 needs none."""
    least = np.maximum(needed, minimum)
    packs = -(-least // pack)
    return np.where(needed > 0, packs * pack, 0)


def needed(position: Ints, point: Ints, up_to: Ints) -> Ints:
    """Units that bring the position to the order-up-to level, 0 where no order is due."""
    # At a reorder point of 0 nothing is expected to sell: stock that is out may stay out.
    due = (position <= point) & (up_to > 0)
    return np.where(due, np.maximum(up_to - position, 0), 0)


@dataclass(frozen=True, slots=True)
class Basket:
    """Lines that may go to suppliers together, one row per SKU at a site.

    Attributes:
        group: which order each line belongs to, 0 to groups - 1.
        needed: units needed.
        pack: units per pack.
        minimum: fewest units at once.
        daily: units to expect per day.
        cost: of one unit, minor units of the group's currency.
    """

    group: Ints
    needed: Ints
    pack: Ints
    minimum: Ints
    daily: Floats
    cost: Ints


@dataclass(frozen=True, slots=True)
class Filled:
    """Quantities that reach the suppliers' minimums.

    Attributes:
        quantity: units per line.
        extra_days: days of demand added to each group's lines.
        reached: whether each group reaches its minimum.
    """

    quantity: Ints
    extra_days: Ints
    reached: Flags


def fill(basket: Basket, minimum_minor: Ints) -> Filled:
    """Raise orders to what their supplier takes at least, by further days of demand for all lines.

    Ordering some days ahead keeps the lines in step, where filling up one line would buy stock that
    lasts for years. What would need more than `MOST_EXTRA_DAYS` is not raised: it waits.

    Args:
        basket: lines that are due.
        minimum_minor: least order per group, 0 where there is none.
    """
    groups = len(minimum_minor)
    base = in_packs(basket.needed, basket.pack, basket.minimum)
    quantity, extra = base.copy(), np.zeros(groups, dtype=np.int64)
    reached = _totals(basket, quantity, groups) >= minimum_minor
    for days in range(1, MOST_EXTRA_DAYS + 1):
        if reached.all():
            break
        more = basket.needed + np.ceil(basket.daily * days).astype(np.int64)
        raised = in_packs(np.where(basket.needed > 0, more, 0), basket.pack, basket.minimum)
        enough = ~reached & (_totals(basket, raised, groups) >= minimum_minor)
        quantity = np.where(enough[basket.group], raised, quantity)
        extra[enough] = days
        reached |= enough
    return Filled(quantity, extra, reached)


def _totals(basket: Basket, quantity: Ints, groups: int) -> Ints:
    sums = np.zeros(groups, dtype=np.int64)
    np.add.at(sums, basket.group, quantity * basket.cost)
    return sums


def reasons(basket: Basket, filled: Filled) -> list[list[str]]:
    """Codes of what made each line's quantity, in the order in which they worked."""
    least = np.maximum(basket.needed, basket.minimum)
    packs = in_packs(basket.needed, basket.pack, basket.minimum)
    columns = {
        "below_reorder_point": basket.needed > 0,
        "raised_to_minimum_units": (basket.needed > 0) & (basket.needed < basket.minimum),
        "rounded_to_packs": (basket.needed > 0) & (packs > least),
        "raised_to_supplier_minimum": filled.quantity > packs,
    }
    told = np.column_stack(list(columns.values()))
    names = list(columns)
    return [[name for name, holds in zip(names, row, strict=True) if holds] for row in told]


@dataclass(frozen=True, slots=True)
class Proposals:
    """Orders to propose, as columns.

    Attributes:
        groups: one row per supplier, site and currency.
        lines: one row per SKU in them, `group_no` saying which.
        counts: SKUs at sites by why they are not proposed.
    """

    groups: dict[str, list[Any]]
    lines: dict[str, list[Any]]
    counts: dict[str, int]


_GROUP = ["supplier_key", "site_code", "currency"]
_LINE = [
    "sku", "available_units", "on_order_units", "reorder_point", "order_up_to", "protected_units",
    "safety_units", "service_level", "needed_units", "pack_units", "minimum_units",
    "unit_cost_minor", "segment", "method", "days", "group_no", "quantity",
]  # fmt: skip


def proposals(positions: pd.DataFrame, passed: Collection[str]) -> Proposals:
    """Orders for all SKUs at sites that are due.

    Args:
        positions: policies with stock and terms (`store.proposals.positions`).
        passed: segments and methods that passed their backtests, with a blank between them; what
            was forecast otherwise is not proposed.
    """
    due, counts = _due(positions, passed)
    keys = due[_GROUP].drop_duplicates().sort_values(_GROUP, ignore_index=True)
    due["group_no"] = due[_GROUP].merge(keys.reset_index(), on=_GROUP)["index"].to_numpy()
    basket = _basket(due)
    heads = due.groupby("group_no")[["minimum_minor", "lead_days"]].max()
    filled = fill(basket, heads["minimum_minor"].to_numpy(dtype=np.int64))
    due["quantity"] = filled.quantity
    lines: dict[str, list[Any]] = {name: due[name].tolist() for name in _LINE}
    lines["reasons"] = reasons(basket, filled)
    groups: dict[str, list[Any]] = {name: keys[name].tolist() for name in _GROUP}
    groups["group_no"] = list(range(len(keys)))
    groups["total_minor"] = _totals(basket, filled.quantity, len(keys)).tolist()
    groups["minimum_minor"] = heads["minimum_minor"].tolist()
    groups["lead_days"] = heads["lead_days"].tolist()
    groups["state"] = ["proposed" if reached else "held" for reached in filled.reached]
    groups["reasons"] = [
        _group_reasons(bool(reached), int(days))
        for reached, days in zip(filled.reached, filled.extra_days, strict=True)
    ]
    return Proposals(groups, lines, counts)


def _due(positions: pd.DataFrame, passed: Collection[str]) -> tuple[pd.DataFrame, dict[str, int]]:
    position = positions["available_units"] + positions["on_order_units"]
    units = needed(*(
        part.to_numpy(dtype=np.int64)
        for part in (position, positions["reorder_point"], positions["order_up_to"])
    ))  # fmt: skip
    table = positions.assign(needed_units=units)
    why = {
        "not_due": table["needed_units"] == 0,
        "not_reordered": ~table["is_reordered"].astype(bool),
        "failed_backtest": ~(table["segment"] + " " + table["method"]).isin(list(passed)),
        "no_cost": table["unit_cost_minor"].isna(),
    }
    left, counts = np.ones(len(table), dtype=np.bool_), {}
    for name, holds in why.items():
        counts[name] = int((left & holds.to_numpy(dtype=np.bool_)).sum())
        left &= ~holds.to_numpy(dtype=np.bool_)
    due = table[left].reset_index(drop=True)
    return due.assign(unit_cost_minor=due["unit_cost_minor"].astype("int64")), counts


def _basket(due: pd.DataFrame) -> Basket:
    whole = ("group_no", "needed_units", "pack_units", "minimum_units")
    group, units, pack, minimum = (due[name].to_numpy(dtype=np.int64) for name in whole)
    daily = due["daily_units"].to_numpy(dtype=np.float64)
    return Basket(group, units, pack, minimum, daily, due["unit_cost_minor"].to_numpy(np.int64))


def _group_reasons(reached: bool, days: int) -> list[str]:
    if not reached:
        return ["below_supplier_minimum"]
    return ["reorder_points_reached", *(["raised_to_supplier_minimum"] if days else [])]
