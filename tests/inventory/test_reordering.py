"""Safety stock, reorder points and quantities: what must hold whatever is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecom_assets.inventory import reordering
from ecom_assets.inventory.forecasting.panel import Floats, Ints
from ecom_assets.inventory.reordering import Basket

COUNT = 6
AMOUNTS = arrays(np.float64, COUNT, elements=st.floats(0, 1e4))
LEVELS = arrays(np.float64, COUNT, elements=st.floats(0.01, 0.98))
UNITS = arrays(np.int64, COUNT, elements=st.integers(0, 5_000))
PACKS = arrays(np.int64, COUNT, elements=st.integers(1, 48))


@settings(max_examples=100)
@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, LEVELS)
def test_more_service_never_needs_less_safety(
    mean: Floats, above: Floats, daily: Floats, spread: Floats, level: Floats
) -> None:
    low = reordering.safety_stock(mean, mean + above / 2, daily, spread, level)
    high = reordering.safety_stock(mean, mean + above, daily, spread, level + 0.01)
    assert (high.total >= low.total - 1e-9).all()
    assert (low.total >= 0).all()
    assert (low.total >= np.maximum(low.demand, low.lead) - 1e-9).all()
    points = [reordering.policy(mean, each, daily) for each in (low, high)]
    assert (points[1].reorder_point >= points[0].reorder_point).all()
    assert (points[0].order_up_to >= points[0].reorder_point).all()


@given(AMOUNTS, AMOUNTS, AMOUNTS, LEVELS)
def test_a_longer_spread_of_the_lead_time_never_needs_less(
    mean: Floats, daily: Floats, spread: Floats, level: Floats
) -> None:
    short = reordering.safety_stock(mean, mean * 1.5, daily, spread, level)
    long = reordering.safety_stock(mean, mean * 1.5, daily, spread * 2, level)
    assert (long.total >= short.total).all()


def test_the_parts_add_as_squares() -> None:
    one = np.ones(1)
    found = reordering.safety_stock(one * 20, one * 23, one * 2, one * 4, one * 0.8413447)
    assert (found.demand[0], found.lead[0]) == (3.0, pytest.approx(8.0, abs=1e-5))
    assert found.total[0] == pytest.approx(np.sqrt(9 + 64), abs=1e-5)


@given(UNITS, PACKS, UNITS)
def test_orders_are_whole_packs_from_the_minimum(needed: Ints, pack: Ints, minimum: Ints) -> None:
    found = reordering.in_packs(needed, pack, minimum + 1)
    assert (found[needed == 0] == 0).all()
    ordered = needed > 0
    assert (found[ordered] % pack[ordered] == 0).all()
    least = np.maximum(needed, minimum + 1)
    assert (found[ordered] >= least[ordered]).all()
    # Never a pack more than it takes.
    assert (found[ordered] - pack[ordered] < least[ordered]).all()


@given(UNITS, UNITS, UNITS)
def test_what_is_ordered_fills_up_and_no_further(position: Ints, point: Ints, cycle: Ints) -> None:
    up_to = point + cycle
    found = reordering.needed(position - 2_000, point, up_to)
    due = (position - 2_000 <= point) & (up_to > 0)
    assert (found[~due] == 0).all()
    assert (position[due] - 2_000 + found[due] == np.maximum(up_to, position - 2_000)[due]).all()


@settings(max_examples=100)
@given(UNITS, PACKS, AMOUNTS, UNITS, arrays(np.int64, 2, elements=st.integers(0, 10**9)))
def test_a_minimum_is_reached_or_the_order_waits_as_it_was(
    needed: Ints, pack: Ints, daily: Floats, cost: Ints, minimum: Ints
) -> None:
    group = np.array([0, 0, 0, 1, 1, 1])
    basket = Basket(group, needed, pack, np.ones(COUNT, dtype=np.int64), daily, cost)
    filled = reordering.fill(basket, minimum)
    base = reordering.in_packs(needed, pack, basket.minimum)
    totals = np.array([(filled.quantity * cost)[group == each].sum() for each in (0, 1)])
    assert (totals[filled.reached] >= minimum[filled.reached]).all()
    assert (filled.quantity >= base).all()
    assert (filled.quantity % pack == 0).all()
    waits = ~filled.reached[group]
    assert (filled.quantity[waits] == base[waits]).all()
    assert (filled.extra_days <= reordering.MOST_EXTRA_DAYS).all()


def test_lines_are_raised_by_days_alike() -> None:
    basket = Basket(
        group=np.zeros(2, dtype=np.int64),
        needed=np.array([10, 10]),
        pack=np.array([1, 12]),
        minimum=np.array([1, 1]),
        daily=np.array([2.0, 1.0]),
        cost=np.array([100, 100]),
    )
    filled = reordering.fill(basket, np.array([3_000]))
    # After three days 16 and 13, which is 24 in packs of 12: 40 units at 1.00.
    assert filled.quantity.tolist() == [16, 24]
    assert filled.extra_days.tolist() == [3]
    assert reordering.reasons(basket, filled) == [
        ["below_reorder_point", "raised_to_supplier_minimum"],
        ["below_reorder_point", "rounded_to_packs", "raised_to_supplier_minimum"],
    ]


def row(sku: str, **changed: Any) -> dict[str, Any]:
    """A SKU that is due, in a segment that passed."""
    usual = {
        "sku": sku, "site_code": "N", "segment": "smooth/core", "method": "ses",
        "service_level": 0.95, "reorder_point": 10, "order_up_to": 30, "protected_units": 8.0,
        "safety_units": 2.0, "daily_units": 1.0, "days": 21.0, "lead_days": 14.0,
        "available_units": 4, "on_order_units": 0, "pack_units": 1, "minimum_units": 1,
        "is_reordered": True, "unit_cost_minor": 200, "currency": "EUR", "supplier_key": "s",
        "minimum_minor": 0,
    }  # fmt: skip
    return {**usual, **changed}


def test_reasons_are_counted_for_what_is_not_proposed() -> None:
    table = pd.DataFrame(
        [
            row("due"),
            row("covered", on_order_units=20),
            row("stopped", is_reordered=False),
            row("doubtful", segment="lumpy/tail"),
            row("unpriced", unit_cost_minor=None),
        ]
    )
    made = reordering.proposals(table, {"smooth/core ses"})
    assert made.lines["sku"] == ["due"]
    assert made.lines["quantity"] == [26]
    assert made.counts == {"not_due": 1, "not_reordered": 1, "failed_backtest": 1, "no_cost": 1}
    assert made.groups["total_minor"] == [5_200]
    assert made.groups["state"] == ["proposed"]


def test_suppliers_sites_and_currencies_are_ordered_apart() -> None:
    table = pd.DataFrame(
        [row("a"), row("b", supplier_key="t"), row("c", site_code="S"), row("d", currency="USD")]
    )
    made = reordering.proposals(table, {"smooth/core ses"})
    assert len(made.groups["group_no"]) == len(set(made.lines["group_no"])) == 4


def test_an_order_below_the_minimum_waits_and_says_so() -> None:
    table = pd.DataFrame([row("a", minimum_minor=10**7)])
    made = reordering.proposals(table, {"smooth/core ses"})
    assert made.groups["state"] == ["held"]
    assert made.groups["reasons"] == [["below_supplier_minimum"]]
    assert made.lines["quantity"] == [26]


def test_nothing_due_proposes_nothing() -> None:
    made = reordering.proposals(pd.DataFrame([row("a", available_units=99)]), {"smooth/core ses"})
    assert not made.groups["group_no"]
    assert not made.lines["sku"]
