"""Verdicts: the method a segment gets by its backtests, and when purchases must not rely on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecom_assets.inventory.forecasting.choosing import preferred
from ecom_assets.inventory.forecasting.judging import MOST_BIAS, Result, decide


def result(origin: int, method: str, error: float) -> Result:
    """A backtest without fault but its error."""
    return Result(f"2026-0{origin}-01", "smooth/core", method, 400, error, 0.0, 0.01)


GOOD = [
    result(origin, method, error)
    for origin in (1, 2, 3)
    for method, error in (("naive", 1.2), ("seasonal_naive", 1.1), ("ses", 0.8), ("tsb", 0.9))
]


def test_the_smallest_error_over_all_backtests_decides() -> None:
    (verdict,) = decide(GOOD)
    assert (verdict.method, verdict.is_passed, verdict.reasons) == (
        "ses", True, ("best_in_backtests",),
    )  # fmt: skip
    assert verdict.naive_rmsse == pytest.approx(1.1)
    assert verdict.origins == 3


def test_a_method_that_was_not_measured_everywhere_is_not_chosen() -> None:
    (verdict,) = decide([*GOOD, result(3, "blend", 0.1)])
    assert verdict.method == "ses"


def test_equal_errors_go_by_name_so_that_runs_agree() -> None:
    (verdict,) = decide([replace(each, weighted_rmsse=1.0) for each in reversed(GOOD)])
    assert verdict.method == "naive"


def test_a_method_that_loses_the_newest_backtest_to_naive_fails() -> None:
    lost = [
        replace(each, weighted_rmsse=1.5) if each.method == "ses" and "03" in each.origin else each
        for each in GOOD
    ]
    (verdict,) = decide(lost)
    assert (verdict.is_passed, verdict.reasons) == (False, ("worse_than_naive_lately",))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"bias": MOST_BIAS * 1.1}, "biased"),
        ({"bias": -MOST_BIAS * 1.1}, "biased"),
        ({"coverage_miss": 0.2}, "intervals_miss"),
        ({"series": 1}, "too_few_series"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, Any], reason: str) -> None:
    (verdict,) = decide([replace(each, **changed) for each in GOOD])
    assert not verdict.is_passed
    assert reason in verdict.reasons


def test_every_segment_is_decided_by_itself() -> None:
    other = [replace(each, segment="lumpy/tail", bias=2.0) for each in GOOD]
    passed = {verdict.segment: verdict.is_passed for verdict in decide([*GOOD, *other])}
    assert passed == {"smooth/core": True, "lumpy/tail": False}


def test_no_backtests_decide_nothing() -> None:
    assert decide([]) == []


@pytest.mark.parametrize(("series", "chosen"), [(25, "global_typical"), (2_500, "ses")])
def test_the_fewer_series_the_clearer_a_method_must_lead(series: int, chosen: str) -> None:
    errors = {"global_typical": 1.0, "ses": 0.85}
    assert preferred(errors, series) == chosen
