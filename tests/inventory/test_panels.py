"""Panels: demand hidden by stock-outs, groups of kin, segments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecom_assets.inventory.forecasting.panel import Floats, kin_of, of_units, uncensored
from ecom_assets.inventory.forecasting.segments import classes, is_core, segments

UNITS = arrays(np.float64, (4, 15), elements=st.integers(0, 30).map(float))
SHARES = arrays(np.float64, (4, 15), elements=st.floats(0, 1))


@settings(max_examples=80)
@given(UNITS, SHARES)
def test_what_was_hidden_is_added_and_never_taken(sold: Floats, out: Floats) -> None:
    panel = of_units(sold, out)
    demand = uncensored(panel)
    assert (demand >= sold).all()
    whole = (out == 0) | ~panel.lived()
    assert (demand[whole] == sold[whole]).all()


@settings(max_examples=40)
@given(UNITS, SHARES, st.integers(1, 14))
def test_a_week_is_filled_from_itself_and_earlier_ones(
    sold: Floats, out: Floats, week: int
) -> None:
    panel = of_units(sold, out)
    assert uncensored(panel.until(week)) == pytest.approx(uncensored(panel)[:, :week])


def test_the_hidden_part_is_the_rate_times_the_time_without_stock() -> None:
    sold = np.array([[10.0, 10, 10, 5]])
    out = np.array([[0.0, 0, 0, 0.5]])
    assert uncensored(of_units(sold, out))[0, 3] == pytest.approx(10.0)


def test_stock_outs_hide_a_rate_that_is_found_again() -> None:
    draw = np.random.default_rng(1)
    out = np.where(draw.random((300, 60)) < 0.5, draw.random((300, 60)), 0)
    seen = draw.poisson(8 * (1 - out)).astype(np.float64)
    panel = of_units(seen, out, first=np.zeros(300, dtype=np.int64))
    assert seen.mean() == pytest.approx(6, abs=0.1)
    # The first weeks know little of their rate; later ones show no bias.
    assert uncensored(panel)[:, 20:].mean() == pytest.approx(8, rel=0.02)


def test_kin_share_a_word_that_neither_few_nor_most_have() -> None:
    names = [
        *(f"CHRISTMAS bauble {n}" for n in range(9)),
        *(f"garden thing {n}" for n in range(11)),
    ]
    kin = kin_of(names, least=8)
    assert len({tuple(row) for row in kin[:9].tolist()}) == 1
    assert not set(kin[0][kin[0] >= 0]) & set(kin[12][kin[12] >= 0])
    assert (kin_of(["red thing"] * 20) == -1).all()


@pytest.mark.parametrize(
    ("sold", "name"),
    [
        ([5, 6, 5, 4, 5, 6, 5, 5, 6, 4], "smooth"),
        ([5, 60, 2, 40, 1, 70, 3, 2, 90, 1], "erratic"),
        ([5, 0, 0, 5, 0, 6, 0, 0, 5, 0], "intermittent"),
        ([5, 0, 0, 90, 0, 1, 0, 0, 40, 0], "lumpy"),
        ([0, 0, 0, 0, 0, 0, 0, 5, 6, 5], "new"),
    ],
)
def test_a_series_has_the_class_of_its_intervals_and_sizes(sold: list[float], name: str) -> None:
    assert classes(of_units(np.array([sold], dtype=np.float64))).tolist() == [name]


def test_the_core_makes_most_of_the_revenue() -> None:
    sold = np.ones((4, 10)) * np.array([[70.0], [20.0], [6.0], [4.0]])
    assert is_core(of_units(sold)).tolist() == [True, True, False, False]
    assert segments(of_units(sold)).tolist() == [
        "smooth/core", "smooth/core", "smooth/tail", "smooth/tail",
    ]  # fmt: skip


def test_nothing_sold_has_a_segment_too() -> None:
    assert segments(of_units(np.zeros((2, 12)))).tolist() == ["intermittent/tail"] * 2
