"""Markdown plans: better than a ladder, never dearer week by week, automated only when sure."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.markdown import Trial, takings_by_ladder, takings_by_policy
from ecom_assets.pricing.markdown import (
    Clearance,
    is_automated,
    ladder_takings,
    plan_clearance,
)

TASK = Clearance(60, 8, 2_000, 4.0, -2.2, 0.25)


def test_a_plan_beats_the_ladder_on_average() -> None:
    rng = np.random.default_rng(5)
    gains = []
    for _ in range(30):
        trial = Trial.drawn(rng, error=0.3, bias=0.0)
        policy = plan_clearance(trial.task)
        ours = takings_by_policy(trial, policy, np.random.default_rng(1))
        gains.append((ours, takings_by_ladder(trial, np.random.default_rng(1))))
    ours, ladder = np.sum(gains, axis=0)
    assert ours > ladder


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 120), st.integers(1, 8), st.floats(0.1, 20), st.floats(-4, -0.2),
    st.floats(0, 1),
)  # fmt: skip
def test_prices_only_fall_and_takings_are_within_reason(
    stock: int, weeks: int, units: float, elasticity: float, error: float
) -> None:
    task = Clearance(stock, weeks, 1_000, units, elasticity, error)
    policy = plan_clearance(task)
    path = policy.path(task)
    assert len(path) == weeks
    assert all(later <= sooner for sooner, later in pairwise(path))
    assert all(400 <= price <= 1_000 for price in path)
    assert 0 <= policy.expected_minor <= stock * 1_000 + 1e-6
    assert 0 <= ladder_takings(task) <= stock * 1_000


def test_little_stock_is_sold_at_the_full_price() -> None:
    path = plan_clearance(replace(TASK, stock=5)).path(replace(TASK, stock=5))
    assert path[0] == 2_000


def test_automation_is_gated_on_the_interval() -> None:
    assert is_automated(TASK, is_usable=True) == (True, ())
    assert is_automated(replace(TASK, error=0.6), is_usable=True) == (False, ("interval_too_wide",))
    assert is_automated(TASK, is_usable=False)[1] == ("elasticity_is_an_association",)
    assert is_automated(replace(TASK, elasticity=-0.1), is_usable=True)[1] == (
        "demand_does_not_answer",
    )
